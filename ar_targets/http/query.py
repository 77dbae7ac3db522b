"""The parameters of a query string."""

from typing import Any
from urllib.parse import parse_qsl

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request

from ..errors import FieldError, problem
from ..schemas.query import Query


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Names and values in their order, decoded as UTF-8.

    Some clients, curl among them, send letters as they are, not percent-encoded; WSGI servers
    decode the bytes as Latin-1 (PEP 3333). Bytes that are no UTF-8 become lone surrogates, which
    a schema refuses.
    """
    text = request.query_string.encode("latin-1").decode(errors="surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def load_query(request: Request, schema: Query) -> dict[str, Any]:
    """The values of a schema's parameters; others are ignored. Raises 400, naming all at fault."""
    known = {node.name for node in schema.children}
    given = {name: text for name, text in query_pairs(request) if name in known}
    values, faults = schema.load_texts(given)
    if faults:
        wrong = [FieldError("querystring", name, told) for name, told in faults.items()]
        raise problem(HTTPBadRequest, *wrong)
    return values
