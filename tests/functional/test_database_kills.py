"""Statements and sessions that an administrator of the database ends, at any moment."""

import base64
import contextlib
import itertools
import random
import threading
import time
from collections import Counter

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ..invariants import broken
from ..pictures import CHINA, drawn
from ..proxied import Caller
from .test_server import running

THREADS = 8
SECONDS = 10
SMALL, LARGE = (base64.b64encode(picture).decode() for picture in (drawn(), CHINA))
DONE = (200, 201, 204)
# A request whose commit was in doubt may have left a name, or taken something away, before
# its client asks for the next thing.
REFUSED = (401, 404, 409)


class Writer:
    """Makes, changes and deletes, at random; notes how each request was answered, by its id."""

    def __init__(self, number, port, owner):
        self.caller, self.owner = Caller(port), owner
        self.chance, self.number = random.Random(number), number
        self.answers = {}
        self.numbers = itertools.count()

    def ask(self, method, path, body=None, who=None):
        request_id = f"w{self.number}-{next(self.numbers)}"
        asked = (method, path, body, who or self.owner)
        reply = self.caller.ask(*asked, x_request_id=request_id)
        self.answers[request_id] = reply.status
        return reply

    def work(self, until):
        while time.monotonic() < until:
            self.play(f"p{self.number}-{next(self.numbers)}")
        self.caller.close()

    def play(self, name):
        """The life of a project, as far as it gets."""
        made = self.ask("POST", "/api/project", {"name": name})
        if made.status != 201:
            return
        path = f"/api/project/{made.json['id']}"
        self.ask("PATCH", path, {"name": f"{name}, renamed"})
        token = self.ask("POST", f"{path}/jwt", {})
        if token.status == 201:
            app = Bearer(token.json["token"])
            for image in (SMALL, LARGE):
                target = self.ask("POST", f"{path}/imagetarget", {"image": image}, app)
                if target.status == 201:
                    place = f"{path}/imagetarget/{target.json['id']}"
                    self.ask("PATCH", place, {"description": name}, app)
                    self.ask("PUT", place, {"image": SMALL}, app)
                    if self.chance.random() < 0.5:
                        self.ask("DELETE", place, None, app)
            self.ask("DELETE", f"{path}/jwt/{token.json['id']}")
        if self.chance.random() < 0.5:
            self.ask("DELETE", path)


class Bearer:
    """Whoever has a token."""

    def __init__(self, token):
        self.headers = {"Authorization": f"Bearer {token}"}


def sessions(connection):
    """The numbers of all sessions in this database."""
    listed = "SELECT id FROM information_schema.processlist WHERE db = DATABASE()"
    return set(connection.scalars(text(listed)))


def kill_now_and_then(connection, spared, until):
    """Interrupt statements, and end sessions, but for those of other tests; how many."""
    chance, killed = random.Random(1), Counter()
    while time.monotonic() < until:
        # One may have gone by itself; and MySQL does not list sessions while PyMySQL sends an
        # image, since it cannot show that statement (3854).
        with contextlib.suppress(DBAPIError):
            if others := sorted(sessions(connection) - spared):
                kind = chance.choice(["QUERY", "QUERY", "CONNECTION"])
                connection.exec_driver_sql(f"KILL {kind} {chance.choice(others)}")
                killed[kind] += 1
        time.sleep(chance.uniform(0, 0.03))
    return killed


def test_kills(database_url, tmp_path, sweeper, stage, rows_removed):
    owners = [stage.user(f"o{number}") for number in range(THREADS)]
    with (
        sweeper.connect() as plain,
        plain.execution_options(isolation_level="AUTOCOMMIT") as connection,
        contextlib.ExitStack() as stack,
    ):
        # Those of the tests themselves, its own among them.
        spared = sessions(connection)
        environ = {
            "AR_TARGETS_IMAGE_MAX_BYTES": str(10 * 2**20),
            # A worker that reads freed memory dies of it at once; see `test_lost_connection`.
            "PYTHONMALLOC": "debug",
        }
        server = stack.enter_context(running(database_url, tmp_path, workers=2, environ=environ))
        writers = [Writer(number, server.port, owner) for number, owner in enumerate(owners)]
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=writer.work, args=(until,)) for writer in writers]
        for thread in threads:
            thread.start()
        killed = kill_now_and_then(connection, spared, until)
        for thread in threads:
            thread.join()
        # Who has not been ended may still be rolled back.
        time.sleep(0.5)
    answers = {key: status for writer in writers for key, status in writer.answers.items()}
    statuses = Counter(answers.values())
    print(f"killed {dict(killed)}, answered {dict(statuses)}")
    assert min(killed["QUERY"], killed["CONNECTION"]) > 20
    assert statuses.keys() <= {*DONE, *REFUSED, 503}
    assert sum(statuses[status] for status in DONE) > 100
    assert wrong_entries(sweeper, answers) == []
    assert broken(sweeper) == []


def wrong_entries(engine, answers):
    """Requests that have left more or fewer entries in the audit trail than they were told."""
    counted = text("SELECT request_id, COUNT(*) FROM audit GROUP BY request_id")
    with engine.connect() as connection:
        entries = dict(tuple(row) for row in connection.execute(counted))
    wrong = []
    for request_id, status in answers.items():
        # A 503 may stand for a commit whose answer was lost.
        right = {503: (0, 1)}.get(status, (1,) if status in DONE else (0,))
        if entries.get(request_id, 0) not in right:
            wrong.append((request_id, status, entries.get(request_id, 0)))
    return wrong
