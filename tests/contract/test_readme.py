"""The README's session is typed in as it stands; what it prints must be what the README shows."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..actors import PASSWORD
from ..conftest import INI, KEY, migrate
from ..jobs.processes import Process, VisionServer
from ..pictures import CHINA
from ..ports import free_port
from ..throwaway import on_server_of

README = INI.parent / "README.md"
ADDRESS = "127.0.0.1:6543"
END = "the end of an output"
# What differs from run to run.
VARIABLE = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "<moment>",
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+": "<token>",
}


@pytest.fixture
def address(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A server, as ``pserve`` runs it, on a new database."""
    address = f"127.0.0.1:{free_port()}"
    ini = tmp_path / "readme.ini"
    ini.write_text(INI.read_text().replace(ADDRESS, address))
    with on_server_of(database_url) as url:
        migrate(url)
        vision = VisionServer(tmp_path, url)
        found = {"vision_url": vision.url, "vision_key": KEY}
        worker = Process("worker", tmp_path, "worker", database_url=url, **found)
        settings = {"AR_TARGETS_DATABASE_URL": url, "AR_TARGETS_JWT_KEYS": KEY}
        settings |= {f"AR_TARGETS_{name.upper()}": value for name, value in found.items()}
        # As the first start of `make serve` does.
        subprocess.run(
            [sys.executable, "-m", "ar_targets.scripts.admin", str(ini), "first", "admin"],
            input=PASSWORD,
            text=True,
            env=os.environ | settings,
            check=True,
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "pyramid.scripts.pserve", str(ini)], env=os.environ | settings
        )
        try:
            vision.start()
            worker.start()
            wait_for(address)
            yield address
        finally:
            worker.stop()
            vision.stop()
            server.send_signal(signal.SIGTERM)
            # Waitress has no handler for it.
            assert server.wait(20) == -signal.SIGTERM


def wait_for(address: str) -> None:
    host, port = address.split(":")
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"no server came up at {address}")


def session() -> list[tuple[str, str]]:
    """Each command of the README's console sessions, with the output shown behind it."""
    shown: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append((line[2:], ""))
            else:
                command, output = shown[-1]
                shown[-1] = (command, output + line + "\n")
    return shown


def steady(text: str) -> str:
    for pattern, name in VARIABLE.items():
        text = re.sub(pattern, name, text)
    return text.strip("\n")


def test_session(address, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(CHINA)
    shown = session()
    assert len(shown) > 15
    script = "".join(f"{command}\nprintf '\\n{END}\\n'\n" for command, _ in shown)
    done = subprocess.run(
        ["bash", "-c", script.replace(ADDRESS, address)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    printed = done.stdout.replace(address, ADDRESS).split(f"\n{END}\n")
    assert done.stderr == ""
    for (command, expected), output in zip(shown, printed, strict=False):
        assert (command, steady(output)) == (command, steady(expected))
