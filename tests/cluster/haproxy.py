"""HAProxy on loopback, with the configuration that we ship, in one of its two shapes."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ar_targets.development import process, program

from ..edge.nginx import replaced
from ..ports import free_port
from .node import HOST, SHIPPED, Node

START_SECONDS = 30.0
STOP_SECONDS = 5.0


class HAProxy:
    """``port`` leads to the nodes; ``active`` to all of them, not to one."""

    def __init__(self, directory: Path, nodes: list[Node], *, active: bool = False) -> None:
        self.port = free_port()
        self._file = directory / "haproxy.cfg"
        self._socket = directory / "haproxy.sock"
        self.log = directory / "haproxy.log"
        changes = {
            '"${LISTEN-127.0.0.1}:3306"': f"{HOST}:{self.port}",
            "global\n": f"global\n    stats socket {self._socket}\n",
        }
        changes |= {f"{node.name}:3306": f"{HOST}:{node.port}" for node in nodes}
        if active:
            changes |= {" check backup": " check"}
        self._file.write_text(replaced((SHIPPED / "haproxy.cfg").read_text(), changes))

    def command(self, *options: str) -> list[str]:
        return [str(program.locate("haproxy")), "-f", str(self._file), *options]

    @contextmanager
    def running(self) -> Iterator[None]:
        """With a way to each of the nodes."""
        with (
            self.log.open("wb") as log,
            process.running(self.command("-db"), output=log, stop_seconds=STOP_SECONDS) as started,
        ):
            deadline = time.monotonic() + START_SECONDS
            while "DOWN" in (states := self.states()).values() or not states:
                assert started.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, states
                time.sleep(0.1)
            yield

    def states(self) -> dict[str, str]:
        """What it thinks of each node."""
        lines = self._ask("show stat -1 4 -1").splitlines()
        rows = [line.split(",") for line in lines if line and not line.startswith("#")]
        return {row[1]: re.split(r"\W", row[17])[0] for row in rows}

    def _ask(self, command: str) -> str:
        said = b""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self._socket))
                connection.sendall(command.encode() + b"\n")
                while part := connection.recv(65536):
                    said += part
        except OSError:
            return ""
        return said.decode()
