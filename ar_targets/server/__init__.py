"""Runs the application on waitress: ``[server:main] use = egg:ar_targets#waitress``.

It is waitress with all its own settings. What it answers by itself (a request
that is no HTTP, a body too large to read) has the error shape and the headers
of the rest, and its limit for bodies follows from the application's.

::

    loop      which connections have something to say   workers  several processes
    framing   where a request begins and ends           drain    how they end
    patience  how long clients are waited for           memory   given back when freed
    lanes     who answers which request                 shares   how they share clients
    turns     small ones, in the loop's own thread      minder   another when one has ended
    whole     responses sent uncopied
"""

import logging
import signal
from typing import Any

import waitress
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router
from waitress import proxy_headers
from waitress.adjustments import Adjustments
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, Error, build_http_date

from .. import access, peer
from ..engine import is_understood
from ..errors import FieldError, error_response
from ..image import largest_body
from ..telemetry import trace
from ..telemetry.metrics import Metrics
from ..telemetry.trace import Trace
from ..tweens import cors
from . import drain, memory, workers
from .drain import Stop
from .framing import StrictParser
from .lanes import Lanes
from .loop import Loop
from .patience import REQUEST_TIMEOUT, ImpatientChannel
from .shares import Share
from .turns import Turns
from .whole import WholeResponse
from .workers import Worker

log = logging.getLogger(__name__)

# Waitress reads 8 KiB a time by default; an image has a thousand times that.
RECEIVE_BYTES = 256 * 1024
# Bytes of a request line and headers. Ours have hundreds; admin panels have cookies.
HEADER_BYTES = 64 * 1024
# Bytes of a body that waits in memory; larger ones wait on disk.
BODY_IN_MEMORY = 2 * 1024 * 1024
# Bytes of a response that goes out together with its headers.
ONE_PACKET = 64 * 1024
# What a proxy that is trusted says about its client; all else that a client
# says in such headers is dropped.
PROXY_HEADERS = "x-forwarded-for x-forwarded-host x-forwarded-proto"
# Above this many times our own limit, waitress refuses a body unread. Up to it,
# we can say what else is wrong; the body waits on disk meanwhile, not in memory.
BODY_SHARE = 2


class JsonErrorTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers a request that never reaches the application."""

    def execute(self) -> None:
        """Write the response, in place of waitress's plain text."""
        error: Error = self.request.error
        headers, registry = self.request.headers, self.channel.registry
        noted = Trace(trace.choose(headers.get("X_REQUEST_ID", "")))
        response = refusal(error, headers, noted, registry.ar_settings.cors_origins)
        # A request line that cannot be read leaves no method.
        noted.method, noted.address = getattr(self.request, "command", ""), self.channel.addr[0]
        access.finish(noted, response)
        registry.journal.add(noted)
        self.status = response.status
        self.response_headers.extend(response.headerlist)
        self.set_close_on_finish()
        self.write(response.body)


class OurTask(WSGITask):  # type: ignore[misc]
    """Hands a request to the application, and its response to the client."""

    wrote_header: bool
    response_headers: list[tuple[str, str]]

    def write(self, data: bytes) -> None:
        """Send a response together with its headers, a large one without copying it."""
        if self.wrote_header or self.content_length != len(data):
            super().write(data)
            return
        headers = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = len(data)
        if not self.has_body:
            self.channel.write_soon(headers)
        elif len(data) <= ONE_PACKET:
            self.channel.write_soon(headers + data)
        else:
            self.channel.write_soon(WholeResponse(headers, data))

    def build_response_header(self) -> bytes:
        """The status and the headers, as the application has written them.

        Waitress would end the connection after a response without a body (304,
        204), as after one whose end cannot be told; and spell, sort and split each
        header anew.
        """
        ends = self.content_length is not None or not self.has_body
        wants_more = self.request.headers.get("CONNECTION", "").lower() != "close"
        if self.version != "1.1" or not (ends and wants_more):
            headers: bytes = super().build_response_header()
            return headers
        written = self.response_headers
        if not self.has_body:
            written = [header for header in written if header[0].lower() != "content-length"]
        elif not any(name.lower() == "content-length" for name, _ in written):
            written.append(("Content-Length", str(self.content_length)))
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in written)]
        lines.append(f"Date: {build_http_date(self.start_time)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1")

    def get_environment(self) -> dict[str, Any]:
        """The WSGI environment, before waitress has believed or removed a proxy's headers."""
        environ: dict[str, Any] = super().get_environment()
        environ[peer.KEY] = peer.direct(environ)
        return environ


