"""Argon2id hashes of passwords.

The parameters are the first of OWASP's recommendations of equal strength
(Password Storage Cheat Sheet, 2025: m = 19 MiB, t = 2, p = 1): one login costs
tens of milliseconds and 19 MiB, so that many at once do not exhaust a small
server.
"""

import argon2

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Checked for a login that nobody has, so that it takes as long as one that exists.
_NOBODY = _hasher.hash("")


def hash_password(password: str) -> str:
    """The encoded Argon2id hash, with its salt and parameters: about 100 ASCII characters."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hash's; no hash at all takes the same time to refuse."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except argon2.exceptions.VerificationError:
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)
