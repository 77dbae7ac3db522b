"""Encodes and decodes the two kinds of JWT. Uses claims and keys, but no database.

A login token carries its expiry (``exp``). A project token does not: its row does, so that a new
ttl applies to the token inside an app that is already shipped. The claim ``kind`` distinguishes
them, and the claims of each are checked strictly: a token without ``exp`` is never accepted as a
login token.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid_jwt import create_jwt_authentication_policy

from .. import clock
from ..db.base import parse_id
from ..models.token import TokenRecord

ALGORITHM = "HS256"
# Three parts of base64url without padding (RFC 7515, 7.1). The last character of the signature of
# 32 bytes has two unused bits, which must be zero: otherwise a token altered there would be
# accepted.
JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
JTI = re.compile(r"[0-9a-f]{32}")
# Seconds by which a clock may have been ahead before a token is refused because it was issued in
# the future. Apps have the strings that were made meanwhile, and their rows say that they are
# valid. It does not extend the expiry: see `_login`.
LEEWAY = 24 * 3600
# Size of each process's cache of verified tokens: about 1 MiB.
REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class LoginClaims:
    """Claims of a login token, valid while the user's password version is the same."""

    user_id: int
    password_version: int


@dataclass(frozen=True, slots=True)
class ProjectClaims:
    """Claims of a project token; its row says until when it is valid, and its access."""

    jti: str
    project_id: int


class Codec:
    """Signs with the first key; verifies with all of them, so that keys can be rotated."""

    def __init__(self, policies: list[Any]) -> None:
        self._policies = policies
        self._signer = policies[0]
        self._verified: dict[str, dict[str, Any]] = {}

    def login_token(
        self, user_id: int, password_version: int, lifetime: timedelta
    ) -> tuple[str, datetime]:
        """A login token and the moment when it expires."""
        text = self._signer.create_token(
            str(user_id), expiration=lifetime, kind="user", ver=password_version
        )
        exp = jwt.decode(text, options={"verify_signature": False})["exp"]
        return text, datetime.fromtimestamp(exp, tz=UTC).replace(tzinfo=None)

    def project_token(self, token: TokenRecord) -> str:
        """The JWT of a row: the same string each time, while the first key is the same.

        pyramid_jwt would set ``iat`` to the current time, so PyJWT is called directly.
        """
        claims = {
            "kind": "project",
            "sub": str(token.project_id),
            "jti": token.jti,
            "iat": clock.timestamp(token.created_at),
        }
        return jwt.encode(claims, self._signer.private_key, self._signer.algorithm)

    def read(self, request: Request, text: str) -> LoginClaims | ProjectClaims | None:
        """The claims of a JWT; None where none of our keys signed it or a claim is invalid."""
        claims = self._verified.get(text) or self._verify(request, text)
        return _login(claims) or _project(claims)

    def _verify(self, request: Request, text: str) -> dict[str, Any]:
        """The claims of a JWT that one of our keys has signed, else an empty dict.

        Verified tokens are cached: an app that sends its token with each request is verified
        once. The expiry is checked each time, by `_login` or in the database.
        """
        if not JWT.fullmatch(text):
            return {}
        for policy in self._policies:
            claims: dict[str, Any] = policy.jwt_decode(request, text)
            if claims:
                if len(self._verified) >= REMEMBERED:
                    self._verified.clear()
                self._verified[text] = claims
                return claims
        return {}


def _login(claims: dict[str, Any]) -> LoginClaims | None:
    user_id, version, exp = _subject(claims), claims.get("ver"), claims.get("exp")
    if claims.get("kind") != "user" or user_id is None:
        return None
    if type(version) is not int or type(exp) is not int or exp <= clock.timestamp(clock.now()):
        return None
    return LoginClaims(user_id, version)


def _project(claims: dict[str, Any]) -> ProjectClaims | None:
    project_id, jti = _subject(claims), claims.get("jti")
    if claims.get("kind") != "project" or project_id is None:
        return None
    if "exp" in claims or not isinstance(jti, str) or not JTI.fullmatch(jti):
        return None
    return ProjectClaims(jti, project_id)


def _subject(claims: dict[str, Any]) -> int | None:
    """The row id in ``sub``, which must be a string (RFC 7519, 4.1.2)."""
    subject = claims.get("sub")
    return parse_id(subject) if isinstance(subject, str) else None


def includeme(config: Configurator) -> None:
    """Set ``registry.codec``."""
    config.registry.codec = Codec(
        [
            create_jwt_authentication_policy(
                config,
                private_key=key,
                algorithm=ALGORITHM,
                leeway=LEEWAY,
                auth_type="Bearer",
            )
            for key in config.registry.ar_settings.jwt_keys
        ]
    )
