"""``Idempotency-Key`` on a wire that is cut at any byte: each creation is done once.

The first attempt gets so many bytes through, in both directions together, then its connection is
cut: within the request, so that nothing is done, or within the answer, so that nobody hears of what
was done. The next attempt, with the same key, is not cut.
"""

import heapq
import itertools
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Column, delete, select

from ar_targets_client import Client, Retry

from .. import tables
from ..actors import Actor
from ..live import live
from ..pictures import CHINA, drawn
from ..soak.proxy import HOST, Proxy

NOUNS = ("project", "token", "member", "target")
SMALL = drawn(size=(640, 427))
BOUNDARY = "3c1f2b7e"
# More bytes than an answer has.
ANSWER_MAX = 3000
# Bytes from one cut to the next, of our client.
STEP = 13
FAST = Retry(attempts=4, first=0.01, longest=0.05, longest_asked=3)


@pytest.fixture(scope="module")
def wire(database_url, tmp_path_factory):
    with (
        live(database_url, tmp_path_factory.mktemp("live")) as server,
        Proxy(lambda: server.port) as made,
    ):
        yield made


@dataclass(frozen=True)
class Creation:
    """How one noun is created: by its bytes, and by our client."""

    who: Actor
    path: str
    content_type: str
    body: bytes
    by_client: Callable[[Client], Any]
    # What the answer calls ``id``, or ``user_id``.
    column: Column[int]
    # A part of the body.
    image: bytes = b""

    def request(self, key: str) -> bytes:
        """All bytes; as many with each key of one length."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.who.token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@pytest.fixture
def creation(owner, stranger, project, write_token):
    """The creation of a noun; ``image`` is a target's."""

    def creation(noun: str, image: bytes) -> Creation:
        if noun == "target":
            part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
            start = f'{part}"name"\r\n\r\ngate\r\n{part}"image"; filename="x.jpg"\r\n\r\n'
            return Creation(
                write_token,
                project.targets,
                f"multipart/form-data; boundary={BOUNDARY}",
                start.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode(),
                lambda client: client.targets(project.id).create(image, name="gate"),
                tables.target.c.id,
                image,
            )
        path, fields, by_client, column = {
            "project": (
                "/api/project",
                {"name": "Park"},
                lambda client: client.projects.create("Park"),
                tables.project.c.id,
            ),
            "token": (
                project.tokens,
                {"description": "app"},
                lambda client: client.tokens(project.id).create(description="app"),
                tables.token.c.id,
            ),
            "member": (
                project.members,
                {"login": stranger.login, "role": "editor"},
                lambda client: client.members(project.id).add(stranger.login, "editor"),
                tables.member.c.user_id,
            ),
        }[noun]
        body = json.dumps(fields).encode()
        return Creation(owner, path, "application/json", body, by_client, column)

    return creation


class Made:
    """The ids of what was not there before."""

    def __init__(self, stage: Any, column: Column[int]) -> None:
        self.engine, self.column, self.before = stage.engine, column, set[int]()
        self.before = set(self.ids())

    def ids(self) -> list[int]:
        with self.engine.connect() as connection:
            found = connection.scalars(select(self.column).order_by(self.column))
            return [each for each in found if each not in self.before]

    def wait(self) -> None:
        """Until there is something."""
        deadline = time.monotonic() + 60
        while not self.ids():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def remove(self) -> None:
        """The next one may have its name."""
        with self.engine.begin() as connection:
            connection.execute(delete(self.column.table).where(self.column.not_in(self.before)))


def send(port: int, request: bytes) -> bytes:
    """Send a request; all that comes back before the end of the connection."""
    heard = b""
    with socket.create_connection((HOST, port), timeout=60) as connection, suppress(OSError):
        connection.sendall(request)
        while part := connection.recv(65_536):
            heard += part
    return heard


@pytest.mark.parametrize(
    ("noun", "image", "step", "every"),
    [
        ("project", b"", 1, 1),
        ("token", b"", 1, 5),
        ("member", b"", 1, 5),
        ("target", SMALL, 97, 5),
        pytest.param("token", b"", 1, 1, marks=pytest.mark.soak),
        pytest.param("member", b"", 1, 1, marks=pytest.mark.soak),
        pytest.param("target", SMALL, 1, 1, marks=pytest.mark.soak),
        pytest.param("target", CHINA, 97, 1, marks=pytest.mark.soak),
    ],
)
def test_a_cut_at_any_byte(wire, stage, creation, noun, image, step, every):
    """At ``every`` byte, of a target's image at each ``step`` bytes."""
    it = creation(noun, image)
    made = Made(stage, it.column)
    size = len(it.request(key_of(0)))
    start = it.request(key_of(0)).index(it.image) if it.image else size
    end = start + len(it.image)
    around = range(size - 1, size + 2)
    rest = itertools.count(end, every)
    merged = heapq.merge(range(0, start, every), range(start, end, step), around, rest)
    for cut, _ in itertools.groupby(merged):
        request = it.request(key_of(cut))
        wire.allowances.append(cut)
        first = send(wire.port, request)
        if cut == size:
            # Nobody hears of it.
            made.wait()
        again = send(wire.port, request)
        head, _, body = again.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201 "), (cut, again)
        assert (b"idempotency-replayed: true" in head.lower()) == (cut >= size), (cut, again)
        assert body.startswith(first.partition(b"\r\n\r\n")[2]), (cut, first, again)
        assert made.ids() == [json.loads(body)[it.column.name]], cut
        made.remove()
        if len(first) < cut - size:
            # It was not cut any more.
            return
        assert cut < size + ANSWER_MAX


def key_of(cut: int) -> str:
    return f"cut-{cut:07}"


@pytest.mark.parametrize("noun", NOUNS)
def test_our_client(wire, stage, creation, noun):
    """It repeats by itself what was cut, and takes no part of an answer for all of it."""
    it = creation(noun, drawn())
    made = Made(stage, it.column)
    waits: list[float] = []
    url = f"http://{HOST}:{wire.port}"
    for number in itertools.count():
        cut = number * STEP
        wire.allowances.append(cut)
        with Client(
            url, it.who.token, retry=FAST, on_wait=lambda pause, _: waits.append(pause)
        ) as client:
            record = it.by_client(client)
        assert made.ids() == [record.id], cut
        made.remove()
        if len(waits) == number:
            # It was not cut any more.
            return
        # Each of them once.
        assert len(waits) == number + 1, cut
        assert cut < 2 * ANSWER_MAX
