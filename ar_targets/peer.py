"""Who is at the other end of a connection, whatever a header or a proxy says.

For what only some networks may read. Once it is past waitress, a request no
longer shows whether it came through a proxy: its headers are believed or
removed there. So `server` notes the peer before that.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

# In the WSGI environment: the peer's address, "" for a request that was passed on.
KEY = "ar_targets.peer"
# What proxies add. Who adds such a header to a request of their own loses by it.
PASSED_ON = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


def direct(environ: Mapping[str, Any]) -> str:
    """The address of a peer who speaks for nobody else, or ``""``."""
    if any(header in environ for header in PASSED_ON):
        return ""
    return str(environ.get("REMOTE_ADDR", ""))


def is_within(environ: Mapping[str, Any], networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether a request came straight from one of the networks."""
    try:
        # Other servers than ours note nothing.
        address = ip_address(environ[KEY] if KEY in environ else direct(environ))
    except ValueError:
        # Nobody's, or that of a Unix socket.
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
