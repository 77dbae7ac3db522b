"""Bodies that are made to cost a lot: each is refused, and cheaply."""

import orjson
import pytest

from .cost import cheap

# Marks that Unicode wants sorted; they come in the worst order.
MARKS = "\u0300\u0316"


def send(app, path, body, status, who=None):
    """Post bytes, or what is JSON for them, in as few bytes as can be."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = who.headers if who else {}
    with cheap():
        return app.post(path, raw, headers, content_type="application/json", status=status)


@pytest.mark.parametrize("login", ["a" + MARKS * 200_000, "ﷺ" * 300_000, "\U0001d15e" * 200_000])
def test_a_login_that_is_long_to_fold_is_nobodys(app, login):
    send(app, "/api/login", {"login": login, "password": "wrong"}, 401)
    send(app, "/api/user", {"login": login, "password": "eight ch"}, 400)
