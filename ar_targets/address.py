"""The addresses on which an ini file makes the server listen, and whether they are free.

Used by both servers, `ar_targets.server` and `ar_targets.development.server`, and by
`ar_targets.development.serve`, which prints them and checks them before it starts anything.
"""

import errno
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from .settings import SettingsError

SECTION = "[server:main]"
# How long to wait for a port that is in use.
PORT_SECONDS = 3
# Waitress's defaults: all interfaces, and this port.
DEFAULT_HOST, DEFAULT_PORT = "*", 8080

Place = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


@dataclass(frozen=True)
class Address:
    """A host name or IP address (``*`` for all interfaces), and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL to open on this machine."""
        host = "localhost" if self._is_anywhere else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def _is_anywhere(self) -> bool:
        with suppress(ValueError):
            return ip_address(self.host).is_unspecified
        return self.host in ("", "*")

    def is_taken(self) -> bool:
        """Whether another program listens on the address."""
        host = None if self._is_anywhere else self.host
        with suppress(socket.gaierror):
            found = socket.getaddrinfo(
                host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            return any(_is_taken(family, place) for family, _, _, _, place in found)
        return False


def addresses(server: Mapping[str, Any]) -> list[Address]:
    """The addresses of a ``[server:main]`` section, in waitress's syntax.

    ``listen`` holds one or more of host:port; ``host`` and ``port`` are its
    older form. Invalid values are skipped: the server reports them.
    """
    old_form = f"{server.get('host', DEFAULT_HOST)}:{server.get('port', DEFAULT_PORT)}"
    listen = str(server.get("listen", old_form))
    matches = (re.fullmatch(r"\[?(.*?)\]?:(\d+)", place) for place in listen.split())
    return [Address(match[1], int(match[2])) for match in matches if match]


def require_free(address: Address) -> None:
    """Raises SettingsError, one line, if another program listens there.

    Waits `PORT_SECONDS`: the workers of a parent that was killed end within a second.
    """
    deadline = time.monotonic() + PORT_SECONDS
    while address.is_taken():
        if time.monotonic() > deadline:
            raise SettingsError(
                f"{SECTION} listen: port {address.port} is taken by another program; "
                "stop that one, or change the port"
            )
        time.sleep(0.1)


def _is_taken(family: int, place: Place) -> bool:
    """Try to bind; errors other than EADDRINUSE are left for the server to report."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                attempt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            attempt.bind(place)
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False
