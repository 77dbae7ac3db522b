"""Encrypts what the database keeps for a while and must not give away: answers with a token.

The keys are derived from ``jwt_keys``, so that they are rotated along.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyramid.config import Configurator

# Separates these keys from other uses of the same secret (RFC 5869, 3.2).
INFO = b"ar_targets: answers of idempotent requests"


class Seal:
    """Encrypts with the first key; decrypts with all of them."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._fernet = MultiFernet([Fernet(_key(secret)) for secret in secrets])

    def seal(self, data: bytes) -> bytes:
        """The data, encrypted and authenticated."""
        return self._fernet.encrypt(data)

    def open(self, sealed: bytes) -> bytes | None:
        """The data; None where its key is no longer among ``jwt_keys``."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=INFO).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def includeme(config: Configurator) -> None:
    """Set ``registry.seal``."""
    config.registry.seal = Seal(config.registry.ar_settings.jwt_keys)
