"""What the log holds after a whole session, at its most talkative: no secret."""

import json
import re

import pytest
from sqlalchemy import make_url

from ..conftest import KEY
from ..functional.test_server import JSON, running
from ..pictures import CHINA, base64_of

PASSWORD, WRONG = "a password that nobody logs", "a wrong password that nobody logs"
HASH = re.compile(r"\$argon2")
# Three parts of base64url, as in a JWT; a hidden one has stars.
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@pytest.fixture
def session(database_url, tmp_path, rows_removed, capfd):
    """All that a server wrote while it was used well and badly; and the tokens it gave."""
    with running(database_url, tmp_path, level="DEBUG") as server:
        tokens = use(server)
    written = capfd.readouterr()
    return written.out + written.err, tokens


def use(server):
    """Do everything once, and some of it wrong; the tokens that were given."""

    def ask(method, path, body=None, **headers):
        raw = json.dumps(body) if body is not None else None
        status, _, answer = server.ask(method, path, raw, **(JSON if raw else {}), **headers)
        return status, json.loads(answer) if answer[:1] == b"{" else None

    account = {"login": "olga", "password": PASSWORD}
    _, made = ask("POST", "/api/user", account)
    ask("POST", "/api/user", account)
    ask("POST", "/api/user", account | {"password": WRONG * 9})
    ask("POST", "/api/login", account | {"password": WRONG})
    ask("POST", "/api/login", {"password": PASSWORD, "login": 7})
    user = ask("POST", "/api/login", account)[1]["token"]
    owner = {"Authorization": f"Bearer {user}"}
    ask("POST", "/api/project", {"name": "Zoo"}, **owner)
    project = ask("GET", "/api/project", **owner)[1]["items"][0]["id"]
    path = f"/api/project/{project}"
    app = ask("POST", f"{path}/jwt", {}, **owner)[1]["token"]
    holder = {"Authorization": f"Bearer {app}"}
    assert ask("POST", f"{path}/imagetarget", {"image": base64_of(CHINA)}, **holder)[0] == 413
    assert ask("POST", f"{path}/imagetarget", {"image": base64_of(CHINA[:900])}, **holder)[0] == 400
    for header in (f"Basic {user}", f"Bearer {user}x", user, f"Bearer {app[:-9]}", f"Bearer {app}"):
        ask("GET", "/api/project", Authorization=header)
        ask("GET", f"/api/project?token={WRONG.replace(' ', '+')}", Authorization=header)
    server.say(f"GET / HTTP/1.1\r\nAuthorization: Bearer {user}\r\n bad\r\n\r\n".encode())
    server.say(b'{"login":"olga","password":"%s"}\r\n\r\n' % PASSWORD.encode())
    ask("PATCH", f"/api/user/{made['id']}", {"password": PASSWORD + "!"}, **owner)
    ask("DELETE", f"/api/user/{made['id']}")
    return user, app


def test_nothing_secret_is_logged(session, database_url):
    log, tokens = session
    # It has been talkative indeed.
    assert "SELECT" in log
    assert "DEBUG" in log
    assert "a login failed" in log
    assert "user_access is 'open'" in log
    for secret in (PASSWORD, PASSWORD.replace(" ", "+"), WRONG, WRONG.replace(" ", "+"), KEY):
        assert secret not in log
    for token in tokens:
        for part in token.split(".")[1:]:
            assert part[:20] not in log
    assert not JWT.search(log)
    assert not HASH.search(log)
    if database_password := make_url(database_url).password:
        assert database_password not in log
    assert base64_of(CHINA)[100:160] not in log
    assert repr(CHINA[100:130])[2:-1] not in log
    assert CHINA[100:130].hex() not in log.lower()
