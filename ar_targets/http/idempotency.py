"""``Idempotency-Key``: a creation that is repeated after a lost answer makes nothing twice."""

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec
from pyramid.httpexceptions import (
    HTTPBadRequest,
    HTTPConflict,
    HTTPException,
    HTTPUnprocessableEntity,
)
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response

from .. import clock
from ..errors import RETRY_AFTER, FieldError, problem
from ..models import idempotency_key
from ..models.idempotency_key import StillAtWorkError, Used
from .body import body_of
from .representation import Json

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
# Visible ASCII characters.
KEY = re.compile(r"[!-~]{1,255}")
# Headers that WebOb sets from the body.
COMPUTED = ("Content-Type", "Content-Length")


class Answer(msgspec.Struct):
    """What is kept of a response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def idempotent(view: Callable[[Request], Json]) -> Callable[[Request], Json | Response]:
    """Decorate the view of a creation: the same key again gets the first answer again.

    Cornice runs its validators first, so that the request is known to be well-formed.
    """

    @functools.wraps(view)
    def answer_once(request: Request) -> Json | Response:
        key = request.headers.get(HEADER)
        if key is None:
            return view(request)
        if not KEY.fullmatch(key):
            raise header_problem(HTTPBadRequest, "it must be 1 to 255 visible ASCII characters")
        key_id, fingerprint = identify(request, key), fingerprint_of(request)
        try:
            used = idempotency_key.claim(request.db, key_id, fingerprint, clock.now())
        except StillAtWorkError:
            raise at_work() from None
        if used is not None:
            return replay(request, used, fingerprint)
        response = render_to_response("json", view(request), request, response=request.response)
        headers = [(name, value) for name, value in response.headerlist if name not in COMPUTED]
        answer = Answer(response.status_int, headers, response.body)
        sealed = request.registry.seal.seal(msgspec.msgpack.encode(answer))
        idempotency_key.keep(request.db, key_id, sealed)
        return response

    return answer_once


def identify(request: Request, key: str) -> bytes:
    """The id of a key: of this caller, for this method and path."""
    parts = (request.authenticated_userid, request.method, request.path, key)
    return hashlib.sha256("\n".join(parts).encode()).digest()


def fingerprint_of(request: Request) -> bytes:
    """A hash of what is sent: of a JPEG as the body, the query has the other fields."""
    head = f"{request.headers.get('Content-Type', '')}\n{request.query_string}\n"
    sent = hashlib.sha256(head.encode())
    sent.update(body_of(request))
    return sent.digest()


def replay(request: Request, used: Used, fingerprint: bytes) -> Response:
    """The first answer again. Raises 422 where something else was sent with the key, and 409."""
    if used.fingerprint != fingerprint:
        raise header_problem(
            HTTPUnprocessableEntity,
            "this key was sent with another body; send a new key with a new request",
        )
    kept = request.registry.seal.open(used.answer)
    if kept is None:
        raise header_problem(
            HTTPConflict,
            "this key was used, and its answer can no longer be read; look what there is, and "
            "send a new key with a new request",
        )
    answer = msgspec.msgpack.decode(kept, type=Answer)
    response = Response(
        body=answer.body, status=answer.status, content_type="application/json", charset=None
    )
    response.headerlist += [*answer.headers, (REPLAYED, "true")]
    return response


def at_work() -> HTTPException:
    """The 409 where the first request with the key has not ended yet."""
    description = f"the first request with this key is at work; try again in {RETRY_AFTER} s"
    return header_problem(HTTPConflict, description, {"Retry-After": str(RETRY_AFTER)})


def header_problem(
    exception: type[HTTPException], description: str, headers: dict[str, Any] | None = None
) -> HTTPException:
    """An exception to raise about the header."""
    return problem(exception, FieldError("header", HEADER, description), headers=headers)
