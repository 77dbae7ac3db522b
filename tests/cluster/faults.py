"""What happens to nodes and servers. Each fault ends when all of them serve again."""

import time
from collections.abc import Callable

from .node import Node
from .system import System

# Longer than it takes the others to notice.
AWAY_SECONDS = 6.0
SETTLE_SECONDS = 60.0
NON_PRIMARY = "non-Primary"


class Faults:
    """``strike`` lets one happen."""

    def __init__(self, system: System, away: float = AWAY_SECONDS) -> None:
        self._system, self._away = system, away
        # HAProxy sends everything to the first, or a share to each.
        self._used, self._other, self._last = system.cluster.nodes

    def strike(self, kind: str) -> None:
        """Let it happen, end its cause, and wait until all is as before."""
        KINDS[kind](self)
        self._system.cluster.await_whole()
        self._await(lambda: set(self._system.haproxy.states().values()) == {"UP"})

    def _await(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, self._system.haproxy.states()
            time.sleep(0.1)

    def kill_used(self) -> None:
        self._kill(self._used)

    def kill_other(self) -> None:
        self._kill(self._other)

    def _kill(self, node: Node) -> None:
        node.kill()
        time.sleep(self._away)
        node.start()

    def freeze_used(self) -> None:
        self._freeze(self._used)

    def freeze_other(self) -> None:
        self._freeze(self._other)

    def _freeze(self, node: Node) -> None:
        node.freeze()
        time.sleep(self._away)
        node.thaw()

    def isolate_used(self) -> None:
        self._isolate(self._used)

    def isolate_other(self) -> None:
        self._isolate(self._other)

    def _isolate(self, node: Node) -> None:
        node.isolate(on=True)
        time.sleep(self._away)
        node.isolate(on=False)

    def restart_nodes(self) -> None:
        """In turn, as for an upgrade: the one in use last."""
        for node in reversed(self._system.cluster.nodes):
            node.stop()
            node.start()

    def restart_servers(self) -> None:
        self._system.replicas.restart_in_turn()

    def kill_server(self) -> None:
        self._system.replicas.kill_one()

    def lose_two(self) -> None:
        """docs/deploy/cluster.md, "Two of three nodes are lost"."""
        self._used.kill()
        self._other.kill()
        self._await(lambda: self._last.status("wsrep_cluster_status") == NON_PRIMARY)
        self._last.set_provider_option("pc.bootstrap=YES")
        self._last.await_synced()
        time.sleep(self._away)
        self._used.start()
        self._other.start()

    def lose_power(self) -> None:
        """All end at once, and all are started again: they find each other by themselves."""
        nodes = self._system.cluster.nodes
        for node in nodes:
            node.kill()
        for node in nodes:
            node.launch()

    def lose_all(self) -> None:
        """As before, but one stays away: of the other two, the one that has more begins."""
        for node in self._system.cluster.nodes:
            node.kill()
        left = (self._other, self._last)
        first = max(left, key=Node.recovered_position)
        first.allow_bootstrap()
        first.start()
        for node in left:
            if node is not first:
                node.start()
        time.sleep(self._away)
        self._used.start()


KINDS = {
    "node in use killed": Faults.kill_used,
    "another node killed": Faults.kill_other,
    "node in use frozen": Faults.freeze_used,
    "another node frozen": Faults.freeze_other,
    "node in use isolated": Faults.isolate_used,
    "another node isolated": Faults.isolate_other,
    "nodes restarted in turn": Faults.restart_nodes,
    "servers restarted in turn": Faults.restart_servers,
    "server killed": Faults.kill_server,
    "two of three nodes killed": Faults.lose_two,
    "all nodes killed": Faults.lose_power,
    "all nodes killed, one for good": Faults.lose_all,
}
