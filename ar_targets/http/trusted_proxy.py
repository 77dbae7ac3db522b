"""What the proxy in front says about its clients, and who is at the other end all the same.

``[app:main] ar_targets.trusted_proxy`` names the proxy, which alone is believed. For
`/metrics`, which only some networks may read, the peer is noted before that.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from pyramid.router import Router
from werkzeug.middleware.proxy_fix import ProxyFix

# In the WSGI environment: the peer's address, "" for a request that was passed on.
PEER = "ar_targets.peer"
# What proxies add. Who adds such a header to a request of their own loses by it.
PASSED_ON = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


class TrustedProxy:
    """A WSGI application that believes the X-Forwarded headers of one proxy."""

    def __init__(self, app: Router, address: str) -> None:
        """``address`` is the proxy's, or ``*`` for whoever connects."""
        self.registry = app.registry
        self._address, self._direct = address, app
        self._forwarded = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        environ[PEER] = direct(environ)
        trusted = self._address in ("*", environ.get("REMOTE_ADDR"))
        answer: Any = self._forwarded if trusted else self._direct
        response: Iterable[bytes] = answer(environ, start_response)
        return response


def direct(environ: Mapping[str, Any]) -> str:
    """The address of a peer who speaks for nobody else, or ``""``."""
    if any(header in environ for header in PASSED_ON):
        return ""
    return str(environ.get("REMOTE_ADDR", ""))


def is_within(environ: Mapping[str, Any], networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether a request came straight from one of the networks."""
    try:
        address = ip_address(environ[PEER] if PEER in environ else direct(environ))
    except ValueError:
        # Nobody's, or that of a Unix socket.
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
