"""Runs a waitress server until SIGTERM, and then to the end of what clients have begun.

Waitress itself stops reading and writing at once. Here it stops accepting, and
goes on until every request that has begun to arrive is answered: a deployment
costs no client an upload. A proxy may send another request on a connection that
it has kept: for a moment that is answered too, and the connection then closed.
"""

import time
from collections.abc import Iterable
from typing import Any

from waitress.channel import HTTPChannel

from .loop import PollLoop
from .minder import PATIENCE

# Less than the patience of the parent, which kills.
SECONDS = PATIENCE - 5
# Seconds for which idle connections stay open.
LINGER = 2
# Seconds after which the loop looks around, should nothing have happened.
PAUSE = 0.2


class Stop:
    """A handler for SIGTERM, which counts how often this process was asked to end.

    It raises nothing: wherever Python happens to be, that might be dropped.
    """

    times = 0
    loop: PollLoop | None = None

    def __call__(self, _signal: int, _frame: object) -> None:
        """Once is to end what has begun; who asks twice is in a hurry."""
        self.times += 1
        if self.loop:
            # Else it would sleep on, for up to a second.
            self.loop.interrupt()


def run(loop: PollLoop, channel_class: type[Any], stop: Stop, seconds: float = SECONDS) -> None:
    """Serve until SIGTERM; then drain, for so many seconds at most. SIGINT ends at once."""
    stop.loop = loop
    try:
        while not stop.times:
            loop.turn(PAUSE)
        loop.close()
        channel_class.draining = True
        begun = time.monotonic()
        while loop.channels and stop.times == 1:
            passed = time.monotonic() - begun
            if passed > seconds:
                break
            if passed > LINGER:
                close_idle(loop.channels)
            loop.turn(PAUSE)
    except KeyboardInterrupt:
        pass


def close_idle(channels: Iterable[HTTPChannel]) -> None:
    """Close the connections that have neither a request nor an answer under way."""
    for channel in channels:
        if not (channel.requests or channel.request or channel.total_outbufs_len):
            channel.handle_close()
