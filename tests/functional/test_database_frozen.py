"""A database that stands still under load: the server stays alive, and says 503 in time."""

import base64
import contextlib
import http.client
import itertools
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from ..actors import PASSWORD
from ..invariants import broken
from ..pictures import drawn
from ..proxied import Caller
from ..soak.machine import Machine

CLIENTS = 70
# What docs/reliability.md promises for a database that says nothing: `database_timeout`, and 3.
DATABASE_TIMEOUT = 5
LONGEST = DATABASE_TIMEOUT + 3
TOLERANCE = 1
FROZEN_SECONDS = 22
# How often the server is asked whether it lives, and how soon it must say so, while the 70
# clients and the tests beside this one share its processors.
LIVE_EVERY, LIVE_SECONDS = 0.25, 3
RECOVERY_SECONDS = 2
# Between two requests of a client: else these clients alone would keep the machine busy.
PAUSE = 0.1
IMAGE = base64.b64encode(drawn()).decode()
DONE = (200, 201, 204, 304)


@dataclass(frozen=True)
class Seen:
    """A request, its answer (None: none came), and when."""

    what: str
    status: int | None
    sent: float
    heard: float


class Bearer:
    def __init__(self, token):
        self.headers = {"Authorization": f"Bearer {token}"}


class Client:
    """A user with a project, who asks for one thing after the other."""

    def __init__(self, port, number):
        self.port, self.number = port, number
        self.chance, self.counter = random.Random(number), itertools.count()
        self.caller, self.seen = Caller(port), []

    def ask(self, method, path, body=None, who=None, **headers):
        sent = time.monotonic()
        try:
            reply = self.caller.ask(method, path, body, who, **headers)
        except (OSError, http.client.HTTPException):
            reply, self.caller = None, Caller(self.port)
        status = reply and reply.status
        self.seen.append(Seen(f"{method} {path}", status, sent, time.monotonic()))
        return reply

    def settle(self, user):
        """Make what is read and changed afterwards."""
        self.user = user
        made = self.ask("POST", "/api/project", {"name": f"p{self.number}"}, user)
        self.project = f"/api/project/{made.json['id']}"
        self.app = Bearer(self.ask("POST", f"{self.project}/jwt", {}, user).json["token"])
        self.targets = f"{self.project}/imagetarget"
        made = self.ask("POST", self.targets, {"image": IMAGE}, self.app)
        self.target = f"{self.targets}/{made.json['id']}"

    def play(self):
        number = f"{self.number}-{next(self.counter)}"
        acts = [
            ("GET", self.project, None, self.user),
            ("GET", "/api/project", None, self.user),
            ("GET", self.targets, None, self.app),
            ("GET", f"{self.target}/image", None, self.app),
            ("PATCH", self.target, {"description": number}, self.app),
            ("PATCH", self.project, {"name": number}, self.user),
            ("POST", self.targets, {"image": IMAGE}, self.app),
            ("POST", f"{self.project}/jwt", {}, self.user),
        ]
        return self.ask(*self.chance.choice(acts))

    def work(self, enough):
        while not enough.is_set():
            self.play()
            enough.wait(self.chance.uniform(0, 2 * PAUSE))
        self.caller.close()


def watch(port, enough, seen):
    """Ask again and again whether the server lives, each time on a connection of its own."""
    while not enough.is_set():
        sent = time.monotonic()
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        ) as connection:
            try:
                connection.request("GET", "/health/live")
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                status = None
        seen.append(Seen("GET /health/live", status, sent, time.monotonic()))
        enough.wait(max(0, sent + LIVE_EVERY - time.monotonic()))


@pytest.fixture
def machine(database_url, monkeypatch):
    # A worker that reads freed memory dies of it at once; see `test_lost_connection`.
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    # The path of a socket must be short.
    driver = make_url(database_url).drivername
    with (
        tempfile.TemporaryDirectory(prefix="ar-") as directory,
        Machine(
            Path(directory), durable=False, driver=driver, database_timeout=DATABASE_TIMEOUT
        ) as made,
    ):
        yield made


def sign_up(port):
    caller = Caller(port)
    login = {"login": "olga", "password": PASSWORD}
    assert caller.ask("POST", "/api/user", login).status == 201
    token = caller.ask("POST", "/api/login", login).json["token"]
    caller.close()
    return Bearer(token)


def first_good(clients, method, after):
    """When the first such request that was sent after that moment was done."""
    return min(
        seen.heard
        for client in clients
        for seen in client.seen
        if seen.what.startswith(method) and seen.sent > after and seen.status in DONE
    )


# An experiment with seconds, which other tests beside it would change.
@pytest.mark.soak
def test_a_database_that_stands_still(machine):
    port, enough, alive = machine.server_port, threading.Event(), []
    user = sign_up(port)
    clients = [Client(port, number) for number in range(CLIENTS)]
    for client in clients:
        client.settle(user)
    threads = [threading.Thread(target=client.work, args=(enough,)) for client in clients]
    threads.append(threading.Thread(target=watch, args=(port, enough, alive)))
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        with machine.stopped_database():
            stopped = time.monotonic()
            time.sleep(FROZEN_SECONDS)
        goes_on = time.monotonic()
        time.sleep(2 * RECOVERY_SECONDS)
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    during = Counter(s.status for c in clients for s in c.seen if s.heard > stopped)
    longest = max(s.heard - s.sent for c in clients for s in c.seen)
    print(f"after the stop: {dict(during)}; the longest wait: {longest:.1f} s")
    wrong = {
        "of the server's life": list(not_alive(alive)),
        "late or wrong": list(late_or_wrong(clients)),
        "behind the outage": list(not_well(clients, goes_on)),
    }
    told = [f"{len(lines)} {kind}: {lines[:8]}" for kind, lines in wrong.items()]
    assert not any(wrong.values()), "\n  ".join(["", *told])
    engine = create_engine(machine.url)
    assert broken(engine) == []
    engine.dispose()
    assert machine.bugs() == []


def not_alive(alive):
    """Answers to the question whether the server lives that came late, or not at all."""
    for seen in alive:
        if seen.status != 200 or seen.heard - seen.sent > LIVE_SECONDS:
            yield f"{seen.what}: {seen.status} after {seen.heard - seen.sent:.2f} s"


def late_or_wrong(clients):
    """Answers that came later than is promised, or are neither done nor 503."""
    for seen in (seen for client in clients for seen in client.seen):
        waited = seen.heard - seen.sent
        if seen.status not in (*DONE, 503) or waited > LONGEST + TOLERANCE:
            yield f"{seen.what}: {seen.status} after {waited:.2f} s"


def not_well(clients, goes_on):
    """Requests of after the outage that were not done, once they all had to be."""
    for client in clients:
        for seen in client.seen:
            if seen.sent > goes_on + RECOVERY_SECONDS and seen.status not in DONE:
                yield f"{seen.what}: {seen.status}, {seen.sent - goes_on:.2f} s behind the outage"
    for method in ("GET", "PATCH", "POST"):
        late = first_good(clients, method, goes_on) - goes_on
        if late > RECOVERY_SECONDS:
            yield f"the first {method} was done {late:.2f} s behind the outage"
