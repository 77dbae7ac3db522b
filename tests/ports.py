"""Ports for servers that are started a moment later."""

import random
import socket

# Below those that kernels give to connections as they are made, by whoever runs beside
# these tests: one of them could come between our choice and the server's start.
FIRST, LAST = 20_000, 32_000


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens.

    It is chosen at random, so that tests in several processes hardly ever choose the same.
    """
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
