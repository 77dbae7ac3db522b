"""Lets go of what a request held, as soon as it is answered.

A request, its resources and its exception refer to each other in circles, which
Python finds when it looks for them: after some hundred requests. Until then
each upload would keep its image, and each refused one the text of its body.
"""

import traceback
from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.response import Response


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Empty what may be large."""

    def tween(request: Request) -> Response:
        try:
            return handler(request)
        finally:
            # The response goes on to the server, which alone needs it now.
            vars(request).pop("response", None)
            if validated := getattr(request, "validated", None):
                validated.clear()
            error = request.exception
            while error is not None:
                # Who may want to try again looks at the exception, but not at its frames.
                traceback.clear_frames(error.__traceback__)
                error = error.__cause__ or error.__context__

    return tween
