"""Declares the Cornice services of the API."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from cornice import Service

from ..errors import render_cornice_errors
from ..resources import public_factory, root_factory

# An id in a route pattern. Other texts do not match (404), in particular not ".." or ".", which
# traversal would follow to another resource.
ID = ":[1-9][0-9]{0,18}"
PROJECT = f"/project/{{project_id{ID}}}"
TOKEN = f"{PROJECT}/jwt/{{token_id{ID}}}"
MEMBER = f"{PROJECT}/member/{{user_id{ID}}}"
TARGET = f"{PROJECT}/imagetarget/{{target_id{ID}}}"
USER = f"/user/{{user_id{ID}}}"


View = TypeVar("View", bound=Callable[..., Any])


class RestService(Protocol):
    """The part of a Cornice service that views use: a decorator for each method."""

    def get(self, **arguments: Any) -> Callable[[View], View]:
        """Answer GET, and HEAD."""

    def post(self, **arguments: Any) -> Callable[[View], View]:
        """Answer POST."""

    def put(self, **arguments: Any) -> Callable[[View], View]:
        """Answer PUT."""

    def patch(self, **arguments: Any) -> Callable[[View], View]:
        """Answer PATCH."""

    def delete(self, **arguments: Any) -> Callable[[View], View]:
        """Answer DELETE."""


def service(name: str, path: str, *, resource: str | None = None) -> RestService:
    """A Cornice service at ``/api`` + ``path``.

    Its context is the resource at the same path of the tree, or at that of ``resource``: both are
    route patterns.
    """
    traverse = (resource or path).replace(ID, "")
    return _declare(name, f"/api{path}", factory=root_factory, traverse=traverse)


def public_service(name: str, path: str) -> RestService:
    """A Cornice service outside the resource tree, for everyone."""
    return _declare(name, path, factory=public_factory)


def _declare(name: str, path: str, **arguments: Any) -> RestService:
    made = Service(
        name=name,
        path=path,
        renderer="json",
        error_handler=render_cornice_errors,
        # venusian must attach the service to the module of the views.
        depth=3,
        **arguments,
    )
    return cast("RestService", made)
