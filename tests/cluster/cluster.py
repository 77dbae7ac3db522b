"""Three nodes on this machine."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .node import START_SECONDS, SYNCED, Node, NodeError

NODES = 3
# Who the servers are, and who HAProxy asks as. Without passwords, on loopback.
USERS = (
    "CREATE DATABASE ar_targets CHARACTER SET utf8mb4",
    "CREATE USER ar_targets@'%'",
    "GRANT ALL ON ar_targets.* TO ar_targets@'%'",
    "CREATE USER haproxy@'%'",
)


class Cluster:
    """Nodes in ``directory``, which are up from `__enter__` on."""

    def __init__(self, directory: Path) -> None:
        # The nodes' user must get to its own.
        directory.chmod(0o711)
        self.nodes = [Node(place, directory) for place in range(1, NODES + 1)]

    def __enter__(self) -> Self:
        first, *others = self.nodes
        with ExitStack() as undo:
            undo.callback(self.stop)
            for node in self.nodes:
                node.configure(self.nodes)
            first.initialise()
            first.start()
            first.execute(*USERS)
            for node in others:
                node.launch()
            self.await_whole()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def stop(self) -> None:
        """The first one last: it has everything."""
        for node in reversed(self.nodes):
            node.stop()

    def await_whole(self) -> None:
        """Until all nodes are there, and have the same."""
        deadline = time.monotonic() + START_SECONDS
        while not all(node.state() == SYNCED and node.members() == NODES for node in self.nodes):
            states = [(node.name, node.state(), node.members()) for node in self.nodes]
            if time.monotonic() > deadline:
                raise NodeError(f"{states}: {[node.last_words() for node in self.nodes]}")
            time.sleep(0.1)
