"""Tokens that somebody made, took, kept or bent: none of them opens anything."""

import base64
import hmac
import json
import random
import string

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import update

from ar_targets.db.session import transaction_scope
from ar_targets.models import soft_delete
from ar_targets.models.project import Project

from ..actors import PASSWORD, Actor
from ..conftest import KEY
from ..tables import token as token_table

OUR_KEY = KEY.encode()
LATER = 4_000_000_000
LETTERS = string.ascii_letters + string.digits + "-_"


def part(value):
    """A part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, claims, key=OUR_KEY):
    """A JWT with any header and key, signed with HS256."""
    unsigned = f"{part(header)}.{part(claims)}"
    return f"{unsigned}.{part(hmac.digest(key, unsigned.encode(), 'sha256'))}"


def user_claims(owner, **claims):
    return {"kind": "user", "sub": str(owner.id), "ver": 1, "iat": 1, "exp": LATER} | claims


def opens(app, project, token):
    """Whether a token opens the owner's project, or its targets."""
    statuses = {
        app.get(path, headers=Actor(token).headers, status="*").status_int
        for path in (project.path, project.targets)
    }
    return statuses != {401}


def test_what_the_others_are_measured_against(app, owner, project):
    header = {"alg": "HS256", "typ": "JWT"}
    assert opens(app, project, signed(header, user_claims(owner)))


# Headers of tokens that carry a right signature by our key, made with HS256.
BENT_HEADERS = {
    "none": {"alg": "none"},
    "None": {"alg": "None"},
    "no algorithm": {"typ": "JWT"},
    "null": {"alg": None},
    "a list": {"alg": ["HS256"]},
    "small letters": {"alg": "hs256"},
    "HS512": {"alg": "HS512"},
    "RS256": {"alg": "RS256"},
    "ES256": {"alg": "ES256"},
    "EdDSA": {"alg": "EdDSA"},
    "critical": {"alg": "HS256", "crit": ["exp"], "exp": 1},
    "not encoded": {"alg": "HS256", "b64": False, "crit": ["b64"]},
}


@pytest.mark.parametrize("name", BENT_HEADERS)
def test_an_algorithm_that_is_not_ours(app, owner, project, name):
    token = signed(BENT_HEADERS[name], user_claims(owner))
    assert not opens(app, project, token)
    unsigned = token.rpartition(".")[0]
    for signature in ("", part(b""), "A" * 43):
        assert not opens(app, project, f"{unsigned}.{signature}")


# What some servers take the key from.
POINTERS = {
    "jku": "http://127.0.0.1/keys",
    "x5u": "http://127.0.0.1/keys",
    "kid": "../../../../dev/null",
    "x5c": ["MIIB"],
    "jwk": {"kty": "oct", "k": part(b"k" * 32)},
}


