"""All of it: nodes, HAProxy, servers, nginx; in one of two shapes."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .cluster import Cluster
from .haproxy import HAProxy
from .replicas import REPLICAS, Replicas


class System:
    """``active``: all nodes take writes, not one."""

    def __init__(self, *, active: bool = False, replicas: int = REPLICAS) -> None:
        self._active, self._number = active, replicas

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            # The path of a socket must be short.
            name = undo.enter_context(tempfile.TemporaryDirectory(prefix="ar-"))
            directory = Path(name)
            self.cluster = undo.enter_context(Cluster(directory))
            self.haproxy = HAProxy(directory, self.cluster.nodes, active=self._active)
            undo.enter_context(self.haproxy.running())
            self.replicas = Replicas(directory, self.haproxy.port, self._number)
            undo.enter_context(self.replicas.running())
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def port(self) -> int:
        """Where clients go: nginx."""
        return self.replicas.port
