"""One class for all requests, which has what was added to them from the start.

Pyramid gives each request a class of its own, made anew, to hold what
``add_request_method`` has added. That costs as much as a query, and once more
wherever Python looks up an attribute of a class that it has never seen before.
"""

from functools import cached_property

import pyramid.request
from pyramid.config import Configurator
from pyramid.interfaces import IRequestExtensions


class Request(pyramid.request.Request):  # type: ignore[misc]  # pyramid has no types
    """What is asked of each request more than once."""

    @cached_property
    def application_url(self) -> str:
        """Our own address as the client knows it. WebOb would quote it anew each time."""
        address: str = super().application_url
        return address


def settle_class(config: Configurator) -> None:
    """Move what was added to requests into their class; nothing can be added after that."""
    config.commit()
    extensions = config.registry.getUtility(IRequestExtensions)
    members = extensions.methods | extensions.descriptors
    config.set_request_factory(type("OurRequest", (Request,), members))
    extensions.methods.clear()
    extensions.descriptors.clear()
