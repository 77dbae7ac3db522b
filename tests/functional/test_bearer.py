"""The ``Authorization`` header: which tokens are credentials, and which are none."""

import jwt
import pytest

from ..conftest import KEY

LATER, LONG_AGO = 4_000_000_000, 1_000_000_000
OLD_KEY = "an-older-key-that-is-still-good-for-what-it-signed"
FOREIGN_KEY = "a-key-of-somebody-else-that-is-long-enough-for-hs512-which-wants-64-bytes"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_in_any_case_of_letters(app, owner, project, write_token, scheme):
    app.get(project.path, headers={"Authorization": f"{scheme} {owner.token}"})
    app.get(project.targets, headers={"Authorization": f"{scheme} {write_token.token}"})


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer ..",
        "Basic b2xnYTpwYXNzd29yZA==",
        "{token}",
        "Token {token}",
        "JWT {token}",
        "Bearer {token} {token}",
        "Bearer {token}x",
        "Bearer x{token}",
        "Bearer, {token}",
        'Bearer "{token}"',
        "Bearer \xe9{token}",
    ],
)
def test_other_headers_are_no_credentials(app, owner, project, header):
    sent = {"Authorization": header.replace("{token}", owner.token)}
    for path in (project.path, "/api/project", "/api/user", owner.path):
        refused = app.get(path, headers=sent, status=401)
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_elsewhere_is_no_credential(app, owner, project):
    app.get(f"{project.path}?token={owner.token}&access_token={owner.token}", status=401)
    app.get(project.path, headers={"Cookie": f"token={owner.token}"}, status=401)


def user_claims(owner, **claims):
    good = {"kind": "user", "sub": str(owner.id), "ver": 1, "iat": LONG_AGO, "exp": LATER}
    return {name: value for name, value in (good | claims).items() if value is not None}


def ask(app, project, token, status):
    app.get(project.path, headers={"Authorization": f"Bearer {token}"}, status=status)


def test_what_the_odd_ones_below_are_measured_against(app, owner, project):
    ask(app, project, jwt.encode(user_claims(owner), KEY, "HS256"), 200)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": LONG_AGO},
        {"exp": str(LATER)},
        {"exp": LATER + 0.5},
        {"exp": True},
        {"sub": None},
        {"sub": ""},
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "1e3"},
        {"sub": "9" * 30},
        {"sub": "999999999"},
        {"ver": None},
        {"ver": 2},
        {"ver": "1"},
        {"ver": True},
        {"ver": 10**30},
        {"kind": None},
        {"kind": "project"},
        {"kind": "admin"},
        {"kind": ["user"]},
        {"nbf": LATER},
        {"iat": LATER},
    ],
)
def test_missing_and_odd_claims_of_a_user_token(app, owner, project, claims):
    ask(app, project, jwt.encode(user_claims(owner, **claims), KEY, "HS256"), 401)


def test_a_subject_that_is_no_string(app, owner, project):
    payload = jwt.api_jws.encode(
        f'{{"kind":"user","sub":{owner.id},"ver":1,"exp":{LATER}}}'.encode(), KEY, "HS256"
    )
    ask(app, project, payload, 401)


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"null", b"7", b"{", b"", b"\xff"])
def test_a_payload_that_is_no_object(app, owner, project, payload):
    ask(app, project, jwt.api_jws.encode(payload, KEY, "HS256"), 401)


@pytest.mark.parametrize(
    ("key", "algorithm"), [(FOREIGN_KEY, "HS256"), (FOREIGN_KEY, "HS512"), ("", "none")]
)
def test_other_keys_and_algorithms(app, owner, project, key, algorithm):
    ask(app, project, jwt.encode(user_claims(owner), key, algorithm), 401)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_our_key_with_another_algorithm(app, owner, project, algorithm):
    ask(app, project, jwt.encode(user_claims(owner), KEY, algorithm), 401)


def test_a_signature_of_another_token(app, owner, stranger, project):
    body, foreign = owner.token.rsplit(".", 1)[0], stranger.token.rsplit(".", 1)[1]
    ask(app, project, f"{body}.{foreign}", 401)
    ask(app, project, f"{body}.", 401)
    ask(app, project, body, 401)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": LATER},
        {"kind": "user"},
        {"kind": "user", "ver": 1, "exp": LATER},
        {"kind": None},
        {"kind": "write"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "0" * 32},
        {"jti": "é" * 40},
        {"sub": None},
        {"sub": "999999999"},
    ],
)
def test_missing_and_odd_claims_of_a_project_token(app, project, write_token, claims):
    good = jwt.decode(write_token.token, KEY, ["HS256"])
    assert good.keys() == {"kind", "sub", "jti", "iat"}
    odd = {name: value for name, value in (good | claims).items() if value is not None}
    token = jwt.encode(odd, KEY, "HS256")
    app.get(project.targets, headers={"Authorization": f"Bearer {token}"}, status=401)


def test_a_project_token_cannot_be_turned_to_another_project(app, other_project, write_token):
    claims = jwt.decode(write_token.token, KEY, ["HS256"]) | {"sub": str(other_project.id)}
    token = jwt.encode(claims, KEY, "HS256")
    app.get(other_project.targets, headers={"Authorization": f"Bearer {token}"}, status=401)


def test_keys_can_be_rotated(app, make_app, owner, project, write_token):
    newer = make_app(jwt_keys=f"{OLD_KEY} {KEY}")
    newer.get(project.path, headers=owner.headers)
    newer.get(project.targets, headers=write_token.headers)
    login = {"login": "olga", "password": "correct horse battery"}
    fresh = {"Authorization": f"Bearer {newer.post_json('/api/login', login).json['token']}"}
    newer.get(project.path, headers=fresh)
    app.get(project.path, headers=fresh, status=401)
    only_new = make_app(jwt_keys=OLD_KEY)
    only_new.get(project.path, headers=owner.headers, status=401)
    only_new.get(project.targets, headers=write_token.headers, status=401)
