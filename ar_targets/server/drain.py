"""Runs a waitress server until SIGTERM, and then to the end of what clients have begun.

Waitress itself stops reading and writing at once. Here it stops accepting, and
goes on until every request that has begun to arrive is answered: a deployment
costs no client an upload. A proxy may send another request on a connection that
it has kept: for a moment that is answered too, and the connection then closed.
"""

import signal
import time
from collections.abc import Iterable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel

from .workers import PATIENCE, leave

# Less than the patience of the parent, which kills.
SECONDS = PATIENCE - 5
# Seconds for which idle connections stay open.
LINGER = 2
# Seconds after which the loop looks around, should nothing have happened.
PAUSE = 0.2


def run(server: Any, listeners: Iterable[Any], seconds: float = SECONDS) -> None:
    """Serve until SIGTERM; then drain, for so many seconds at most. SIGINT ends at once."""
    listeners = tuple(listeners)
    sockets = listeners[0]._map  # noqa: SLF001  # one for all, as waitress makes them
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        # Who asks twice is in a hurry.
        signal.signal(signal.SIGTERM, leave)
        # Else the loop would sleep on, for up to a second.
        listeners[0].pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    poll = {"map": sockets, "use_poll": server.adj.asyncore_use_poll, "count": 1}
    try:
        while not stopping:
            wasyncore.loop(timeout=server.adj.asyncore_loop_timeout, **poll)
        for listener in listeners:
            wasyncore.dispatcher.close(listener)
        listeners[0].channel_class.draining = True
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            if passed > LINGER:
                close_idle(sockets)
            if not channels(sockets):
                break
            wasyncore.loop(timeout=PAUSE, **poll)
    except (SystemExit, KeyboardInterrupt):
        pass
    server.task_dispatcher.shutdown()


def channels(sockets: dict[int, Any]) -> list[Any]:
    """The connections with clients."""
    return [channel for channel in sockets.values() if isinstance(channel, HTTPChannel)]


def close_idle(sockets: dict[int, Any]) -> None:
    """Close the connections that have neither a request nor an answer under way."""
    for channel in channels(sockets):
        if not (channel.requests or channel.request or channel.total_outbufs_len):
            channel.handle_close()
