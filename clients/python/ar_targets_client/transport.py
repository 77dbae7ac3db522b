"""Sends requests to the server, retries them where that is safe, and raises the errors.

The token is sent to that server only: redirects are not followed, and of the URLs
in a response only a list's cursor is used.
"""

import hashlib
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, SSLError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from .answer import (
    ANSWER_MAX,
    ERROR_MAX,
    Answer,
    TooLongError,
    has_length,
    not_ours,
    read_json,
    read_within,
)
from .errors import (
    BY_STATUS,
    UNAVAILABLE,
    ApiError,
    ClientError,
    Fault,
    OutcomeUnknownError,
    UnreachableError,
)
from .fields import Text
from .payload import Payload, encode
from .retry import Retry, retry_after
from .version import VERSION

# Timeouts in seconds: to connect, and between two bytes of a response.
TIMEOUT = (5.0, 60.0)
# Size of the connection pool: the maximum of parallel uploads.
CONNECTIONS = 32
# Maximum number of items in a page of a list.
PAGE = 200
# Maximum bytes of a list, all pages together.
LIST_MAX = 2**30
# Maximum characters of an error response's messages that are shown.
FAULTS_MAX = 10_000
# The validator of each part of an error.
WORDS = Text(0, FAULTS_MAX)
# A cursor of keyset pagination, with a name in a list by names; it is sent back unchanged.
CURSOR = re.compile("[!-~]{1,5000}")
# Characters of a token; others would make an invalid header, or a second one.
TOKEN = re.compile("[ -~]+")
KEY_HEADER = "Idempotency-Key"
# Characters of an idempotency key.
KEY = re.compile("[!-~]{1,255}")

# Called before each retry, with the seconds to wait and the error.
OnWait = Callable[[float, ClientError], None]


def server_url(text: str) -> str:
    """Normalise a server's URL, without ``/api``. Raises ClientError."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ClientError(f"{text!r} is no server's URL; write it like https://ar.example.org")
    if parts.username or parts.password:
        raise ClientError("a server's URL must not hold a password: it would be stored and shown")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/").removesuffix("/api")


class StayingSession(requests.Session):
    """A session that does not process redirects.

    Even with ``allow_redirects=False``, requests parses the redirect's URL, which fails
    for some, and first reads its body, however long.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """None: no response is a redirect."""
        return None


