"""Finds the view of a request's method without trying the others.

Pyramid calls the views of a path one after the other, until one does not raise
an exception to say that the method is not its own. That exception is a whole
response: two of them are a twentieth of what an update costs.
"""

from typing import Any

from pyramid.config import Configurator
from pyramid.config.views import MultiView
from pyramid.interfaces import IMultiView
from pyramid.request import Request


class Dispatch(MultiView):  # type: ignore[misc]  # pyramid has no types
    """The views of one path."""

    def __call__(self, context: Any, request: Request) -> Any:
        """The answer of the first view whose predicates hold. Raises PredicateMismatch."""
        return self.match(context, request)(context, request)


def settle_views(config: Configurator) -> None:
    """Have all views of the application found so; those that come later are tried in turn."""
    config.commit()
    registry = config.registry
    for known in list(registry.registeredAdapters()):
        if known.provided is IMultiView:
            dispatch = Dispatch(known.name)
            dispatch.__dict__.update(known.factory.__dict__)
            registry.registerAdapter(dispatch, known.required, IMultiView, known.name)
