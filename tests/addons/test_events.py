"""Every event of Pyramid's reaches whoever listens to it."""

import pytest
from pyramid.events import ApplicationCreated, ContextFound, NewRequest, NewResponse
from pyramid_retry import BeforeRetry
from sqlalchemy import text

from ar_targets.models import project as projects

from .listener import PYRAMIDS

# The database's own error, without another transaction to meet.
DEADLOCK = text("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")


@pytest.fixture
def heard(make_app):
    """(client, what was heard since it was made)."""
    client = make_app(**{"pyramid.includes": "tests.addons.listener"})
    return client, client.registry.heard


@pytest.mark.parametrize("event", PYRAMIDS)
def test_each_event_of_a_request(heard, owner, event):
    client, events = heard
    client.call("GET", "/api/project", who=owner)
    assert events.count(event) == 1


@pytest.mark.parametrize("path", ["/api/nothing", "/api/project/999"])
def test_what_is_not_found_has_its_events_too(heard, owner, path):
    client, events = heard
    client.call("GET", path, who=owner, status=404)
    assert events[:2] == [ApplicationCreated, NewRequest]
    assert events[-1] is NewResponse


def test_a_request_that_is_run_again_is_announced(heard, owner, monkeypatch):
    client, events = heard
    create = projects.create

    def create_the_second_time(db, *arguments):
        if BeforeRetry not in events:
            db.write(DEADLOCK)
        return create(db, *arguments)

    monkeypatch.setattr(projects, "create", create_the_second_time)
    client.call("POST", "/api/project", {"name": "Zoo"}, who=owner, status=201)
    assert events.count(BeforeRetry) == 1
    assert events.count(ContextFound) == 2


def test_who_is_calling_may_be_asked_where_no_path_has_matched(make_app, write_token):
    client = make_app(**{"pyramid.includes": "tests.addons.asker"})
    client.call("GET", "/api/nothing", who=write_token, status=404)
