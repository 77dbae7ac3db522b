"""One request to the server, sent again where that is safe, its errors made exceptions."""

import importlib.metadata
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, SSLError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from .errors import (
    BY_STATUS,
    UNAVAILABLE,
    ApiError,
    ClientError,
    Fault,
    OutcomeUnknownError,
    UnreachableError,
)
from .retry import Retry, retry_after

# Seconds to connect, and between two bytes of an answer.
TIMEOUT = (5.0, 60.0)
# As many connections are kept as uploads may run side by side.
CONNECTIONS = 32
# The most that a page of a list can have.
PAGE = 200

# Called before each pause, with its seconds and what failed.
OnWait = Callable[[float, ClientError], None]


def server_url(text: str) -> str:
    """The URL of a server in its one form, without ``/api``. Raises ClientError."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ClientError(f"{text!r} is no server's URL; write it like https://ar.example.org")
    if parts.username or parts.password:
        raise ClientError("a server's URL must not hold a password: it would be stored and shown")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/").removesuffix("/api")


class Transport:
    """The way to one server, with one token or none. Threads may share it."""

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
        self.token = token
        self.retry = retry or Retry()
        self.timeout = timeout
        self.on_wait = on_wait
        # Set to end all pauses: no request is sent again from then on.
        self.stopping = threading.Event()
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)
        self.session.headers["User-Agent"] = (
            f"ar-targets/{importlib.metadata.version('ar_targets')}"
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        etag: str | None = None,
        repeatable: bool = True,
    ) -> requests.Response:
        """Send a request to ``/api`` + ``path`` until it is answered.

        ``repeatable``: doing it twice is the same as once, so that it may be
        sent again after a connection was cut; else that is OutcomeUnknownError.
        With ``etag`` the request is done only if that is still the thing's.
        """
        cut = False
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(method, path, body, query, etag)
            except ApiError as refused:
                refused.after_cut = cut
                if cut and refused.status == 412:
                    # The tag may have been changed by the attempt that was cut.
                    raise OutcomeUnknownError(
                        f"{refused}; an attempt that was cut may have done it: read it again"
                    ) from refused
                again, asked = is_retried(refused, repeatable), refused.retry_after
                cut = cut or refused.status in UNAVAILABLE
                failure: ClientError = refused
                if refused.status in UNAVAILABLE and not repeatable:
                    raise OutcomeUnknownError(str(refused), asked) from refused
            except UnreachableError as unreachable:
                again, asked, failure = True, None, unreachable
            except OutcomeUnknownError as unknown:
                again, asked, failure = repeatable, None, unknown
                cut = True
            pause = self.retry.pause(attempt, asked) if again else None
            if pause is None or not self.wait(pause, failure):
                raise failure

    def wait(self, seconds: float, failure: ClientError) -> bool:
        """Wait before another attempt; False where there shall be none."""
        if self.on_wait is not None:
            self.on_wait(seconds, failure)
        return not self.stopping.wait(seconds)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """All items of a list, page after page."""
        query = {"limit": str(PAGE)}
        while True:
            page = json_of(self.send("GET", path, query=query))
            try:
                yield from page["items"]
                following = page["next"]
            except (KeyError, TypeError):
                raise not_ours(self.server) from None
            if following is None:
                return
            # The cursor alone is taken: behind a proxy, the rest may name another host.
            query["cursor"] = parse_qs(urlsplit(following).query)["cursor"][0]

    def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        etag: str | None,
    ) -> requests.Response:
        request_id = uuid.uuid4().hex
        headers = {"X-Request-ID": request_id, "Accept": "application/json, image/jpeg"}
        if etag is not None:
            headers["If-Match"] = etag
        try:
            response = self.session.request(
                method,
                f"{self.server}/api{path}",
                params=query,
                json=body,
                headers=headers,
                auth=self._authorize,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as failed:
            raise self._failure(failed, request_id) from failed
        if not response.ok or response.is_redirect:
            raise self._refusal(response)
        return response

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; without this, ~/.netrc would put a password in its place."""
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _failure(self, failed: requests.RequestException, request_id: str) -> ClientError:
        """What it means that there was no answer."""
        if not isinstance(failed, requests.ConnectionError | requests.Timeout) and not isinstance(
            failed, requests.exceptions.ChunkedEncodingError
        ):
            return ClientError(f"the request to {self.server} cannot be sent: {failed}")
        if isinstance(failed, SSLError | ProxyError):
            return ClientError(f"no secure way to {self.server}: {reason(failed)}")
        if was_not_sent(failed):
            return UnreachableError(f"{self.server} cannot be reached: {reason(failed)}")
        return OutcomeUnknownError(
            f"the connection to {self.server} was cut before the answer came "
            f"(request {request_id}): {reason(failed)}"
        )

    def _refusal(self, response: requests.Response) -> ApiError | ClientError:
        """The exception for an answer that is no success."""
        if response.is_redirect:
            return ClientError(
                f"{self.server} sends on to {response.headers['Location']}; name that server"
            )
        kind = BY_STATUS.get(response.status_code, ApiError)
        return kind(
            response.status_code,
            faults_of(response),
            response.headers.get("X-Request-ID"),
            retry_after(response.headers.get("Retry-After")),
        )


def is_retried(refused: ApiError, repeatable: bool) -> bool:  # noqa: FBT001
    """Whether such an answer invites another attempt. A 429 says that nothing was done."""
    return refused.status == 429 or (repeatable and refused.status in UNAVAILABLE)


def faults_of(response: requests.Response) -> tuple[Fault, ...]:
    """The faults in an error; none where it is not the server's own, but a proxy's."""
    try:
        errors = response.json()["errors"]
        return tuple(
            Fault(str(e["location"]), str(e["name"]), str(e["description"])) for e in errors
        )
    except (ValueError, KeyError, TypeError):
        return ()


def json_of(response: requests.Response) -> Any:
    """The JSON of an answer. Raises ClientError where there is none: another kind of server."""
    try:
        return response.json()
    except ValueError:
        raise not_ours(response.url) from None


def not_ours(url: str) -> ClientError:
    """The error for an answer that ar_targets would not give."""
    return ClientError(f"{url} does not answer as ar_targets does; check the server's URL")


def was_not_sent(failed: requests.RequestException) -> bool:
    """Whether there was no connection to send anything on."""
    cause = failed.args[0] if failed.args else None
    return isinstance(failed, ConnectTimeout) or (
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    )


def reason(failed: requests.RequestException) -> str:
    """The innermost reason, without the names of Python's objects around it."""
    innermost: object = failed
    while isinstance(innermost, BaseException):
        deeper = getattr(innermost, "reason", None) or (innermost.args or (None,))[-1]
        if not isinstance(deeper, BaseException):
            break
        innermost = deeper
    text = str(innermost).rpartition(">: ")[2] or str(innermost)
    return text.rpartition("): ")[2] or text
