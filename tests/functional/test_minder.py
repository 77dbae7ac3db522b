"""What minds the workers: how small it is, and what it does when one has ended."""

import json
import os
import signal
from pathlib import Path

import pytest

from .test_server import eventually, is_running, needs_proc, running

pytestmark = needs_proc


@pytest.fixture
def server(database_url, tmp_path):
    with (
        (tmp_path / "log").open("w") as log,
        running(database_url, tmp_path, "\nworkers = 2", log=log) as started,
    ):
        eventually(lambda: is_minder(started.pid) and len(started.children) == 2)
        yield started


def arguments(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def is_minder(pid):
    return any(argument.endswith("minder.py") for argument in arguments(pid))


def given(pid):
    """What the minder was told."""
    return json.loads(arguments(pid)[-1])


def resident(pid):
    """Pages in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def replace(server):
    """Kill a worker; its id, and that of the one in its place."""
    before = server.children
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(server.children - before) == 1)
    (new,) = server.children - before
    return victim, new


def test_it_does_not_hold_the_application(server):
    for worker in server.children:
        assert resident(server.pid) * 4 < resident(worker)


def test_what_they_share_goes_with_them(database_url, tmp_path):
    with running(database_url, tmp_path, "\nworkers = 2") as server:
        eventually(lambda: is_minder(server.pid))
        directory = Path(given(server.pid)["directory"])
        assert directory.is_dir()
    assert not directory.exists()


def test_one_after_another_in_a_place(server, tmp_path):
    log = tmp_path / "log"
    for _ in range(2):
        victim, new = replace(server)
        told = f"worker {victim} has ended (signal 9); process {new} takes its place"
        eventually(lambda said=told: said in log.read_text())
        assert server.ask("GET", "/health/ready")[0] == 200
    # The other can no longer answer.
    (first,) = server.children - {new}
    os.kill(first, signal.SIGSTOP)
    try:
        assert {server.ask("GET", "/health/live")[0] for _ in range(20)} == {200}
    finally:
        os.kill(first, signal.SIGCONT)


def test_a_worker_that_cannot_start_is_tried_again(server, tmp_path):
    ini = tmp_path / "server.ini"
    good = ini.read_text()
    ini.write_text("nonsense")
    _, new = replace(server)
    eventually(lambda: new not in server.children)
    assert server.ask("GET", "/health/ready")[0] == 200
    ini.write_text(good)
    listener = given(server.pid)["sockets"][0]
    shared = Path(f"/proc/{server.pid}/fd/{listener}").readlink()

    def listening(pid):
        links = Path(f"/proc/{pid}/fd").iterdir()
        # One that is ending has none any more.
        return any(link.is_symlink() and link.readlink() == shared for link in links)

    eventually(lambda: len(server.children) == 2 and all(map(listening, server.children)))
    eventually(lambda: all(resident(pid) > 4 * resident(server.pid) for pid in server.children))
    assert server.ask("GET", "/health/ready")[0] == 200


def test_it_ends_while_a_worker_starts(server):
    """The `running` that made it waits for its end, with exit code 0."""
    replace(server)
    workers = server.children
    os.kill(server.pid, signal.SIGTERM)
    eventually(lambda: not any(map(is_running, workers)))
