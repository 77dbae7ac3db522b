"""Good requests to every endpoint, page and form, each of them bent: none is answered 5xx.

`make soak` bends 200,000 of them (``--hostile``); the suite has time for a few. Only what a
bent request asks of others may be answered 503, and nothing here does.
"""

import copy
import json
import random
import time
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Engine
from webob import Request

from .. import nouns
from ..actors import Stage
from ..admin.test_fuzz import LEFT_OUT, Crawl
from ..client import JPEG, Client
from ..conftest import remove_rows
from ..description import default_document
from ..panel import Panel
from ..pictures import drawn
from .hostile_request import FORM, JSON, HostileRequest, Mutator

# What is made of one set of rows, until too many of them have been changed or deleted.
ROUND = 1000
SHOWN = 20
MULTIPART = "multipart/form-data; boundary=x"
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n" + drawn() + b"\r\n"
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nposter\r\n--x--\r\n'
)


class Scene:
    """Rows, those who may do something with them, and good requests of theirs."""

    def __init__(self, app: Client, login: str) -> None:
        stage = Stage(app.registry)
        administrator, owner = stage.user("ada", is_admin=True), stage.user("olga")
        stage.user("stefan")
        project = stage.project(owner, "Zoo")
        viewer, editor = (
            stage.member(project, name, role)
            for name, role in (("victor", "viewer"), ("edith", "editor"))
        )
        token, target = stage.app(project), stage.target(project, name="gate")
        self._callers = [administrator, owner, viewer, editor, token, stage.app(project, "read")]
        ids = {"user_id": owner.id, "project_id": project.id, "token_id": token.id}
        ids |= {"target_id": target.id, "asset": "docs.js"}
        self._of_api = [
            *self._good_of_api(ids, viewer.id),
            HostileRequest("POST", project.targets, "", {"Content-Type": MULTIPART}, PARTS),
        ]
        self._panel = Panel(app.app)
        self._panel.log_in(login)
        self._of_panel = self._good_of_panel()

    def _good_of_api(self, ids: dict[str, Any], member_id: int) -> list[HostileRequest]:
        made = []
        for path, operations in default_document()["paths"].items():
            whose = ids | ({"user_id": member_id} if "/member/" in path else {})
            for method in operations.keys() & {"get", "put", "post", "patch", "delete"}:
                request = HostileRequest(method.upper(), path.format(**whose))
                body = nouns.good_body(method.upper(), path)
                if body is not None:
                    raw = isinstance(body, bytes)
                    request.headers["Content-Type"] = JPEG if raw else JSON
                    request.body = body if raw else json.dumps(body).encode()
                made.append(request)
        return sorted(made, key=str)

    def _good_of_panel(self) -> list[HostileRequest]:
        crawl, token = Crawl(self._panel), self._panel.csrf()
        crawl.run()
        cookies = "; ".join(f"{name}={value}" for name, value in self._panel.cookies.items())
        made = []
        for url in crawl.pages.values():
            path, _, query = url.partition("?")
            made.append(HostileRequest("GET", path, query, {"Cookie": cookies}))
        for action, fields in crawl.forms.values():
            if not action.startswith(LEFT_OUT):
                path, _, query = action.partition("?")
                headers = {"Cookie": cookies, "Content-Type": FORM}
                body = encoded([*fields, ("csrf_token", token)])
                made.append(HostileRequest("POST", path, query, headers, body))
        return made

    def request(self, chance: random.Random) -> HostileRequest:
        """One of them, as somebody who is named by a token where it is not the panel's."""
        chosen = copy.deepcopy(chance.choice(chance.choice((self._of_api, self._of_panel))))
        if "Cookie" not in chosen.headers and chance.random() < 0.9:
            chosen.headers |= chance.choice(self._callers).headers
        return chosen


def encoded(fields: list[tuple[str, str]]) -> bytes:
    """A form's body."""
    return Request.blank("/", POST=fields).body


def status_of(app: Any, request: HostileRequest) -> str:
    """What it is answered, or the exception that reaches the server instead."""
    try:
        answer = Request(request.environ()).send(app)
        assert answer.body is not None
    except Exception as raised:  # noqa: BLE001  # each of them would be a 500
        return repr(raised)
    return str(answer.status_int)


def pelt(app: Client, sweeper: Engine, number: int, seed: int) -> None:
    chance, statuses, failed = random.Random(seed), Counter[str](), []
    mutator, began = Mutator(chance), time.monotonic()
    while statuses.total() < number and len(failed) < SHOWN:
        remove_rows(sweeper)
        scene = Scene(app, chance.choice(("ada", "olga")))
        for _ in range(min(ROUND, number - statuses.total())):
            request = mutator.mutate(scene.request(chance))
            status = status_of(app.app, request)
            statuses[status] += 1
            if not "200" <= status[:3] <= "499" or len(status) != 3:
                failed.append(f"{status} {request}")
    seconds = time.monotonic() - began
    print(f"\nseed {seed}: {statuses.total()} requests in {seconds:.0f} s")
    print(f"answers: {dict(sorted(statuses.items()))}")
    assert failed == [], "\n".join(failed)
    # They are not so odd that nothing of them is understood.
    assert statuses["200"] > number / 20


def test_none_is_answered_500(app: Client, sweeper: Engine, seed: int) -> None:
    pelt(app, sweeper, ROUND, seed)


@pytest.mark.soak
def test_many_are_answered_without_500(
    app: Client, sweeper: Engine, seed: int, request: pytest.FixtureRequest
) -> None:
    pelt(app, sweeper, request.config.getoption("--hostile"), seed)
