"""What headers about the client can do: nothing, but for the last ones of the trusted proxy."""

import pytest

from ar_targets.http.trusted_proxy import address_in

from ..tables import audit

TRUSTED, ELSEWHERE = "192.0.2.1", "192.0.2.2"
# None is about us: proxies of others send them.
OTHERS = {
    "X-Forwarded-Port": "99",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "X-Real-IP": "203.0.113.7",
    "True-Client-IP": "203.0.113.7",
    "X-Original-URL": "/evil",
    "X-Rewrite-URL": "/evil",
    "X-Script-Name": "/evil",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=https",
}
FORGED = OTHERS | {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
}
NORA = {"login": "nora", "password": "eight ch"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.4", "198.51.100.4"),
        ("198.51.100.4:4711", "198.51.100.4"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%" + "x" * 3000, "fe80::1"),
        ("unknown", None),
        ("_hidden", None),
        ("localhost:80", None),
        ("198.51.100.4.5:80", None),
        ("[]", None),
        ("[198.51.100.4", None),
        ("198.51.100.4:x", None),
        ("x" * 3000, None),
        ("", None),
    ],
)
def test_an_address(text, address):
    assert address_in(text) == address


@pytest.mark.parametrize(
    ("sent", "place", "address"),
    [
        ({"X-Forwarded-For": "203.0.113.7, 198.51.100.4"}, "http://ar.example", "198.51.100.4"),
        ({"X-Forwarded-For": "198.51.100.4:4711"}, "http://ar.example", "198.51.100.4"),
        ({"X-Forwarded-For": "[2001:db8::1]:4711"}, "http://ar.example", "2001:db8::1"),
        ({"X-Forwarded-For": "203.0.113.7, unknown"}, "http://ar.example", TRUSTED),
        ({"X-Forwarded-For": ","}, "http://ar.example", TRUSTED),
        ({"X-Forwarded-For": "\xe9"}, "http://ar.example", TRUSTED),
        ({"X-Forwarded-Proto": "http, https"}, "https://ar.example", TRUSTED),
        ({"X-Forwarded-Proto": "javascript"}, "http://ar.example", TRUSTED),
        (
            {"X-Forwarded-Host": "evil.example, ar2.example:8443"},
            "http://ar2.example:8443",
            TRUSTED,
        ),
        (OTHERS, "http://ar.example", TRUSTED),
    ],
)
def test_of_the_trusted_proxy_the_last_value_counts(make_app, stage, sent, place, address):
    app = make_app(trusted_proxy=TRUSTED)
    environ = {"REMOTE_ADDR": TRUSTED, "HTTP_HOST": "ar.example"}
    made = app.post_json("/api/user", NORA, headers=sent, extra_environ=environ, status=201)
    assert made.headers["Location"].startswith(f"{place}/api/user/")
    assert [row["address"] for row in stage.rows(audit)] == [address]


@pytest.mark.parametrize("trusted", [TRUSTED, ""])
def test_of_others_nothing_counts(make_app, stage, trusted):
    app = make_app(trusted_proxy=trusted, login_failures="1 per 1 minute")
    environ = {"REMOTE_ADDR": ELSEWHERE, "HTTP_HOST": "ar.example"}
    made = app.post_json("/api/user", NORA, headers=FORGED, extra_environ=environ, status=201)
    assert made.headers["Location"].startswith("http://ar.example/api/user/")
    assert [row["address"] for row in stage.rows(audit)] == [ELSEWHERE]
    wrong = {"login": "nora", "password": "wrong"}
    for last, status in [(1, 401), (2, 429)]:
        headers = FORGED | {"X-Forwarded-For": f"203.0.113.{last}"}
        app.post_json("/api/login", wrong, headers=headers, extra_environ=environ, status=status)


def test_a_port_is_not_another_client(make_app):
    app = make_app(trusted_proxy="*", login_failures="1 per 1 minute")
    wrong = {"login": "nora", "password": "wrong"}
    for port, status in [(4711, 401), (4712, 429)]:
        said = {"X-Forwarded-For": f"[2001:db8::1]:{port}"}
        app.post_json("/api/login", wrong, headers=said, status=status)
