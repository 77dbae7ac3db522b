"""Who may ask, and how many at a time."""

import hmac
from collections.abc import Callable

from pyramid.httpexceptions import HTTPUnauthorized
from pyramid.request import Request
from pyramid.response import Response

View = Callable[[object, Request], Response]


def asked(view: View) -> View:
    """A view's decorator: the API and the worker show a key; of them, so many are answered."""

    def guarded(context: object, request: Request) -> Response:
        require_key(request)
        with request.registry.in_flight.place():
            return view(context, request)

    return guarded


def require_key(request: Request) -> None:
    """Raises HTTPUnauthorized. The key is compared in constant time."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    key: str = request.registry.ar_settings.vision_key
    if not hmac.compare_digest(shown.encode(), key.encode()) or scheme.lower() != "bearer":
        raise HTTPUnauthorized(
            "the key is missing or wrong", headers={"WWW-Authenticate": "Bearer"}
        )