@pytest.mark.parametrize("name", POINTERS)
def test_a_key_that_the_token_brings_along(app, owner, project, name):
    header = {"alg": "HS256", name: POINTERS[name]}
    for key in (b"k" * 32, b"", b"\0" * 32):
        assert not opens(app, project, signed(header, user_claims(owner), key))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_a_key_pair_of_ones_own(app, owner, project, algorithm):
    if algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = rsa.generate_private_key(65537, 2048)
    assert not opens(app, project, jwt.encode(user_claims(owner), private, algorithm))
    # The public half taken for a secret: the classic confusion.
    for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM):
        public = private.public_key().public_bytes(
            encoding, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        assert not opens(app, project, signed({"alg": "HS256"}, user_claims(owner), public))


DOUBLED = '{"kind":"user","sub":"%s","ver":1,"exp":1,"exp":4000000000,"ver":2,"kind":"project"}'


def test_claims_that_are_said_twice(app, owner, project):
    claims = (DOUBLED % owner.id).encode()
    assert not opens(app, project, signed({"alg": "HS256"}, claims))


def test_any_other_letter_makes_another_token(app, owner, project, write_token):
    dice = random.Random(5)
    for token in (owner.token, write_token.token):
        assert opens(app, project, token)
        for at in range(len(token)):
            letter = dice.choice(LETTERS.replace(token[at], "") if token[at] != "." else LETTERS)
            bent = token[:at] + letter + token[at + 1 :]
            assert not opens(app, project, bent), bent


def test_parts_of_good_tokens_do_not_mix(app, stage, owner, stranger, project, write_token):
    tokens = [t.split(".") for t in (owner.token, stranger.token, write_token.token)]
    for one in tokens:
        for other in tokens:
            if one is not other:
                assert not opens(app, project, f"{one[0]}.{one[1]}.{other[2]}")
                assert not opens(app, project, f"{one[0]}.{other[1]}.{one[2]}")


def test_a_token_of_one_kind_is_none_of_the_other(app, owner, project, write_token):
    app.get(project.path, headers=write_token.headers, status=403)
    app.get(project.targets, headers=owner.headers, status=403)
    claims = jwt.decode(write_token.token, KEY, ["HS256"])
    mixed = [
        claims | {"kind": "user"},
        claims | {"kind": "user", "exp": LATER},
        claims | {"exp": LATER},
        user_claims(owner, kind="project", jti=claims["jti"]),
        user_claims(owner, kind=["user", "project"]),
    ]
    for odd in mixed:
        assert not opens(app, project, jwt.encode(odd, KEY, "HS256"))


ENDS = {
    "revoked": lambda app, **of: app.delete(of["write_token"].path, headers=of["owner"].headers),
    "project deleted": lambda app, **of: app.delete(
        of["project"].path, headers=of["owner"].headers
    ),
    "owner deleted": lambda app, **of: app.delete(of["owner"].path),
    "expired": lambda app, **of: app.patch_json(
        of["write_token"].path, {"ttl": 1}, headers=of["owner"].headers
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_app_is_out_at_its_next_request_on_every_process(
    app, make_app, stage, owner, project, write_token, target, end
):
    processes = [app, make_app(), make_app()]
    paths = [project.targets, target.path, target.image]
    for each in processes:
        for path in paths:
            each.get(path, headers=write_token.headers, status=200)
    ENDS[end](processes[0], owner=owner, project=project, write_token=write_token)
    if end == "expired":
        stage.expire(write_token)
    for each in processes:
        for path in paths:
            each.get(path, headers=write_token.headers, status=401)
            etag = {"If-None-Match": "*"} | write_token.headers
            each.get(path, headers=etag, status=401)
        body = {"description": "x"}
        each.patch_json(target.path, body, headers=write_token.headers, status=401)
        each.delete(target.path, headers=write_token.headers, status=401)


@pytest.mark.parametrize("end", ["deleted", "password changed", "same password set"])
def test_a_user_is_out_at_the_next_request_on_every_process(app, make_app, owner, project, end):
    processes = [app, make_app(), make_app()]
    for each in processes:
        each.get(project.path, headers=owner.headers, status=200)
    if end == "deleted":
        app.delete(owner.path)
    else:
        password = PASSWORD if end.startswith("same") else "another password"
        app.patch_json(owner.path, {"password": password})
    for each in processes:
        for path in (project.path, project.tokens, "/api/project", "/api/user"):
            each.get(path, headers=owner.headers, status=401)
        each.post_json(project.tokens, {}, headers=owner.headers, status=401)


def test_what_comes_back_brings_back_no_revoked_token(app, stage, owner, project, write_token):
    other = stage.app(project)
    app.delete(write_token.path, headers=owner.headers)
    app.delete(project.path, headers=owner.headers)
    with transaction_scope(stage.engine) as db:
        soft_delete.restore(db, Project, project.id)
    app.get(project.targets, headers=other.headers, status=200)
    app.get(project.targets, headers=write_token.headers, status=401)


def test_a_deleted_users_token_is_not_the_next_users(app, owner):
    app.delete(owner.path)
    again = app.post_json("/api/user", {"login": "olga", "password": PASSWORD}).json
    assert again["id"] != owner.id
    app.get("/api/project", headers=owner.headers, status=401)


def test_a_token_made_longer_by_hand(app, stage, owner, project, write_token):
    """The row decides: what the string says about time is not asked."""
    claims = jwt.decode(write_token.token, KEY, ["HS256"])
    stage.expire(write_token)
    for odd in ({"exp": LATER}, {"iat": LATER - 1}, {"ttl": LATER}):
        bent = jwt.encode(claims | odd, KEY, "HS256")
        app.get(project.targets, headers=Actor(bent).headers, status=401)


def test_another_installation_has_other_tokens(app, owner, project, write_token, stage):
    """Ids are the same everywhere; a token's random part is not."""
    with stage.engine.begin() as connection:
        connection.execute(update(token_table).values(jti="0" * 32))
    app.get(project.targets, headers=write_token.headers, status=401)
