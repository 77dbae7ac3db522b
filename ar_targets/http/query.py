"""The parameters of a query string."""

from urllib.parse import parse_qsl

from pyramid.request import Request


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """Names and values in their order, decoded as UTF-8.

    Some clients, curl among them, send letters as they are, not percent-encoded; WSGI servers
    decode the bytes as Latin-1 (PEP 3333). Bytes that are no UTF-8 become lone surrogates, which
    a schema refuses.
    """
    text = request.query_string.encode("latin-1").decode(errors="surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
