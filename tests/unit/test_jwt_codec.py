"""Tokens: what we make reads back, and nothing else is believed."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from pyramid.request import Request
from pyramid.testing import setUp, tearDown

from ar_targets import clock
from ar_targets.auth import jwt_codec
from ar_targets.auth.jwt_codec import LoginClaims, ProjectClaims
from ar_targets.models.token import TokenRecord

OLD, NEW, FOREIGN = "o" * 32, "n" * 32, "f" * 32
NOW = datetime(2026, 1, 23, 10, 15, 30, 123456)  # noqa: DTZ001  # naive, as all of them
ROW = TokenRecord(5, 7, "ab" * 16, "write", "", 60, 1, NOW, NOW, NOW, None)


def make(*keys: str) -> jwt_codec.Codec:
    config = setUp()
    config.registry.ar_settings = type("Settings", (), {"jwt_keys": keys})
    jwt_codec.includeme(config)
    made = config.registry.codec
    tearDown()
    return made


CODEC = make(NEW, OLD)
REQUEST = Request.blank("/")
USER = {"kind": "user", "sub": "3", "ver": 1}
PROJECT = {"kind": "project", "sub": "7", "jti": "ab" * 16}
IN_AN_HOUR = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())


def signed(claims: dict, key: str = NEW, algorithm: str = "HS256", **header: str) -> str:
    return jwt.encode(claims, key, algorithm, headers=header)


def test_login_token():
    text, expires_at = CODEC.login_token(3, 4, timedelta(hours=1))
    assert CODEC.read(REQUEST, text) == LoginClaims(3, 4)
    assert timedelta(minutes=59) < expires_at - clock.now() <= timedelta(hours=1)


def test_login_token_ends_on_the_second():
    text, _ = CODEC.login_token(3, 4, timedelta(seconds=-1))
    assert CODEC.read(REQUEST, text) is None


def test_project_token_is_the_same_string_each_time():
    text = CODEC.project_token(ROW)
    assert text == CODEC.project_token(
        ROW._replace(ttl=1, revision=9, expires_at="2027-01-23T10:15:30.123456Z")
    )
    assert CODEC.read(REQUEST, text) == ProjectClaims("ab" * 16, 7)
    assert "exp" not in jwt.decode(text, options={"verify_signature": False})


def test_keys_are_rotated():
    of_the_old_key = make(OLD).project_token(ROW)
    assert CODEC.read(REQUEST, of_the_old_key) == ProjectClaims("ab" * 16, 7)
    assert make(NEW).read(REQUEST, of_the_old_key) is None
    assert make(NEW).read(REQUEST, CODEC.project_token(ROW)) is not None


BAD = {
    "not a JWT": "garbage",
    "empty": "..",
    "not ASCII": "é.é.é",
    "another key": signed(USER | {"exp": IN_AN_HOUR}, FOREIGN),
    "no algorithm": jwt.encode(USER | {"exp": IN_AN_HOUR}, None, "none"),
    "another algorithm": signed(USER | {"exp": IN_AN_HOUR}, NEW * 2, "HS512"),
    "login without exp": signed(USER),
    "exp as text": signed(USER | {"exp": str(IN_AN_HOUR)}),
    "expired": signed(USER | {"exp": IN_AN_HOUR - 3601}),
    "made in the future": signed(USER | {"exp": IN_AN_HOUR, "iat": IN_AN_HOUR + 24 * 3600}),
    "no kind": signed({"sub": "3", "ver": 1, "exp": IN_AN_HOUR}),
    "another kind": signed(USER | {"kind": "admin", "exp": IN_AN_HOUR}),
    "no version": signed({"kind": "user", "sub": "3", "exp": IN_AN_HOUR}),
    "version of a wrong type": signed(USER | {"ver": True, "exp": IN_AN_HOUR}),
    "subject is no id": signed(USER | {"sub": "03", "exp": IN_AN_HOUR}),
    "no subject": signed({"kind": "user", "ver": 1, "exp": IN_AN_HOUR}),
    "project with exp": signed(PROJECT | {"exp": IN_AN_HOUR}),
    "project without jti": signed({"kind": "project", "sub": "7"}),
    "project without subject": signed({"kind": "project", "jti": "ab" * 16}),
    "user's claims in a project's kind": signed(USER | {"kind": "project"}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad(name):
    assert CODEC.read(REQUEST, BAD[name]) is None
