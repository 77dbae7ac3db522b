"""The clock of a server goes an hour forward, and back: what lives, and what does not come back.

The running server is shifted by libfaketime, so that the libraries' clocks are, too; the database's
stays right.
"""

import http.client
import json
import os
import re
import signal
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ..actors import PASSWORD
from .test_server import JSON, running

LIBRARIES = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
LOGIN = json.dumps({"login": "olga", "password": PASSWORD})
WRONG = json.dumps({"login": "ada", "password": "wrong pw"})
RIGHT = json.dumps({"login": "ada", "password": PASSWORD})


class Browser:
    """Keeps the cookie of the panel."""

    def __init__(self, port):
        self.port, self.cookie = port, ""

    def ask(self, method, path, fields=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        body = None
        if fields is not None:
            body, headers["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if sent := answer.headers["Set-Cookie"]:
            self.cookie = sent.partition(";")[0]
        connection.close()
        return answer.status, text

    def log_in(self, login):
        _, page = self.ask("GET", "/admin/login/")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
        fields = {"login": login, "password": PASSWORD, "csrf_token": token}
        return self.ask("POST", "/admin/login/", fields)[0]

    def is_in(self):
        return self.ask("GET", "/admin/account/")[0] == 200


def test_an_hour_forward_and_back(
    database_url, tmp_path, stage, owner, administrator, project, target
):
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    shift = tmp_path / "shift"
    environ = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(shift),
        "FAKETIME_NO_CACHE": "1",
        # Timeouts do not see the steps, as with a real clock.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    shift.write_text("+0\n")
    short, long = stage.app(project, ttl=600), stage.app(project, ttl=7200)
    revoked = stage.app(project, ttl=7200)
    killed = -signal.SIGKILL
    with (
        running(database_url, tmp_path, environ=environ, ends_with=killed) as server,
        ExitStack() as stack,
    ):
        # libfaketime holds up the end of granian, which no clock does.
        stack.callback(os.kill, server.pid, signal.SIGKILL)

        def log_in(body):
            status, headers, text = server.ask("POST", "/api/login", body, **JSON)
            return status, int(headers.get("Retry-After", 0)), json.loads(text)

        def status(who):
            path = project.targets if who in (short, long, revoked, made) else "/api/project"
            headers = who if isinstance(who, dict) else who.headers
            return server.ask("GET", path, **headers)[0]

        def bearer(answer):
            return {"Authorization": f"Bearer {answer['token']}"}

        made = None
        before = bearer(log_in(LOGIN)[2])
        browser, late = Browser(server.port), Browser(server.port)
        assert browser.log_in("olga") == 303
        assert [log_in(WRONG)[0] for _ in range(3)] == [401, 401, 429]
        server.ask("DELETE", revoked.path, **owner.headers)
        assert [status(who) for who in (short, long, revoked, before)] == [200, 200, 401, 200]

        shift.write_text("+3600\n")
        assert [status(who) for who in (short, long, revoked, before)] == [401, 200, 401, 200]
        assert browser.is_in()
        assert late.log_in("olga") == 303
        # The minute of the limit is over; this is counted an hour ahead.
        assert [log_in(WRONG)[0] for _ in range(3)] == [401, 401, 429]
        during = bearer(log_in(LOGIN)[2])
        answer = server.ask("POST", f"/api/project/{project.id}/jwt", "{}", **JSON, **during)
        made = bearer(json.loads(answer[2]))
        assert status(made) == 200

        shift.write_text("+0\n")
        assert [status(who) for who in (short, long, revoked)] == [200, 200, 401]
        assert [status(who) for who in (made, before, during)] == [200, 200, 200]
        # A cookie from the future is none: whoever has one logs in again.
        assert not late.is_in()
        assert late.log_in("olga") == 303
        assert late.is_in()
        # Nobody waits for the hour.
        assert log_in(RIGHT)[0] == 200
        assert [log_in(WRONG)[0] for _ in range(2)] == [401, 401]
        code, wait, _ = log_in(RIGHT)
        assert code == 429
        assert 0 < wait <= 60
        assert server.ask("DELETE", f"/api/project/{project.id}", **during)[0] == 204
        assert status(long) == 401