class Transport:
    """Sends requests to one server, with one token or none. Thread-safe."""

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        retry: Retry | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        on_wait: OnWait | None = None,
    ) -> None:
        self.server = server_url(server)
        if token is not None and TOKEN.fullmatch(token) is None:
            raise ClientError("the token has a character that no token has, such as a line break")
        self.token = token
        self.retry = retry or Retry()
        self.timeout = timeout
        self.on_wait = on_wait
        # When set, all waits end and nothing is retried any more.
        self.stopping = threading.Event()
        self.session = StayingSession()
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)
        self.session.headers["User-Agent"] = f"ar-targets/{VERSION}"

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Payload = None,
        query: Mapping[str, str] | None = None,
        etag: str | None = None,
        idempotency_key: str | None = None,
        most: int = ANSWER_MAX,
    ) -> Answer:
        """Send a request to ``/api`` + ``path``, and retry it as ``retry`` allows.

        It must be one that does no harm if it is done twice, or have an ``idempotency_key``, with
        which the server does it once. Calls with the same key and arguments send the same bytes.
        ``etag`` is sent as If-Match. A response of more than ``most`` bytes raises TooLongError,
        and is not read to its end.
        """
        headers = {"Accept": "application/json, image/jpeg, image/png"}
        boundary = None
        if idempotency_key is not None:
            headers[KEY_HEADER] = idempotency_key
            boundary = boundary_of(idempotency_key)
        if etag is not None:
            headers["If-Match"] = etag
        # Once for all attempts.
        data, content_type = encode(body, boundary)
        if content_type is not None:
            headers["Content-Type"] = content_type
        cut = False
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(method, path, data, query, headers, most)
            except ApiError as refused:
                at_work = is_at_work(refused, idempotency_key)
                cut = refused.after_cut = cut or at_work or refused.status in UNAVAILABLE
                if cut and refused.status == 412:
                    # The attempt that lost its connection may have changed the entity tag.
                    raise OutcomeUnknownError(
                        f"{refused}; an attempt that was cut may have done it: read it again"
                    ) from refused
                again = at_work or refused.status in (429, *UNAVAILABLE)
                asked = refused.retry_after
                failure: ClientError = OutcomeUnknownError(str(refused)) if at_work else refused
            except UnreachableError as unreachable:
                again, asked = True, None
                failure = OutcomeUnknownError(str(unreachable)) if cut else unreachable
            except OutcomeUnknownError as unknown:
                again, asked, failure = True, None, unknown
                cut = True
            pause = self.retry.pause(attempt, asked) if again else None
            if pause is None or not self.wait(pause, failure):
                raise failure

    def wait(self, seconds: float, failure: ClientError) -> bool:
        """Wait before a retry; False if there should be none."""
        if self.on_wait is not None:
            self.on_wait(seconds, failure)
        return not self.stopping.wait(seconds)

    def pages(
        self, path: str, filters: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """All items of a list, page after page. Raises ClientError, also for too long a list."""
        query = {"limit": str(PAGE)} | dict(filters or {})
        left = LIST_MAX
        while True:
            answer = self.send("GET", path, query=query)
            left -= len(answer.content)
            if left < 0:
                raise TooLongError(f"the list of {self.server} has more than {LIST_MAX:,} bytes")
            page = answer.json()
            try:
                items, following = page["items"], page["next"]
            except (KeyError, TypeError):
                raise not_ours(self.server) from None
            # Only the last page may be empty.
            if not isinstance(items, list) or not (items or following is None):
                raise not_ours(self.server)
            yield from items
            if following is None:
                return
            query["cursor"] = self._cursor_of(following)

    def _cursor_of(self, following: object) -> str:
        """The cursor in a page's ``next``. Raises ClientError.

        The rest of the URL is ignored: behind a proxy, it may name another host.
        """
        if not isinstance(following, str):
            raise not_ours(self.server)
        try:
            cursor = parse_qs(urlsplit(following).query)["cursor"][0]
        except (KeyError, ValueError):
            raise not_ours(self.server) from None
        if CURSOR.fullmatch(cursor) is None:
            raise not_ours(self.server)
        return cursor

    def _once(
        self,
        method: str,
        path: str,
        data: bytes | None,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        most: int,
    ) -> Answer:
        request_id = uuid.uuid4().hex
        try:
            with self.session.request(
                method,
                f"{self.server}/api{path}",
                params=query,
                data=data,
                headers={**headers, "X-Request-ID": request_id},
                auth=self._authorize,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                done = response.ok and not response.is_redirect
                content = read_within(response, most if done else ERROR_MAX)
        except requests.RequestException as failed:
            raise self._failure(failed, request_id) from failed
        except ValueError as odd:
            # http.client raises ValueError for some responses that are not HTTP.
            raise not_ours(self.server) from odd
        if content is not None and not has_length(response):
            raise self._cut("within the answer's head, or it has no length", request_id)
        if not done:
            raise self._refusal(response, content or b"")
        if content is None:
            raise TooLongError(f"{response.url} answers with more than {most:,} bytes")
        return Answer(response.url, response.headers, content)

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; without this, requests would send a password from ~/.netrc."""
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _failure(self, failed: requests.RequestException, request_id: str) -> ClientError:
        """The exception for a request without a response."""
        if not isinstance(failed, requests.ConnectionError | requests.Timeout) and not isinstance(
            failed, requests.exceptions.ChunkedEncodingError
        ):
            return ClientError(f"the request to {self.server} cannot be sent: {failed}")
        if isinstance(failed, SSLError | ProxyError):
            return ClientError(f"no secure way to {self.server}: {reason(failed)}")
        if was_not_sent(failed):
            return UnreachableError(f"{self.server} cannot be reached: {reason(failed)}")
        return self._cut(reason(failed), request_id)

    def _cut(self, why: str, request_id: str) -> OutcomeUnknownError:
        """The exception for an answer that did not come, or only a part of it."""
        return OutcomeUnknownError(
            f"the connection to {self.server} was cut before the answer came "
            f"(request {request_id}): {why}"
        )

    def _refusal(self, response: requests.Response, content: bytes) -> ApiError | ClientError:
        """The exception for a response that is not a success."""
        if response.is_redirect:
            return ClientError(
                f"{self.server} sends on to {response.headers['Location']}; name that server"
            )
        kind = BY_STATUS.get(response.status_code, ApiError)
        body = object_of(content)
        return kind(
            response.status_code,
            faults_of(body),
            response.headers.get("X-Request-ID"),
            retry_after(response.headers.get("Retry-After")),
            body,
        )


def new_key() -> str:
    """A new idempotency key."""
    return uuid.uuid4().hex


def boundary_of(idempotency_key: str) -> str:
    """The boundary of a form that is sent with a key. Raises ClientError if it is no key."""
    if KEY.fullmatch(idempotency_key) is None:
        raise ClientError("an idempotency key must be 1 to 255 visible ASCII characters")
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]


def is_at_work(refused: ApiError, idempotency_key: str | None) -> bool:
    """Whether the server is still at an earlier attempt with the same key."""
    asked = refused.retry_after
    return idempotency_key is not None and refused.status == 409 and asked is not None


def object_of(content: bytes) -> dict[str, Any]:
    """The JSON object of an error response; empty if the response is a proxy's."""
    try:
        body = read_json(content, "")
    except ClientError:
        return {}
    return body if isinstance(body, dict) else {}


def faults_of(body: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The errors that the server reports; empty if they are none of ours, or too long to show."""
    try:
        faults = tuple(
            Fault(WORDS(e["location"]), WORDS(e["name"]), WORDS(e["description"]))
            for e in body["errors"]
        )
    except (KeyError, TypeError, ValueError):
        return ()
    return faults if len("; ".join(map(str, faults))) < FAULTS_MAX else ()


def was_not_sent(failed: requests.RequestException) -> bool:
    """Whether no connection was established, so that nothing was sent."""
    cause = failed.args[0] if failed.args else None
    return isinstance(failed, ConnectTimeout) or (
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    )


def reason(failed: requests.RequestException) -> str:
    """The innermost error's message, without the reprs of Python objects."""
    innermost: object = failed
    while isinstance(innermost, BaseException):
        deeper = getattr(innermost, "reason", None) or (innermost.args or (None,))[-1]
        if not isinstance(deeper, BaseException):
            break
        innermost = deeper
    text = str(innermost).rpartition(">: ")[2] or str(innermost)
    return text.rpartition("): ")[2] or text
