"""How every REST service of the API is declared."""

from typing import Any

from cornice import Service

from ..errors import render_cornice_errors
from ..resources import root_factory

# An id in a path. Other texts name nothing (404); above all not ".." or ".",
# which traversal would follow out of the place that the route speaks of.
ID = ":[1-9][0-9]{0,18}"
PROJECT = f"/project/{{project_id{ID}}}"
TOKEN = f"{PROJECT}/jwt/{{token_id{ID}}}"
TARGET = f"{PROJECT}/imagetarget/{{target_id{ID}}}"
USER = f"/user/{{user_id{ID}}}"


def service(name: str, path: str, *, resource: str | None = None) -> Any:
    """A Cornice service at ``/api`` + ``path``.

    Its context is the resource at the same place in the tree, or at that of
    ``resource``: both are written as route patterns.
    """
    return Service(
        name=name,
        path=f"/api{path}",
        factory=root_factory,
        traverse=(resource or path).replace(ID, ""),
        renderer="json",
        error_handler=render_cornice_errors,
        # venusian must attach the service to the module that calls this function.
        depth=2,
    )
