"""How the process starts and ends."""

import socket
import subprocess
from pathlib import Path

import pytest

from .pictures import GATE
from .process import VisionServer, wait_until


@pytest.fixture
def server(database_url, tmp_path):
    return VisionServer(database_url, tmp_path)


def is_running(pid):
    """The dead may wait for somebody to bury them."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_sigterm_ends_it_and_all_that_it_has_started(server):
    with server.running():
        server.client.similar(1, GATE)
        helpers = server.helpers()
        assert helpers
        server.process.terminate()
        assert server.process.wait(20) == 0
        wait_until(lambda: not any(is_running(pid) for pid in helpers))


def test_all_that_it_has_started_ends_when_it_is_killed(server):
    with server.running():
        helpers = server.helpers()
        server.process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in helpers))


def refusal(server):
    """The one line that is left of a start."""
    done = subprocess.run(
        server.command, env=server.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def test_no_key(database_url, tmp_path):
    assert "ar_targets.vision_key" in refusal(VisionServer(database_url, tmp_path, vision_key=""))


def test_a_port_that_is_taken(server):
    with socket.create_server(("127.0.0.1", server.port)):
        assert f"port {server.port} is taken" in refusal(server)
