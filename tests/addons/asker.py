"""Asks of each response who was calling, for `pyramid.includes`."""

from pyramid.events import NewResponse


def includeme(config):
    config.add_subscriber(lambda event: event.request.authenticated_userid, NewResponse)
