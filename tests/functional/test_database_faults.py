"""Each statement of each write fails in each way: a write is done whole, once, or not at all."""

import base64
from dataclasses import dataclass

import pytest

from ..actors import PASSWORD
from ..conftest import remove_rows
from ..database_proxy import fault
from ..invariants import broken, difference, snapshot
from ..pictures import CHINA, FLOWER
from ..proxied import proxied

# What is expected of a request that could not be answered.
AWAY = 503

IMAGE = {"image": base64.b64encode(CHINA).decode()}


@dataclass(frozen=True)
class Write:
    """A request that changes something: who sends what; what the audit trail says of it."""

    who: str | None
    method: str
    path: str
    body: dict | None
    status: int
    entry: str


WRITES = {
    "create a user": Write(
        None,
        "POST",
        "/api/user",
        {"login": "nora", "password": PASSWORD},
        201,
        "new create user",
    ),
    "change a user": Write(
        None,
        "PATCH",
        "{owner.path}",
        {"login": "odile", "password": "another one"},
        200,
        "new change user",
    ),
    "delete a user": Write(None, "DELETE", "{owner.path}", None, 204, "new delete user"),
    "create a project": Write(
        "owner", "POST", "/api/project", {"name": "Park"}, 201, "new create project"
    ),
    "rename a project": Write(
        "owner", "PATCH", "{project.path}", {"name": "Park"}, 200, "new change project"
    ),
    "delete a project": Write("owner", "DELETE", "{project.path}", None, 204, "new delete project"),
    "create a token": Write("owner", "POST", "{project.tokens}", {}, 201, "new create token"),
    "extend a token": Write(
        "owner", "PATCH", "{write_token.path}", {"ttl": 9_000}, 200, "new change token"
    ),
    "revoke a token": Write("owner", "DELETE", "{write_token.path}", None, 204, "new revoke token"),
    "create a target": Write(
        "write_token", "POST", "{project.targets}", IMAGE, 201, "new create target"
    ),
    "describe a target": Write(
        "write_token",
        "PATCH",
        "{target.path}",
        {"description": "the gate"},
        200,
        "new change target",
    ),
    "replace a target": Write(
        "write_token", "PUT", "{target.path}", IMAGE, 200, "new change target"
    ),
    "delete a target": Write(
        "write_token", "DELETE", "{target.path}", None, 204, "new delete target"
    ),
}
# How a statement fails; whether each attempt's does, and whether another attempt must succeed.
WAYS = {
    "a deadlock": (fault.DEADLOCK, 1, True),
    "a conflict of nodes": (fault.CONFLICT, 1, True),
    "a node that is not ready": (fault.NOT_READY, 1, True),
    "a node that is read-only": (fault.READ_ONLY, 1, True),
    "a lock that is not got": (fault.LOCK_WAIT, 1, True),
    "an interruption": (fault.INTERRUPTED, 1, False),
    "a connection that is killed": (fault.KILLED, 1, False),
    "a cut before": (fault.CUT_BEFORE, 1, True),
    "a cut behind": (fault.CUT_AFTER, 1, True),
}
# Those that do not end: the request is given up after seconds of retries; one write is enough.
ENDLESS = {
    "deadlocks": (fault.DEADLOCK, None, False),
    "cuts before": (fault.CUT_BEFORE, None, False),
    "cuts behind": (fault.CUT_AFTER, None, False),
}
# What the database reports at COMMIT has rolled the transaction back.
CONFLICTS = (fault.DEADLOCK, fault.CONFLICT)


@pytest.fixture(scope="module")
def running(database_url, tmp_path_factory):
    with proxied(database_url, tmp_path_factory.mktemp("server")) as made:
        yield made