class Channel(ImpatientChannel):
    """A connection whose errors are JSON, and whose requests say where they come from."""

    parser_class = StrictParser
    task_class = OurTask
    error_task_class = JsonErrorTask
    registry: Any = None
    # Set when the server is to end: then no connection is kept for another request.
    draining = False

    def service(self) -> None:
        """Answer the requests that have arrived."""
        if self.draining:
            for request in self.requests:
                request.headers["CONNECTION"] = "close"
        super().service()


class JsonBadRequest(BadRequest):  # type: ignore[misc]
    """What waitress answers where a trusted proxy's headers make no sense."""

    def to_response(self, _ident: object = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        response = refusal(self, {}, Trace(trace.choose("")), frozenset())
        return response.status, response.headerlist, response.body


def refusal(
    error: Error, headers: dict[str, str], noted: Trace, cors_origins: frozenset[str]
) -> Response:
    """The response to a request of which there are only headers, if any, as waitress names them."""
    request = Request.blank("/", headers={"Origin": headers.get("ORIGIN", "")})
    response = error_response(error.code, [FieldError("", "", f"{error.reason}: {error.body}")])
    access.mark(response, noted.request_id)
    if cors_origins:
        cors.allow(request, response, cors_origins)
    return response


def serve(app: Router, global_conf: dict[str, str], **options: Any) -> int:
    """A PasteDeploy server runner, until SIGTERM or SIGINT. With several workers it never returns.

    ``workers`` processes share the listening sockets (default 1: one process
    has one interpreter lock, and so the use of one core); ``request_timeout``
    is how long a request may take to come in. All other options are waitress's.
    """
    memory.return_large_blocks()
    number = int(options.pop("workers", 1))
    number = app.registry.ar_settings.workers or number
    ours = {
        "registry": app.registry,
        "request_timeout": int(options.pop("request_timeout", REQUEST_TIMEOUT)),
    }
    channel = type("OurChannel", (Channel,), ours)
    options.setdefault("max_request_body_size", BODY_SHARE * largest_body(app.registry.ar_settings))
    options.setdefault("recv_bytes", RECEIVE_BYTES)
    options.setdefault("inbuf_overflow", BODY_IN_MEMORY)
    options.setdefault("max_request_header_size", HEADER_BYTES)
    if app.registry.ar_settings.trusted_proxy:
        options["trusted_proxy"] = app.registry.ar_settings.trusted_proxy
        options.setdefault("trusted_proxy_headers", PROXY_HEADERS)
    # Nobody needs to know whose servers to look for flaws in.
    options.setdefault("ident", "")
    # Waitress offers no choice of this one: its module's own name for it is replaced.
    proxy_headers.BadRequest = JsonBadRequest
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    appointed = workers.appointed()
    if appointed is None and number == 1:
        run(app, channel, options, stop)
        return 0
    if app.registry.ar_settings.login_failure_storage.startswith("memory:"):
        log.warning(
            "each of %s workers counts failed logins by itself; "
            "ar_targets.login_failure_storage can name a storage that they share",
            number,
        )
    sockets = [] if appointed else workers.listen(Adjustments(**options))
    for name in ("listen", "host", "port"):
        options.pop(name, None)

    def work(worker: Worker) -> None:
        worker.begin()
        app.registry.metrics = Metrics(app.registry.engine, worker.directory, worker.place)
        run(app, channel, options | {"sockets": worker.sockets}, stop, worker.share)

    if appointed is None:
        # No connection is to be several processes', nor to wait in one that has no use for it.
        app.registry.engine.dispose()
        workers.supervise(number, work, sockets, stop)
    work(appointed)
    return 0


def run(
    app: Router,
    channel: type[Channel],
    options: dict[str, Any],
    stop: Stop,
    share: Share | None = None,
) -> None:
    """Serve in this process until a signal comes, and what has begun is done."""
    lanes = Lanes(Adjustments(**options).threads)
    server = waitress.create_server(app, _dispatcher=lanes, **options)
    # One listening socket is the server itself; several are kept in its map.
    sockets = (server, *(getattr(server, "map", None) or {}).values())
    listeners = [each for each in sockets if hasattr(each, "channel_class")]
    channel.loop = Loop(listeners, share)
    # Nobody in the loop's thread must ever wait for a connection that a thread holds.
    spare = app.registry.ar_settings.database_pool_size - lanes.threads
    if channel.loop.takes_turns and is_understood(app.registry.engine) and spare > 0:
        lanes.turns = Turns(channel.loop, spare)
    for listener in listeners:
        listener.channel_class = channel
    server.print_listen("Serving on http://{}:{}")
    app.registry.journal.gather()
    try:
        drain.run(channel.loop, channel, stop)
    finally:
        lanes.shutdown()
        app.registry.journal.write()
