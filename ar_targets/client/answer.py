"""What a server answered, read to its end, but never without one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from .errors import ClientError

# Bytes that are read at a time.
CHUNK = 65_536
# Bytes of the longest answer. A page has 200 targets at most, each with 65,535 bytes of
# description, which JSON can write six times as long.
ANSWER_MAX = 100 * 2**20
# Bytes of an error that are read: enough for ours, and for a proxy's page.
ERROR_MAX = 2**20


@dataclass(frozen=True)
class Answer:
    """A server's answer to a request that was sent to ``url``."""

    url: str
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The JSON in it. Raises ClientError where there is none: another kind of server."""
        return read_json(self.content, self.url)


class TooLongError(ClientError):
    """An answer that is longer than any that was to be expected."""


def read_json(content: bytes, url: str) -> Any:
    """The JSON in an answer of ``url``. Raises ClientError where there is none."""
    try:
        return json.loads(content)
    # The latter for brackets within brackets.
    except (ValueError, RecursionError):
        raise not_ours(url) from None


def read_within(response: requests.Response, most: int) -> bytes | None:
    """The body of a response that was asked for as a stream; None if it has over ``most`` bytes.

    Raises requests.RequestException.
    """
    parts, size = [], 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def not_ours(url: str) -> ClientError:
    """The error for an answer that ar_targets would not give."""
    return ClientError(f"{url} does not answer as ar_targets does; check the server's URL")
