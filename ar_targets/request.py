"""One class for all requests, which has what was added to them from the start.

Pyramid gives each request a class of its own, made anew, to hold what
``add_request_method`` has added. That costs as much as a query, and once more
wherever Python looks up an attribute of a class that it has never seen before.
"""

from typing import Any

import pyramid.request
from cornice.errors import Errors
from pyramid.config import Configurator
from pyramid.decorator import reify
from pyramid.interfaces import IRequestExtensions


class Request(pyramid.request.Request):  # type: ignore[misc]  # pyramid has no types
    """What is asked of each request more than once."""

    @reify  # type: ignore[untyped-decorator]
    def application_url(self) -> str:
        """Our own address as the client knows it. WebOb would quote it anew each time."""
        address: str = super().application_url
        return address

    @reify  # type: ignore[untyped-decorator]
    def validated(self) -> dict[str, Any]:
        """What Cornice's validators have found to be right."""
        return {}

    @reify  # type: ignore[untyped-decorator]
    def errors(self) -> Errors:
        """What they have found to be wrong."""
        return Errors()

    @reify  # type: ignore[untyped-decorator]
    def info(self) -> dict[str, Any]:
        """What Cornice notes for itself."""
        return {}


def settle_class(config: Configurator) -> None:
    """Move what was added to requests into their class; nothing can be added after that."""
    config.commit()
    extensions = config.registry.getUtility(IRequestExtensions)
    members = extensions.methods | extensions.descriptors
    config.set_request_factory(type("OurRequest", (Request,), members))
    extensions.methods.clear()
    extensions.descriptors.clear()


def settle_events(config: Configurator) -> None:
    """Have no events, since Cornice alone would listen to them.

    It gives each request what ours makes when it is asked for, and has each response go
    through filters, of which there are none. Nothing can listen after that.
    """
    config.commit()
    registry = config.registry
    for listener in list(registry.registeredHandlers()):
        registry.unregisterHandler(listener.handler, listener.required)
    registry.has_listeners = False
