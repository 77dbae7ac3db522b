"""Clients that ask for hundreds of megabytes and read nothing; meanwhile, everybody else."""

import contextlib
import http.client
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from ..functional.test_server import needs_proc
from ..pictures import CHINA

MIB = 2**20
PIPELINED = 6
# Of Python, of nginx: what a process may grow by, at any moment of the attack.
MOST_GROWTH = 400 * MIB
# Seconds after the last byte that a client has read.
GONE_AFTER = 60
# Seconds after which a client gives up; and how long each two answers take, where this machine
# does nothing else. The suite runs other tests at the same time, and its database may be busy.
GIVEN_UP, ALONE = 10, 2
# Bytes a second of a phone with a bad connection.
SLOW = 75_000


def photograph(size):
    """A JPEG of about so many bytes, most of them in comments."""
    comment = b"\xff\xfe\xff\xff" + os.urandom(0xFFFD)
    return CHINA[:2] + comment * (size // len(comment)) + CHINA[2:]


def resident(pid):
    """Bytes of a process in memory."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    return 0


class Watch(threading.Thread):
    """Asks from another address, and looks at memory and disk, until it is stopped."""

    def __init__(self, edge, pids, ready):
        super().__init__()
        self.ready = ready
        self.edge, self.pids = edge, pids
        self.before = {pid: resident(pid) for pid in pids}
        self.grown = dict.fromkeys(pids, 0)
        self.slowest = self.on_disk = self.answers = 0
        self.failures = []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.25):
            begun = time.monotonic()
            try:
                # One without, one with the database.
                assert self.status("/health/live") == 200
                assert self.status("/health/ready") in self.ready
            except (AssertionError, OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.on_disk = max(self.on_disk, self.edge.on_disk())
            for pid in self.pids:
                self.grown[pid] = max(self.grown[pid], resident(pid) - self.before[pid])

    def status(self, path):
        """Of a request on a connection of its own."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.edge.port, timeout=GIVEN_UP, source_address=("127.0.0.2", 0)
        )
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status


def attack(edge, number, request):
    """So many connections that ask six times, and never read."""
    made = []
    for _ in range(number):
        one = socket.socket()
        # As small as the kernel makes it: the rest is the edge's burden.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", edge.port))
        one.sendall(request * PIPELINED)
        made.append(one)
    return made


def read_slowly(edge, request, seconds_for):
    """The body that a client gets who takes SLOW bytes a second."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.settimeout(30)
        connection.bind(("127.0.0.3", 0))
        connection.connect(("127.0.0.1", edge.port))
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        said = b""
        begun = time.monotonic()
        while part := connection.recv(SLOW // 10):
            said += part
            time.sleep(max(0, begun + len(said) / SLOW - time.monotonic()))
        assert time.monotonic() - begun > seconds_for, said[:700]
    return said.partition(b"\r\n\r\n")[2]


def asked(target, who):
    """A GET of a target's image, as bytes."""
    authorization = who.headers["Authorization"]
    return (
        f"GET {target.image} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n".encode()
    )


@needs_proc
@pytest.mark.parametrize(
    ("connections", "read", "bounds"),
    [
        pytest.param(60, 3 * MIB // 2, (GIVEN_UP, (200, 503)), id="short"),
        pytest.param(240, 3 * MIB, (ALONE, (200,)), id="long", marks=pytest.mark.soak),
    ],
)
def test_who_never_reads_harms_nobody(
    edge, server, stage, project, write_token, connections, read, bounds
):
    answered_within, ready = bounds
    greedy = asked(stage.target(project, photograph(9 * MIB)), write_token)
    image = photograph(read)
    patient = asked(stage.target(project, image), write_token)
    watch = Watch(edge, {*edge.workers, *server.children, server.pid}, ready)
    watch.start()
    try:
        made = attack(edge, connections, greedy)
        begun = time.monotonic()
        got = read_slowly(edge, patient, len(image) / SLOW * 0.9)
        # Who asks for health has none between two requests.
        while edge.connections() > 0 or edge.on_disk() > 0:
            assert time.monotonic() - begun < GONE_AFTER, edge.connections()
            time.sleep(0.05)
        gone = time.monotonic() - begun
    finally:
        watch.over.set()
        watch.join()
    for one in made:
        one.close()
    of_nginx = max(watch.grown[pid] for pid in edge.workers) / MIB
    of_server = max(watch.grown[pid] for pid in server.children) / MIB
    print(
        f"{connections} connections: {watch.answers} times two answers, "
        f"the slowest in {watch.slowest:.2f} s; a process of nginx grew by {of_nginx:.0f} MiB, "
        f"of the server by {of_server:.0f} MiB; {watch.on_disk / MIB:.0f} MiB on disk; "
        f"all gone after {gone:.0f} s"
    )
    assert got == image
    assert watch.failures == []
    assert watch.answers > 20
    assert watch.slowest < answered_within
    assert max(watch.grown.values()) < MOST_GROWTH
    assert watch.on_disk < connections * 10 * MIB
