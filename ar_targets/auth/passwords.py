"""Argon2id hashes of passwords.

The parameters are the first of OWASP's recommendations of equal strength (Password Storage Cheat
Sheet, 2025: m = 19 MiB, t = 2, p = 1): one login costs tens of milliseconds and 19 MiB. A process
hashes few passwords at once, so that many simultaneous logins leave memory and CPU for other
requests.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

AT_ONCE = 2
# Seconds to wait for a free slot before 503.
QUEUE_SECONDS = 5
_slots = threading.BoundedSemaphore(AT_ONCE)

# Verified for an unknown login, so that it takes as long as an existing one.
_NOBODY = _hasher.hash("")


class TooManyHashesError(Exception):
    """No hashing slot came free within `QUEUE_SECONDS`."""


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
    """Whether the password matches the hash; None takes the same time and never matches.

    Raises TooManyHashesError.
    """
    try:
        with _turn():
            _hasher.verify(password_hash or _NOBODY, password)
    except argon2.exceptions.VerificationError:
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than the current ones."""
    return _hasher.check_needs_rehash(password_hash)
