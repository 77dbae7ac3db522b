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

from waitress.channel import HTTPChannel

from .loop import PollLoop
from .minder import PATIENCE
from .workers import leave

# Less than the patience of the parent, which kills.
SECONDS = PATIENCE - 5
# Seconds for which idle connections stay open.
LINGER = 2
# Seconds after which the loop looks around, should nothing have happened.
PAUSE = 0.2


def run(loop: PollLoop, channel_class: type[Any], seconds: float = SECONDS) -> None:
    """Serve until SIGTERM; then drain, for so many seconds at most. SIGINT ends at once."""
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        # Who asks twice is in a hurry.
        signal.signal(signal.SIGTERM, leave)
        # Else it would sleep on, for up to a second.
        loop.interrupt()

    signal.signal(signal.SIGTERM, stop)
    try:
        while not stopping:
            loop.turn(PAUSE)
        loop.close()
        channel_class.draining = True
        begun = time.monotonic()
        while loop.channels and (passed := time.monotonic() - begun) < seconds:
            if passed > LINGER:
                close_idle(loop.channels)
            loop.turn(PAUSE)
    except (SystemExit, KeyboardInterrupt):
        pass


def close_idle(channels: Iterable[HTTPChannel]) -> None:
    """Close the connections that have neither a request nor an answer under way."""
    for channel in channels:
        if not (channel.requests or channel.request or channel.total_outbufs_len):
            channel.handle_close()
