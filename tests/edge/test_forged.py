"""What a client says about itself, through nginx: nobody believes it."""

import http.client
import json
import re
import time

from ..functional.test_server import PROXY, running
from ..functional.test_trusted_proxy import FORGED
from ..tables import audit
from .nginx import nginx

CLIENT = "127.0.0.2"
JSON = {"Content-Type": "application/json"}


def test_forged_headers_change_nothing(database_url, tmp_path, stage, project, target, write_token):
    """Addresses in both logs, the audit trail and the rate limit; hosts in URLs."""
    log, limit = tmp_path / "server.log", {"AR_TARGETS_USER_CHANGE_RATE": "1000 per 1 minute"}
    (tmp_path / "nginx").mkdir()
    with (
        log.open("wb") as file,
        running(database_url, tmp_path, environ=PROXY | limit, log=file) as server,
        nginx(tmp_path / "nginx", server.port) as edge,
    ):
        here = f"http://127.0.0.1:{edge.port}"

        def ask(method, path, body=None, **headers):
            # Each of the forged headers twice, as list and as lines.
            connection = http.client.HTTPConnection("127.0.0.1", edge.port, 20, (CLIENT, 0))
            connection.putrequest(method, path)
            body = b"" if body is None else json.dumps(body).encode()
            said = JSON | headers | {"Content-Length": len(body)}
            lines = [*said.items(), *FORGED.items(), *FORGED.items()]
            for name, text in [*lines, ("X-Forwarded-For", "203.0.113.8, 203.0.113.9:80")]:
                connection.putheader(name, text)
            connection.endheaders(body)
            answer = connection.getresponse()
            status, place, text = answer.status, answer.headers["Location"], answer.read()
            connection.close()
            return status, place, text

        made = ask("POST", "/api/user", {"login": "nora", "password": "eight ch"})
        assert re.fullmatch(rf"{here}/api/user/\d+", made[1])
        stage.target(project)
        status, _, listed = ask("GET", f"{project.targets}?limit=1", **write_token.headers)
        assert (status, json.loads(listed)["next"].startswith(f"{here}/api/")) == (200, True)
        status, _, one = ask("GET", target.path, **write_token.headers)
        assert json.loads(one)["image_url"] == f"{here}{target.image}"
        assert ask("GET", "/admin/user/")[1] == f"{here}/admin/login/?next=/admin/user/"
        wrong = {"login": "nora", "password": "wrong pw"}
        assert [ask("POST", "/api/login", wrong)[0] for _ in range(3)] == [401, 401, 429]
        # nginx writes a line when the answer has been sent.
        deadline = time.monotonic() + 10
        while edge.log().count("\n") < 7 and time.monotonic() < deadline:
            time.sleep(0.05)
        # The server's own health check has been nobody's request.
        noted = [json.loads(line)["address"] for line in edge.log().splitlines()]
        assert noted == [CLIENT] * 7
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    requests = [line for line in lines if line.get("route", "/health/live") != "/health/live"]
    assert [line["address"] for line in requests] == [CLIENT] * 7
    assert "203.0.113" not in log.read_text()
    assert "evil" not in log.read_text()
    assert {row["address"] for row in stage.rows(audit) if row["via"] == "api"} == {CLIENT}
