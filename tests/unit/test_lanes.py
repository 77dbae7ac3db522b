"""Which threads answer which request, so that one kind holds up no other."""

import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from ar_targets.server.lanes import HASHING_THREADS, Lanes
from ar_targets.server.turns import SMALL_BODY

TARGETS = "/api/project/1/imagetarget"


class Channel:
    """A connection with one request, which takes until it is told to end."""

    total_outbufs_len = 0

    def __init__(self, command="GET", path="/health/live", size=0):
        request = SimpleNamespace(error=None, command=command, path=path, body_rcv=range(size))
        self.requests = [request]
        self.begun, self.end = threading.Event(), threading.Event()

    def service(self):
        self.begun.set()
        assert self.end.wait(10)

    def cancel(self):
        """Nobody has begun it."""


class Upload(Channel):
    def __init__(self, size=SMALL_BODY + 1):
        super().__init__("POST", TARGETS, size)


class Login(Channel):
    def __init__(self):
        super().__init__("POST", "/api/login", 100)


@pytest.fixture
def start():
    """Starts lanes with so many threads, and connections that they begin or leave to wait."""
    with ExitStack() as stack:

        def begin(threads, *channels):
            lanes = Lanes(threads)
            stack.callback(lanes.shutdown)
            for channel in channels:
                stack.callback(channel.end.set)
                lanes.add_task(channel)
            return lanes

        yield begin


@pytest.mark.parametrize(("threads", "all_of_them"), [(8, 8), (3, 3), (2, 2), (1, 2)])
def test_there_are_threads_for_each(start, threads, all_of_them):
    assert start(threads).threads == all_of_them + HASHING_THREADS


@pytest.mark.parametrize("kind", [Channel, Upload, Login])
def test_whoever_waits_holds_up_no_other_kind(start, kind):
    many, others = [kind() for _ in range(9)], [Channel(), Upload(), Login()]
    start(4, *many, *others)
    for channel in others:
        assert channel.begun.wait(0.2 if type(channel) is kind else 10) is (
            type(channel) is not kind
        )
    for channel in many:
        channel.end.set()
        assert channel.begun.wait(10)


def test_half_of_the_threads_are_for_uploads(start):
    first, second, third = uploads = [Upload() for _ in range(3)]
    start(4, *uploads)
    assert first.begun.wait(10)
    assert second.begun.wait(10)
    assert not third.begun.wait(0.2)
    first.end.set()
    assert third.begun.wait(10)


def test_a_small_body_is_no_upload(start):
    large, small = Upload(), Upload(SMALL_BODY)
    start(2, large, small)
    assert large.begun.wait(10)
    assert small.begun.wait(10)
