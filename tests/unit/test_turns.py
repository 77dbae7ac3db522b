"""Fibres that answer one connection after the other."""

import socket
import weakref
from contextlib import ExitStack

import pytest

from ar_targets import fibre
from ar_targets.server.turns import Turns

from .test_fibre import Loop


class Connection:
    """A client whose request waits for a byte of ``source``."""

    def __init__(self, source=None, error=None):
        self.source, self.error = source, error
        self.by = None
        self.answered = self.cancelled = False

    def service(self):
        self.by = fibre.current()
        if self.source is not None:
            self.by.wait(self.source.fileno(), 10)
        if self.error is not None:
            raise self.error
        self.answered = True

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.threads.shutdown()


def answer(loop, turns, *connections):
    """Have all of them answered, of whom none waits."""
    for connection in connections:
        turns.add(connection)
    loop.run(lambda: not loop.due)


def test_one_fibre_answers_all_who_come_one_by_one(loop):
    turns = Turns(loop, 3)
    connections = [Connection() for _ in range(3)]
    for connection in connections:
        answer(loop, turns, connection)
    assert all(connection.answered for connection in connections)
    assert len({connection.by for connection in connections}) == 1


def test_there_are_no_more_fibres_than_allowed(loop):
    turns = Turns(loop, 2)
    with ExitStack() as stack:
        pairs = [[stack.enter_context(end) for end in socket.socketpair()] for _ in range(3)]
        connections = [Connection(near) for near, _ in pairs]
        answer(loop, turns, *connections)
        assert [connection.by is not None for connection in connections] == [True, True, False]
        pairs[1][1].send(b"x")
        loop.run(lambda: connections[1].answered and connections[2].by is not None)
        assert connections[2].by is connections[1].by
        for _, far in (pairs[0], pairs[2]):
            far.send(b"x")
        loop.run(lambda: all(connection.answered for connection in connections))


def test_a_fibre_survives_what_goes_wrong(loop):
    turns, broken, next_one = Turns(loop, 1), Connection(error=KeyError()), Connection()
    answer(loop, turns, broken, next_one)
    assert next_one.answered
    assert next_one.by is broken.by


def test_a_fibre_that_rests_holds_nothing(loop):
    turns, connection = Turns(loop, 1), Connection()
    gone = weakref.ref(connection)
    answer(loop, turns, connection)
    assert connection.answered
    del connection
    assert gone() is None


def test_who_has_not_begun_is_cancelled(loop):
    turns = Turns(loop, 1)
    near, far = socket.socketpair()
    with near, far:
        begun, waiting = Connection(near), Connection()
        answer(loop, turns, begun, waiting)
        turns.end()
        assert (begun.cancelled, waiting.cancelled) == (False, True)
        far.send(b"x")
        loop.run(lambda: begun.answered)
        assert not waiting.answered