class Scene:
    """An owner with two projects, a token and a target, anew for each attempt."""

    def __init__(self, running, stage, sweeper):
        self.running, self.stage, self.sweeper = running, stage, sweeper

    def set(self):
        remove_rows(self.sweeper)
        owner = self.stage.user("olga")
        project = self.stage.project(owner, "Zoo")
        self.stage.project(owner, "Museum")
        self.actors = {
            "owner": owner,
            "project": project,
            "write_token": self.stage.app(project),
            "target": self.stage.target(project, FLOWER),
        }
        # The server's connections may have been cut before.
        reply = self.running.ask("GET", project.path, who=owner)
        assert reply.status == 200, reply
        return snapshot(self.sweeper)

    def play(self, write):
        """The request; its answer."""
        who = write.who and self.actors[write.who]
        return self.running.ask(write.method, write.path.format(**self.actors), write.body, who)

    def done(self, before):
        return difference(before, snapshot(self.sweeper))


@pytest.fixture
def scene(running, stage, sweeper, rows_removed):
    return Scene(running, stage, sweeper)


@pytest.fixture(scope="module")
def rehearsed():
    """What each write has been seen to do."""
    return {}


def rehearse(scene, name, rehearsed):
    """The statements of a write that succeeds, and what it changes."""
    if name not in rehearsed:
        write = WRITES[name]
        # Once unseen: what is prepared, or asked once by a new connection, has been.
        scene.set()
        scene.play(write)
        before = scene.set()
        with scene.running.proxy.counting() as count:
            reply = scene.play(write)
        assert reply.status == write.status, (reply, str(count))
        rehearsed[name] = count.of_request, scene.done(before)
    return rehearsed[name]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WRITES)
def test_a_statement_that_fails(scene, rehearsed, name, way):
    each_fails(scene, rehearsed, name, WAYS[way])


@pytest.mark.parametrize("way", ENDLESS)
def test_a_statement_that_always_fails(scene, rehearsed, way):
    each_fails(scene, rehearsed, "rename a project", ENDLESS[way])


def each_fails(scene, rehearsed, name, way):
    """One after the other, each of a write's statements fails."""
    write = WRITES[name]
    statements, whole = rehearse(scene, name, rehearsed)
    assert [what for table, what, _ in whole if table == "audit"] == [write.entry]
    wrong = []
    for number, statement in enumerate(statements, 1):
        wrong += [
            f"{number}: {statement}\n    {why}"
            for why in attempt(scene, write, number, statement, way, whole)
        ]
    listed = "\n  ".join(map(str, statements))
    assert not wrong, "\n  ".join(["", *wrong, "Of these statements:", listed])


def attempt(scene, write, number, statement, way, whole):
    """What is wrong when that statement fails."""
    kind, times, comes_back = way
    when = fault.nth(number) if times else fault.like(statement)
    before = scene.set()
    with scene.running.proxy.failing(when, kind, times) as struck:
        reply = scene.play(write)
    done = scene.done(before)
    if not struck.statements:
        # Another way of doing the same; but never silently.
        yield "this statement did not come again"
    if reply.status not in (write.status, AWAY):
        yield f"the answer is {reply.status} {reply.body[:200]!r}"
    if reply.status == AWAY and not reply.headers["Retry-After"]:
        yield "503 without Retry-After"
    # Nobody knows what became of a commit whose answer is lost.
    in_doubt = statement.verb == "COMMIT" and kind == fault.CUT_AFTER
    if reply.status < 300 and done != whole:
        yield f"answered {reply.status}, but what was done is {done}"
    if reply.status >= 300 and not (done == [] or (in_doubt and done == whole)):
        yield f"answered {reply.status}, but what was done is {done}"
    undone = kind in CONFLICTS or statement.verb not in ("COMMIT", "ROLLBACK")
    if comes_back and undone and reply.status == AWAY:
        yield f"answered {reply.status}, where it must be tried again"
    yield from broken(scene.sweeper)


@pytest.mark.parametrize("verb", ["SELECT", "COMMIT"])
def test_an_answer_of_the_database_that_comes_too_late(scene, rehearsed, verb):
    """Longer than anybody waits: 503 in time, and nothing half."""
    name = "rename a project"
    write = WRITES[name]
    _, whole = rehearse(scene, name, rehearsed)
    before = scene.set()
    with scene.running.proxy.failing(fault.verb(verb), fault.Delay(12), times=None):
        reply = scene.play(write)
    assert reply.status == AWAY
    done = scene.done(before)
    assert done in ([], whole) if verb == "COMMIT" else done == []
    assert broken(scene.sweeper) == []
