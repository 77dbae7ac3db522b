"""The server's first packet, from which some abilities are taken.

What a server does not offer no client asks for: neither TLS nor compression, behind which
nothing could be seen, nor shorter forms of an answer, which this proxy does not know.
"""

from .packet import Packet

COMPRESS, TLS = 1 << 5, 1 << 11
DEPRECATE_EOF, ZSTD, QUERY_ATTRIBUTES = 1 << 24, 1 << 26, 1 << 27
HIDDEN = COMPRESS | TLS | DEPRECATE_EOF | ZSTD | QUERY_ATTRIBUTES
# Of MariaDB's own: to leave the descriptions of columns out the second time.
CACHE_METADATA = 1 << 4
# Behind the version: the connection's number, the first part of the salt, a zero.
BEFORE_LOWER = 4 + 8 + 1
# Behind the lower half of the abilities: character set, status.
BEFORE_UPPER = 2 + 1 + 2
# Behind the upper half: the salt's length, and six bytes of zeros.
BEFORE_MARIADB = 2 + 1 + 6


def thread(greeting: Packet) -> int:
    """The connection's number, by which it can be killed."""
    start = greeting.payload.index(b"\0", 1) + 1
    return int.from_bytes(greeting.payload[start : start + 4], "little")


def reduced(greeting: Packet) -> Packet:
    """The greeting with fewer abilities."""
    payload = bytearray(greeting.payload)
    lower = payload.index(b"\0", 1) + 1 + BEFORE_LOWER
    upper = lower + BEFORE_UPPER
    mariadb = upper + BEFORE_MARIADB
    for at, size, hidden in (
        (lower, 2, HIDDEN & 0xFFFF),
        (upper, 2, HIDDEN >> 16),
        (mariadb, 4, CACHE_METADATA),
    ):
        offered = int.from_bytes(payload[at : at + size], "little")
        payload[at : at + size] = (offered & ~hidden).to_bytes(size, "little")
    return Packet.made(bytes(payload), greeting.place)
