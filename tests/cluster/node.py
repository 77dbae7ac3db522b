"""One node of a cluster: MariaDB with Galera, on loopback, with the configuration that we ship."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pymysql

from ar_targets.development import process, program

from ..edge.nginx import replaced
from ..ports import free_port

HOST = "127.0.0.1"
SHIPPED = Path(__file__).parents[2] / "docs/deploy/cluster"
# As Debian's and MariaDB's packages have it.
PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
# The user of Debian's package.
USER = "mysql"
START_SECONDS = 90.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 60.0
SYNCED = "Synced"
# The cache that a test can fill is small, and all of it is written at the start.
TEST_CHANGES = {"gcache.size=512M": "gcache.size=64M"}


class NodeError(Exception):
    """It has not come up."""


class Node:
    """``place`` is its number, from 1; ``directory`` survives its ends."""

    def __init__(self, place: int, directory: Path) -> None:
        self.name = f"node{place}"
        self.port, self.group_port = free_port(), free_port()
        self._transfer_ports = (free_port(), free_port())
        self.directory = directory / self.name
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self._server: subprocess.Popen[bytes] | None = None
        self._running = ExitStack()
        # What the script that starts a node in a container is told.
        self._environment = os.environ | {
            "DATA": str(self.data),
            "CLUSTER": str(directory),
            "FOUNDS": "yes" if place == 1 else "",
            "PATH": f"{directory}:{os.environ['PATH']}",
        }
        entrypoint = directory / "docker-entrypoint.sh"
        entrypoint.write_text('#!/bin/sh\nexec "$@"\n')
        entrypoint.chmod(0o755)
        for made in (self.directory, self.data, self.directory / "tmp"):
            made.mkdir()
            if os.geteuid() == 0:
                shutil.chown(made, USER)

    def configure(self, members: list["Node"]) -> None:
        """Take the shipped file, with the addresses of a machine that has all nodes."""
        members_at = ",".join(f"{HOST}:{node.group_port}" for node in members)
        incremental, whole = self._transfer_ports
        provider = f"gmcast.listen_addr=tcp://{HOST}:{self.group_port}"
        provider += f";ist.recv_addr={HOST}:{incremental}"
        changes = TEST_CHANGES | {
            "gcomm://node1,node2,node3": f"gcomm://{members_at}",
            "bind_address = 0.0.0.0": f"bind_address = {HOST}",
            'wsrep_provider_options = "': f'wsrep_provider_options = "{provider};',
        }
        own = {
            "wsrep_node_name": self.name,
            "wsrep_node_address": f"{HOST}:{self.group_port}",
            "wsrep_sst_receive_address": f"{HOST}:{whole}",
            "port": self.port,
            "datadir": self.data,
            "tmpdir": self.directory / "tmp",
            "socket": self.directory / "sock",
            "pid_file": self.directory / "pid",
            "innodb_buffer_pool_size": "64M",
            "performance_schema": "OFF",
        }
        lines = [f"{name} = {value}" for name, value in own.items()]
        text = replaced((SHIPPED / "galera.cnf").read_text(), changes)
        self._file.write_text("\n".join([text, *lines, ""]))

    @property
    def _file(self) -> Path:
        return self.directory / "my.cnf"

    def initialise(self) -> None:
        """Make the data of the first node; the others get theirs from it."""
        installer = program.locate("mariadb-install-db")
        command = [str(installer), "--no-defaults", f"--datadir={self.data}"]
        # Not as root: rsync's daemon, which takes the copy, would be nobody.
        command += [f"--user={USER}"] if os.geteuid() == 0 else []
        more = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        done = process.answer([*command, *more])
        assert done.returncode == 0, done.stderr

    def command(self) -> list[str]:
        """The server's command line."""
        return [str(program.locate("mariadbd")), f"--defaults-file={self._file}"]

    def launch(self) -> None:
        """Start it as in a container; it may wait for others before it answers."""
        assert self._server is None
        log = self._running.enter_context(self.log.open("ab"))
        command = [SHIPPED / "start.sh", *self.command()]
        self._server = self._running.enter_context(
            process.running(command, env=self._environment, output=log, stop_seconds=STOP_SECONDS)
        )

    def start(self) -> None:
        """Start it, and wait until it has all that the others have."""
        self.launch()
        self.await_synced()

    def await_synced(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while self.state() != SYNCED:
            if self._server is None or self._server.poll() is not None:
                raise NodeError(f"{self.name} has ended: {self.last_words()}")
            if time.monotonic() > deadline:
                raise NodeError(f"{self.name} is {self.state()!r}: {self.last_words()}")
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    @property
    def runs(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def stop(self) -> None:
        """Let it end in order."""
        self._running.close()
        self._server = None

    def kill(self) -> None:
        """End it in the middle of whatever it is at."""
        os.killpg(self.pid, signal.SIGKILL)
        self.stop()

    def freeze(self) -> None:
        """Let it do nothing any more, and keep its connections."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def isolate(self, *, on: bool) -> None:
        """Cut it off from the other nodes, or let it find them again."""
        self.set_provider_option(f"gmcast.isolate={int(on)}")

    def set_provider_option(self, option: str) -> None:
        self.execute(f"SET GLOBAL wsrep_provider_options = '{option}'")

    def state(self) -> str:
        """In Galera's words; empty where it does not answer."""
        return self.status("wsrep_local_state_comment")

    def members(self) -> int:
        """How many nodes it sees, itself among them; 0 where it does not answer."""
        return int(self.status("wsrep_cluster_size") or 0)

    def status(self, name: str) -> str:
        """A status variable; empty where it does not answer."""
        try:
            rows = self.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")
        except (OSError, pymysql.Error):
            return ""
        return str(rows[0][1]) if rows else ""

    def execute(self, *statements: str, database: str | None = None) -> list[Any]:
        """The rows of the last one; as root, past HAProxy."""
        with self._connected(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def _connected(self, database: str | None) -> Iterator[Any]:
        # A socket of our own: PyMySQL leaks its socket if the connection is refused.
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(ANSWER_SECONDS)
            plain.connect(str(self.directory / "sock"))
            connection = pymysql.connect(
                user="root", database=database, autocommit=True, defer_connect=True
            )
            connection.connect(plain)
            try:
                yield connection
            finally:
                connection.close()

    def url(self, database: str = "ar_targets") -> str:
        """Past HAProxy, for the check at the end."""
        return f"mysql+pymysql://root@/{database}?unix_socket={self.directory / 'sock'}"

    def recovered_position(self) -> int:
        """The number of the last write that it has, while it does not run: ``--wsrep-recover``."""
        done = process.answer([*self.command(), "--wsrep-recover", "--innodb-force-recovery=2"])
        found = re.search(r"Recovered position: \S+:(-?\d+)", done.stdout + done.stderr)
        assert found, (done.stdout + done.stderr)[-2000:]
        return int(found[1])

    def allow_bootstrap(self) -> None:
        """Say that it is the one from which the cluster may begin anew."""
        file = self.data / "grastate.dat"
        file.write_text(re.sub(r"safe_to_bootstrap: \d", "safe_to_bootstrap: 1", file.read_text()))

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]
