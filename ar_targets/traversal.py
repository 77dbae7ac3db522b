"""Follows the path that a route names through the resource tree.

Pyramid's own traverser reads any path: it decodes it, knows ``.`` and ``..``, and takes
what no resource knows for the name of a view. Our routes name each resource on
the way, ids apart, so all that is left is to ask one for the next.
"""

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from .resources import Root


class Walk:
    """Pyramid's ITraverser, from the root of the tree."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def __call__(self, request: Request) -> dict[str, Any]:
        """The context, in the form that Pyramid expects. Raises 404 for what there is not."""
        names = request.matchdict["traverse"]
        context: Any = self._root
        for name in names:
            try:
                context = context[name]
            except KeyError:
                raise HTTPNotFound from None
        return {
            "context": context,
            "view_name": "",
            "subpath": (),
            "traversed": names,
            "virtual_root": self._root,
            "virtual_root_path": (),
            "root": self._root,
        }


def includeme(config: Configurator) -> None:
    """Have the tree traversed so."""
    config.add_traverser(Walk, Root)
