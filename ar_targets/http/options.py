"""``OPTIONS`` for every path that there is, without credentials: browsers send none."""

from collections.abc import Callable
from typing import Any

from pyramid.interfaces import IRoutesMapper
from pyramid.request import Request
from pyramid.response import Response

from ..resources import allowed_methods


def tween_factory(
    handler: Callable[[Request], Response], registry: Any
) -> Callable[[Request], Response]:
    """Answer 204 with the methods of the path; what is no path goes on to its 404."""
    mapper = registry.getUtility(IRoutesMapper)

    def tween(request: Request) -> Response:
        service = service_at(request) if request.method == "OPTIONS" else None
        if service is None:
            return handler(request)
        return Response(status=204, headers={"Allow": ", ".join(allowed_methods(service))})

    def service_at(request: Request) -> Any:
        try:
            route = mapper(request)["route"]
        except UnicodeDecodeError:
            return None
        # As the router does, which this request does not reach.
        request.matched_route, request.matchdict = route, {}
        return registry.cornice_services.get(route.pattern) if route else None

    return tween
