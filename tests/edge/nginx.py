"""Debian's nginx with the files of docs/deploy/nginx, on loopback and without rights.

Nothing is changed in them but addresses, paths, and, where a test would wait for minutes,
figures that it names.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ..functional.test_server import Server
from ..ports import free_port

SHIPPED = Path(__file__).parents[2] / "docs/deploy/nginx"
# Debian has it where only root looks.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
# Where nginx keeps bodies and responses; Debian's places are root's.
TEMPORARY = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
HTTP = ("behind.conf", "http.conf", "upstream.conf")
HTTPS = ("behind.conf", "https.conf", "redirect.conf", "upstream.conf")


class Edge(Server):
    """A running nginx. ``port`` is that of HTTP."""

    def __init__(self, directory: Path) -> None:
        super().__init__(free_port())
        self.https_port = free_port()
        self.directory = directory

    def say(self, raw: bytes) -> bytes:
        """As for a server; a reset ends it, too: so nginx lets go of who owes it a body."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(raw)
            with suppress(ConnectionError):
                while part := connection.recv(65536):
                    said += part
        return said

    @property
    def workers(self) -> set[int]:
        """The processes that serve."""
        return self.children

    def log(self, name: str = "access") -> str:
        """What it has written."""
        return (self.directory / f"log/{name}.log").read_text(errors="replace")

    def connections(self) -> int:
        """How many clients' connections the kernel has for it."""
        here = f":{self.port:04X}"
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        # Without those that are over and only remembered (TIME_WAIT), and the listening one.
        return sum(
            fields[1].endswith(here) and fields[3] not in ("06", "0A")
            for fields in map(str.split, lines)
        )

    def on_disk(self) -> int:
        """Bytes of the files in which bodies and responses wait; their names are gone already."""
        found = 0
        for pid in self.workers:
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if str(entry.readlink()).startswith(str(self.directory / "temp")):
                        found += entry.stat().st_blocks * 512
                except FileNotFoundError:
                    continue
        return found


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """The text with each of these in the place of what it must have."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def configure(
    edge: Edge, upstream: str, sites: tuple[str, ...], changes: Mapping[str, str]
) -> None:
    """Lay the files out as they are on a machine."""
    home = edge.directory
    for name in ("conf.d", "ar_targets", "log", "temp", "acme"):
        (home / name).mkdir()
    temporary = "".join(f"    {one}_temp_path {home}/temp/{one};\n" for one in TEMPORARY)
    paths = {
        "user www-data;": f"user {pwd.getpwuid(os.getuid()).pw_name};",
        "/run/nginx.pid": f"{home}/nginx.pid",
        "/var/log/nginx": f"{home}/log",
        "http {\n": f"http {{\n{temporary}",
    }
    (home / "nginx.conf").write_text(replaced((SHIPPED / "nginx.conf").read_text(), paths))
    left = dict(changes)
    files = [*(f"ar_targets/{path.name}" for path in (SHIPPED / "ar_targets").iterdir())]
    for name in [*files, *(f"conf.d/{site}" for site in sites)]:
        text = (SHIPPED / name).read_text()
        text = re.sub(r" *listen \[::\].*\n", "", text)
        text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{edge.port}", text)
        text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{edge.https_port}", text)
        text = text.replace("server 127.0.0.1:6543 max_fails=0;", upstream)
        text = text.replace("/var/log/nginx", f"{home}/log")
        text = text.replace("/etc/letsencrypt/live/ar_targets", str(home))
        text = text.replace("/var/www/acme", f"{home}/acme")
        for old in [old for old in left if old in text]:
            text = text.replace(old, left.pop(old))
        (home / name).write_text(text)
    assert not left, f"not in the configuration: {left}"


@contextmanager
def nginx(
    directory: Path,
    *upstreams: int,
    sites: tuple[str, ...] = HTTP,
    changes: Mapping[str, str] | None = None,
) -> Iterator[Edge]:
    """An nginx in front of servers at these ports."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    edge = Edge(directory)
    servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in upstreams)
    configure(edge, servers, sites, changes or {})
    command = [NGINX, "-p", str(directory), "-c", "nginx.conf", "-e", "log/error.log"]
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    edge.pid = process.pid
    try:
        wait_until_it_listens(edge, process)
        yield edge
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    # What is worse than an error: a worker that died, or a bug that nginx has seen in itself.
    assert not re.search(r"\[(?:alert|emerg)\](?!.*setrlimit)", edge.log("error"))


def wait_until_it_listens(edge: Edge, process: subprocess.Popen[bytes]) -> None:
    """Fail with what nginx says if it does not start."""
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", edge.port)) == 0:
                return
        assert process.poll() is None, edge.log("error")
        assert time.monotonic() < deadline
        time.sleep(0.02)
