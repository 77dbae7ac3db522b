"""Argon2id hashes of passwords.

The parameters are the first of OWASP's recommendations of equal strength
(Password Storage Cheat Sheet, 2025: m = 19 MiB, t = 2, p = 1): one login costs
tens of milliseconds and 19 MiB. A process hashes few at once, so that however many
log in, it has memory and processors left for everybody else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

AT_ONCE = 2
# Seconds to wait for a turn; more logins than that are not honest ones.
QUEUE_SECONDS = 5
_slots = threading.BoundedSemaphore(AT_ONCE)

# Checked for a login that nobody has, so that it takes as long as one that exists.
_NOBODY = _hasher.hash("")


class TooManyHashesError(Exception):
    """More passwords are being hashed than the server can at once."""


@contextmanager
def _turn() -> Iterator[None]:
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        raise TooManyHashesError
    try:
        yield
    finally:
        _slots.release()


def hash_password(password: str) -> str:
    """The encoded Argon2id hash, with its salt and parameters: about 100 ASCII characters.

    Raises TooManyHashesError.
    """
    with _turn():
        return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hash's; no hash at all takes the same time to refuse.

    Raises TooManyHashesError.
    """
    try:
        with _turn():
            _hasher.verify(password_hash or _NOBODY, password)
    except argon2.exceptions.VerificationError:
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
