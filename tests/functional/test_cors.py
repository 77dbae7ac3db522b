"""Browser clients: which origins may read what, and what a preflight says."""

import pytest

ORIGIN, OTHER = "https://app.example.org", "http://localhost:8080"
EVIL = "https://evil.example"
PATHS = [
    "/api/login", "/api/user", "/api/user/1", "/api/project", "/api/project/1",
    "/api/project/1/jwt", "/api/project/1/jwt/1", "/api/project/1/imagetarget",
    "/api/project/1/imagetarget/1", "/api/project/1/imagetarget/1/image", "/health/live",
    "/health/ready", "/api/openapi.json", "/api/docs", "/api/docs/docs.js",
]  # fmt: skip


@pytest.fixture
def some(make_app):
    return make_app(cors_origins=f"{ORIGIN}\n  {OTHER}")


def words(header):
    return {word.strip().lower() for word in header.split(",")}


def cors_headers(response):
    return {name for name in response.headers if name.startswith("Access-Control-")}


def preflight(app, path, origin=ORIGIN, method="PATCH"):
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, if-match",
    }
    return app.options(path, headers=asked)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_preflight(some, path, slash):
    answer = preflight(some, path + slash)
    assert 200 <= answer.status_int < 300
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert words(answer.headers["Access-Control-Allow-Methods"]) == words(answer.headers["Allow"])
    assert words(answer.headers["Access-Control-Allow-Headers"]) >= {
        "authorization", "content-type", "if-match", "if-none-match", "range", "x-request-id",
    }  # fmt: skip
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [ORIGIN, OTHER])
def test_an_allowed_origin_may_read(some, owner, origin):
    answer = some.get("/api/project", headers=owner.headers | {"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer.headers["Vary"]
    assert words(answer.headers["Access-Control-Expose-Headers"]) >= {
        "etag", "link", "location", "retry-after", "www-authenticate", "x-request-id",
        "content-range", "accept-ranges",
    }  # fmt: skip


@pytest.mark.parametrize(
    "origin", [EVIL, "null", ORIGIN + ".evil.example", ORIGIN.upper(), ORIGIN + "/", ORIGIN[:-1]]
)
def test_other_origins_may_not(some, owner, origin):
    answers = [
        some.get("/api/project", headers=owner.headers | {"Origin": origin}),
        some.get("/api/project", headers={"Origin": origin}, status=401),
        preflight(some, "/api/project", origin),
    ]
    for answer in answers:
        assert not cors_headers(answer)
        assert "Origin" in answer.headers["Vary"]


def test_without_an_origin(some, owner):
    answer = some.get("/api/project", headers=owner.headers)
    assert not cors_headers(answer)
    assert "Origin" in answer.headers["Vary"]


def test_errors_can_be_read_too(some, owner, stranger, project, write_token):
    def refused(method, path, status, who=None, body=None, **headers):
        answer = some.call(method, path, body, who=who, status=status, origin=ORIGIN, **headers)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "x-request-id" in words(answer.headers["Access-Control-Expose-Headers"])

    refused("POST", "/api/project", 400, owner, {})
    refused("GET", "/api/project", 401)
    refused("GET", project.path, 403, stranger)
    refused("GET", "/api/zoo", 404)
    refused("GET", "/api/%ff", 404)
    refused("GET", "/api/project/1%0a", 404)
    refused("DELETE", "/api/project", 405)
    refused("POST", "/api/project", 409, owner, {"name": "zoo"})
    refused("PATCH", project.path, 412, owner, {"name": "x"}, if_match='"x"')
    refused("POST", "/api/project", 413, owner, {"name": "x" * 2**20})
    refused("OPTIONS", "/api/zoo", 404)


def test_no_origin_is_allowed_by_default(app, owner):
    answers = [
        preflight(app, "/api/project"),
        app.get("/api/project", headers=owner.headers | {"Origin": ORIGIN}),
        app.get("/api/project", headers={"Origin": ORIGIN}, status=401),
    ]
    assert not any(cors_headers(answer) for answer in answers)


def test_all_origins(make_app, owner):
    app = make_app(cors_origins="*")
    for origin in (ORIGIN, EVIL, "null"):
        assert preflight(app, "/api/login", origin).headers["Access-Control-Allow-Origin"] in (
            "*",
            origin,
        )
        answer = app.get("/api/project", headers=owner.headers | {"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", origin)
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_options_without_an_origin(app, path):
    answer = app.options(path)
    assert 200 <= answer.status_int < 300
    assert "OPTIONS" in answer.headers["Allow"]
    assert not cors_headers(answer)
