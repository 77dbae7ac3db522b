"""Takes the image out of a body before the rest of it is read as JSON.

A parser copies all that it is given, and each string once more; orjson works in
memory of twelve times the size, which the system must clear first. For an image
of 1 MB, that is a quarter of the CPU that its upload takes of us. What lies
between two quotes can stay where it is: in the body, as it came.
"""

import secrets
from typing import NamedTuple

# Bytes of a string that is worth it.
LARGE = 16 * 1024
# Strings that may come before it: names, and values that are small.
FEW = 16
# What stands in its place in the rest. No client can guess it, and so nobody else sends it.
PLACE = secrets.token_hex()


class Lifted(NamedTuple):
    """A body without its first large string, and that string, as it was written."""

    rest: bytes
    text: memoryview


def lift(body: bytes) -> Lifted | None:
    """The parts of a body; None where nothing in it is large, or that is not written as it is.

    Where no quote before it is escaped, every one begins a string or ends one.
    Whether the body is JSON, the rest tells; what is in the string, whoever reads it.
    """
    end = -1
    for _ in range(FEW):
        start = body.find(b'"', end + 1) + 1
        end = body.find(b'"', start)
        if start == 0 or end < 0:
            return None
        if end - start >= LARGE:
            break
    else:
        return None
    if body.find(b'\\"', 0, start) >= 0 or body.find(b"\\", start, end) >= 0:
        return None
    rest = b"".join((body[:start], PLACE.encode(), body[end:]))
    return Lifted(rest, memoryview(body)[start:end])
