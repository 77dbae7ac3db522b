"""Requests that were good, until somebody changed one thing or more about them."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlencode

from webob import Request

from ..admin.test_fuzz import KNOWN, ODD, ODD_BYTES

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# As WSGI has them: a byte of a header is a character.
TEXTS = [*ODD, *ODD_BYTES, "\x7f", "\xff\xfe", 'W/"', "*", ",,,", "bytes=", "a" * 70_000, "1" * 400]
TEXTS += ["true", "NaN", "1e999", "{}", "0x10", "-0", "\xef\xbb\xbf", "\u00ad"]
VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**30, -(2**63), 1e308, [], {}, [[]], [{}] * 50, ""]
VALUES += [
    *ODD,
    "\ud800",
    "ﷺ" * 500,
    "a\u0300" * 200,
    {"a": {"b": [None]}},
    {"": ""},
    "AAAA",
    "=" * 9,
]
RAW = [b"", b"null", b"[", b"{", b'{"a":1,"a":2}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"NaN"]
RAW += [
    b'{"name":"\\ud800"}',
    b"[" * 5000,
    b'{"ttl":1e999}',
    b"{}{}",
    b"\0" * 50,
    b"--x--",
    b"a=b&&;",
]
RAW += [b'{"name":' + b"9" * 5000 + b"}", b'{"metadata":' + b'{"a":' * 600 + b"1" + b"}" * 601]
NAMES = ["name", "login", "password", "description", "image", "metadata", "active", "ttl", "access"]
NAMES += [
    "physical_width",
    "role",
    "id",
    "is_admin",
    "owner_id",
    "revision",
    "",
    "\ud800",
    "__class__",
]
QUERIES = [
    *KNOWN,
    "cursor",
    "fields",
    "deleted",
    "member",
    "active",
    "sha256",
    "name_prefix",
    "a[]",
]
HEADERS = ["Accept", "Accept-Language", "Accept-Encoding", "If-Match", "If-None-Match", "Range"]
HEADERS += ["If-Range", "If-Modified-Since", "Content-Type", "Content-Encoding", "Content-Language"]
HEADERS += ["Authorization", "Cookie", "Origin", "Referer", "Host", "Forwarded", "X-Forwarded-For"]
HEADERS += ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-ID", "Idempotency-Key", "Expect"]
HEADERS += ["Access-Control-Request-Method", "Access-Control-Request-Headers", "Traceparent"]
HEADERS += ["X-HTTP-Method-Override", "User-Agent", "Connection", "Prefer", "X-CSRFToken", "TE"]
HEADER_VALUES = [*TEXTS, "text/html", "*/*;q=0", "image/jpeg", f"{JSON}; charset=utf-16", "gzip"]
HEADER_VALUES += ["multipart/form-data", "multipart/form-data; boundary=x", "bytes=0-0,-1,5-", FORM]
HEADER_VALUES += [
    "bytes=9999999999999999999-",
    "bytes=-0",
    '"a", W/"b", *',
    "Bearer",
    "Bearer a.b.c",
]
HEADER_VALUES += ["Basic eDp5", "ar_targets_admin=x", "Thu, 32 Foo 2026", "[::1", "::1:x", "a:b:c"]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "get",
    "X" * 99,
]


@dataclass
class HostileRequest:
    """What can be changed about a request. Paths and queries are as they travel."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def environ(self) -> dict[str, Any]:
        """For WSGI; a server has decoded the path, to bytes that are written as characters."""
        made = Request.blank("/").environ
        made |= {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": unquoted(self.path),
            "QUERY_STRING": self.query,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": BytesIO(self.body),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            # A server takes no header apart, and none with the end of a line in it.
            clean = value.replace("\r", "").replace("\n", "").replace("\0", "")
            clean = clean.encode().decode("latin-1") if max(clean, default="") > "\xff" else clean
            made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = clean.strip()
        return made

    def __str__(self) -> str:
        return repr((self.method, self.path, self.query, self.headers, self.body[:2000]))


def unquoted(path: str) -> str:
    """What WSGI has for a path."""
    return unquote_to_bytes(path.partition("?")[0]).decode("latin-1")


def quoted(text: str) -> str:
    """Any text, half characters as well, in a URL; what is quoted already stays."""
    return text if text in ODD_BYTES else quote_from_bytes(text.encode(errors="surrogatepass"))


class Mutator:
    """Changes requests at random."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def mutate(self, request: HostileRequest) -> HostileRequest:
        """Change one thing to four about it."""
        for _ in range(self._chance.choice((1, 1, 1, 2, 2, 3, 4))):
            self._chance.choice(CHANGES)(self, request)
        return request

    def change_method(self, request: HostileRequest) -> None:
        request.method = self._chance.choice(METHODS)

    def change_path(self, request: HostileRequest) -> None:
        """Put something odd into the place of a part of it, or between two."""
        parts = request.path.split("/")
        at, odd = self._chance.randrange(len(parts)), quoted(self._chance.choice(ODD + ODD_BYTES))
        parts[at : at + self._chance.randint(0, 1)] = [odd]
        request.path = "/" + "/".join(parts).lstrip("/")[:8000]

    def change_query(self, request: HostileRequest) -> None:
        pair = f"{self._chance.choice(QUERIES)}={quoted(self._chance.choice(TEXTS)[:8000])}"
        kept = request.query.split("&") if request.query else []
        if kept and self._chance.random() < 0.5:
            at = self._chance.randrange(len(kept))
            pair = f"{kept.pop(at).partition('=')[0]}={quoted(self._chance.choice(TEXTS)[:8000])}"
        request.query = "&".join([*kept, pair])

    def change_header(self, request: HostileRequest) -> None:
        request.headers[self._chance.choice(HEADERS)] = self._chance.choice(HEADER_VALUES)

    def bend_header(self, request: HostileRequest) -> None:
        """A token, a cookie or a type, with some of its characters replaced, or an end missing."""
        if request.headers:
            name = self._chance.choice(sorted(request.headers))
            bent = self._bend(request.headers[name].encode("utf-8", "surrogatepass"))
            request.headers[name] = bent.decode("latin-1")

    def bend_body(self, request: HostileRequest) -> None:
        request.body = self._bend(request.body)

    def change_body(self, request: HostileRequest) -> None:
        request.body = self._chance.choice(RAW)

    def change_value(self, request: HostileRequest) -> None:
        """One field of JSON or of a form."""
        kind = request.headers.get("Content-Type")
        name, value = self._chance.choice(NAMES), self._chance.choice(VALUES)
        if kind == FORM:
            pairs = request.body.split(b"&")
            if self._chance.random() < 0.7:
                at = self._chance.randrange(len(pairs))
                name = pairs.pop(at).partition(b"=")[0].decode("latin-1")
            odd = urlencode({"x": str(value)}, errors="surrogatepass").partition("=")[2]
            pairs.append(f"{quoted(name)}={odd}".encode())
            request.body = b"&".join(pairs)
        elif kind == JSON:
            try:
                found = json.loads(request.body)
            except (ValueError, RecursionError):
                return
            if isinstance(found, dict):
                if found and self._chance.random() < 0.7:
                    name = self._chance.choice(sorted(found))
                request.body = json.dumps(found | {name: value}).encode()

    def _bend(self, raw: bytes) -> bytes:
        at = self._chance.randrange(len(raw) + 1)
        piece = self._chance.randbytes(self._chance.randint(0, 4))
        return raw[:at] + piece + raw[at + self._chance.choice((0, 1, 4, len(raw))) :]


CHANGES: list[Callable[[Mutator, HostileRequest], None]] = [
    Mutator.change_method,
    Mutator.change_path,
    Mutator.change_query,
    Mutator.change_query,
    Mutator.change_header,
    Mutator.change_header,
    Mutator.bend_header,
    Mutator.bend_body,
    Mutator.change_body,
    Mutator.change_value,
    Mutator.change_value,
    Mutator.change_value,
]
