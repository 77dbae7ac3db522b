"""The X-Forwarded headers of the trusted proxy, and the address of the direct peer.

``[app:main] ar_targets.trusted_proxy`` names the proxy; these headers are ignored from anyone
else. `/metrics`, which only some networks may read, uses the peer's address, which is stored
before the headers are applied.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from pyramid.router import Router
from werkzeug.middleware.proxy_fix import ProxyFix

# Key of the WSGI environment: the direct peer's address, "" for a forwarded request.
PEER = "ar_targets.peer"
# Headers that proxies add. A client that sends one itself only loses access.
PASSED_ON = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
# Some proxies add the port of the client's connection: 192.0.2.1:4711 or [2001:db8::1]:4711.
WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


class TrustedProxy:
    """WSGI middleware that trusts the X-Forwarded headers of one proxy."""

    def __init__(self, app: Router, address: str) -> None:
        """``address`` is the proxy's, or ``*`` for any peer."""
        self.registry = app.registry
        self._address, self._direct = address, app
        self._forwarded = ProxyFix(self._sensible, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        environ[PEER] = direct(environ)
        trusted = self._address in ("*", environ.get("REMOTE_ADDR"))
        answer: Any = self._forwarded if trusted else self._direct
        response: Iterable[bytes] = answer(environ, start_response)
        return response

    def _sensible(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request of the trusted proxy, without values that cannot be.

        What is no address would be a key of its own to the rate limits, and so would each port.
        """
        before = environ["werkzeug.proxy_fix.orig"]
        address = address_in(environ.get("REMOTE_ADDR", ""))
        environ["REMOTE_ADDR"] = address or before["REMOTE_ADDR"]
        if environ["wsgi.url_scheme"] not in ("http", "https"):
            environ["wsgi.url_scheme"] = before["wsgi.url_scheme"]
        response: Iterable[bytes] = self._direct(environ, start_response)
        return response


def address_in(text: str) -> str | None:
    """The IP address in a value of X-Forwarded-For, without a port or zone; None if it has none."""
    if found := WITH_PORT.fullmatch(text):
        text = found[1] or found[2] or ""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def direct(environ: Mapping[str, Any]) -> str:
    """The peer's address, or ``""`` where a proxy has forwarded the request."""
    if any(header in environ for header in PASSED_ON):
        return ""
    return str(environ.get("REMOTE_ADDR", ""))


def is_within(environ: Mapping[str, Any], networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether a request came directly from one of the networks."""
    try:
        address = ip_address(environ[PEER] if PEER in environ else direct(environ))
    except ValueError:
        # A forwarded request, or a Unix socket.
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
