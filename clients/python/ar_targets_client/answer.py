"""Responses of the server, read up to a maximum size."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from .errors import ClientError

# Bytes that are read at a time.
CHUNK = 65_536
# Maximum bytes of a response. A page has 200 targets at most, each with 65,535 bytes of
# description, which JSON escapes can make six times as long.
ANSWER_MAX = 100 * 2**20
# Maximum bytes of an error response, which may be a proxy's HTML page.
ERROR_MAX = 2**20


@dataclass(frozen=True)
class Answer:
    """A successful response to the request that was sent to ``url``."""

    url: str
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The parsed JSON. Raises ClientError if it is none: the URL is probably wrong."""
        return read_json(self.content, self.url)


class TooLongError(ClientError):
    """The response has more bytes than expected."""


def read_json(content: bytes, url: str) -> Any:
    """Parse the JSON of a response from ``url``. Raises ClientError if it is none."""
    try:
        return json.loads(content)
    # RecursionError: deeply nested arrays.
    except (ValueError, RecursionError):
        raise not_ours(url) from None


def read_within(response: requests.Response, most: int) -> bytes | None:
    """The body of a streamed response; None if it has more than ``most`` bytes.

    Raises requests.RequestException.
    """
    parts, size = [], 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def has_length(response: requests.Response) -> bool:
    """Whether the head of a response tells where its body ends.

    Without that, the end of the connection is the end of the body: nobody knows whether it was
    cut, among the headers even. Servers and proxies avoid that (RFC 9112, 6.3).
    """
    if response.request.method == "HEAD" or response.status_code in (204, 304):
        return True
    length = response.headers.get("Content-Length", "")
    return length.isdecimal() or "chunked" in response.headers.get("Transfer-Encoding", "")


def not_ours(url: str) -> ClientError:
    """The error for a response that cannot be from an ar_targets server."""
    return ClientError(f"{url} does not answer as ar_targets does; check the server's URL")
