"""Hears all events, for `pyramid.includes`; `registry.heard` has the classes of those that came."""

from pyramid.events import (
    ApplicationCreated,
    BeforeRender,
    BeforeTraversal,
    ContextFound,
    NewRequest,
    NewResponse,
)
from pyramid_retry import BeforeRetry

PYRAMIDS = (
    ApplicationCreated,
    NewRequest,
    BeforeTraversal,
    ContextFound,
    BeforeRender,
    NewResponse,
)
EVENTS = (*PYRAMIDS, BeforeRetry)


def includeme(config):
    config.registry.heard = []
    for event in EVENTS:
        config.add_subscriber(lambda heard: config.registry.heard.append(type(heard)), event)
