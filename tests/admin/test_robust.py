"""What people and scanners send to the panel that no page of it would: never an answer of 500."""

import base64
import json
from urllib.parse import quote

import pytest
import webtest

from ..actors import PASSWORD

LISTS = ("user", "project", "token", "target", "trash", "audit")
ORDERS = ("", "id", "login", "name", "expires_at", "nonsense")
KEYS = [
    {"at": "2026-99-01T00:00:00Z"},
    {"at": "0001-01-01T00:00:00+23:59"},
    {"at": 5},
    *("x", "2026-99-99", "\0", "ü" * 300, 1, 10**30, True, None, [], {}),
]


@pytest.mark.parametrize("host", ["a..b", ".", "[", "a" * 300, "\xfc", "a:b:c", "a b", "a:", "x/y"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/x", "/api/project", "/"])
def test_a_host_that_is_none(app, host, path):
    # It is refused before it is known whose the path is.
    answer = webtest.TestApp(app.app).get(path, headers={"Host": host}, status=400)
    assert answer.json["errors"][0]["name"] == "Host"


@pytest.mark.parametrize(
    "host",
    ["ar.example.org", "AR.example.org.", "127.0.0.1:6543", "[::1]:80", "a_b", "localhost:1"],
)
def test_hosts_that_are_good(app, host):
    webtest.TestApp(app.app).get("/admin/login/", headers={"Host": host}, status=200)


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("path", LISTS)
def test_places_that_nobody_made(panel, path, key):
    text = base64.urlsafe_b64encode(json.dumps([key, 5]).encode()).decode().rstrip("=")
    for name in ("after", "before"):
        for order in ORDERS:
            answer = panel.get(f"/admin/{path}/?{name}={text}&order={order}", status="*")
            assert answer.status_int in (200, 400)


@pytest.mark.parametrize("text", ["ü" * 300, "😀", "\0", "%", "x" * 3000, "user:1"])
def test_filters_that_find_nothing(panel, text):
    for path in LISTS:
        for name in ("actor", "q", "project", "owner", "noun", "row", "state", "access", "action"):
            answer = panel.get(f"/admin/{path}/?{name}={quote(text)}", status="*")
            assert answer.status_int in (200, 400, 404)


@pytest.mark.parametrize(
    "back", ["/admin/\r\nX: y", "/admin/user/?q=\r\n", "/admin/\n", "/admin/\0"]
)
def test_a_line_break_in_next(visitor, administrator, back):
    fields = {"login": "ada", "password": PASSWORD}
    answer = visitor.send(f"/admin/login/?next={quote(back)}", status=303, **fields)
    assert answer.headers["Location"].endswith("/admin/")
