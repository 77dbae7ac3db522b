"""What is sent again, and what is not, over a wire that is cut."""

import http.server
import itertools
import json
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ar_targets_client import (
    ApiError,
    Client,
    ClientError,
    ConflictError,
    KeyReusedError,
    OutcomeUnknownError,
    Retry,
    UnavailableError,
    UnreachableError,
)
from ar_targets_client.answer import TooLongError
from ar_targets_client.dates import http_date
from ar_targets_client.retry import retry_after

from ..pictures import CHINA
from .conftest import FAST
from .imposter import PROJECT, TARGETS, TOKEN, as_json, record


def cut_first(how, method):
    """Cut the first request of a method."""
    left = [how]
    return lambda line: left.pop() if left and line.startswith(method) else None


@pytest.fixture
def mine(wire, owner):
    with Client(wire.url, owner.token, retry=FAST) as made:
        yield made


@pytest.fixture
def targets(wire, write_token, project):
    with Client(wire.url, write_token.token, retry=FAST) as made:
        yield made.targets(project.id)


@pytest.mark.parametrize("how", ["before", "after"])
def test_what_may_be_repeated_is(wire, mine, project, how):
    wire.cut = cut_first(how, "GET")
    assert mine.projects.get(project.id).name == "Zoo"
    wire.cut = cut_first(how, "PATCH")
    assert mine.projects.update(project.id, name="Park").name == "Park"
    wire.cut = cut_first(how, "DELETE")
    mine.projects.delete(project.id)
    assert list(mine.projects.list()) == []
    assert [line.split()[0] for line in wire.requests[:6]] == [
        "GET", "GET", "PATCH", "PATCH", "DELETE", "DELETE",
    ]  # fmt: skip


def test_a_deletion_of_what_never_was_is_an_error(mine):
    with pytest.raises(ApiError, match="404"):
        mine.projects.delete(10**9)


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_creation_is_done_once(wire, targets, how):
    wire.cut = cut_first(how, "POST")
    made = targets.create(CHINA)
    assert len(wire.requests) == 2
    assert [target.id for target in targets.list()] == [made.id]


def test_a_key_of_ones_own_outlives_the_client(wire, targets):
    wire.cut = lambda line: "after" if line.startswith("POST") else None
    with pytest.raises(OutcomeUnknownError, match="was cut before the answer came"):
        targets.create(CHINA, name="gate", idempotency_key="mine:_1")
    wire.cut = lambda _: None
    again = Client(wire.url, targets.transport.token, retry=FAST).targets(targets.project_id)
    made = again.create(CHINA, name="gate", idempotency_key="mine:_1")
    assert [(target.id, target.name) for target in again.list()] == [(made.id, "gate")]
    with pytest.raises(KeyReusedError, match="422"):
        again.create(CHINA, name="door", idempotency_key="mine:_1")
    # Without one, each call creates another.
    again.create(CHINA)
    again.create(CHINA)
    assert len(list(again.list())) == 3


@pytest.mark.parametrize("key", ["", "a b", "ä", "a\r\nX-Evil: 1", "x" * 256])
def test_what_is_no_key_is_not_sent(wire, targets, key):
    with pytest.raises(ClientError, match="visible ASCII"):
        targets.create(CHINA, idempotency_key=key)
    assert wire.requests == []


def test_a_server_that_goes_away_after_a_cut(wire, mine):
    """The second attempt reaches nobody, but the first may have been done."""

    def close(_):
        wire.listener.close()
        return "before"

    wire.cut = close
    with pytest.raises(OutcomeUnknownError, match="cannot be reached"):
        mine.projects.create("Park")


def test_a_change_that_was_done_before_the_cut_is_not_called_someone_elses(wire, mine, project):
    tag = mine.projects.etag(project.id)
    wire.cut = cut_first("after", "PATCH")
    with pytest.raises(OutcomeUnknownError, match="read it again"):
        mine.projects.update(project.id, name="Park", etag=tag)
    assert mine.projects.get(project.id).name == "Park"


def test_it_gives_up(wire, mine):
    wire.cut = lambda _: "before"
    with pytest.raises(OutcomeUnknownError):
        mine.projects.get(1)
    assert len(wire.requests) == FAST.attempts


def test_nobody_listens(wire, mine):
    wire.close()
    waits = []
    mine.transport.on_wait = lambda seconds, _: waits.append(seconds)
    with pytest.raises(UnreachableError, match=r"cannot be reached: .*refused"):
        mine.projects.get(1)
    assert len(waits) == FAST.attempts - 1


def test_an_unknown_host():
    client = Client("http://host.invalid", retry=Retry(attempts=1))
    with pytest.raises(UnreachableError, match=r"host\.invalid cannot be reached"):
        client.projects.get(1)


def test_no_tls_where_tls_is_wanted():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        client = Client(f"https://127.0.0.1:{listener.getsockname()[1]}", retry=FAST)
        with pytest.raises(ClientError, match="no secure way to https"):
            client.projects.get(1)
        thread.join()


def test_stopping_ends_the_pauses(wire):
    wire.close()
    client = Client(wire.url, retry=Retry(attempts=5, first=20, longest=20))
    threading.Timer(0.1, client.transport.stopping.set).start()
    before = time.monotonic()
    with pytest.raises(UnreachableError):
        client.projects.get(1)
    assert time.monotonic() - before < 10


class Answers(http.server.BaseHTTPRequestHandler):
    """Not ar_targets: what a proxy before it, or something else at its address, would say."""

    script: list[tuple[int, dict[str, str], bytes]]
    heard: list[dict[str, str]]
    bodies: list[bytes]

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.bodies.append(self.rfile.read(length))
        self.heard.append(dict(self.headers))
        status, headers, body = self.script.pop(0)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@contextmanager
def answering(*script):
    """A client of something that answers by a script."""
    handler = type("Handler", (Answers,), {"script": list(script), "heard": [], "bodies": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}", "a token", retry=FAST) as client:
            yield client, handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


NONE = (200, {}, b'{"items": [], "next": null}')
ZOO = {
    "id": 1,
    "name": "Zoo",
    "created_at": "2026-11-23T07:03:14.650144Z",
    "updated_at": "2026-11-23T07:03:14.650144Z",
}


def test_retry_after_is_kept():
    with answering((503, {"Retry-After": "1"}, b""), NONE) as (client, handler):
        before = time.monotonic()
        assert list(client.projects.list()) == []
        assert time.monotonic() - before >= 1
        assert len(handler.heard) == 2


def test_a_pause_that_is_asked_for_has_limits():
    with answering((429, {"Retry-After": "900"}, b""), NONE) as (client, handler):
        with pytest.raises(ApiError) as caught:
            client.login("ann", "x")
        assert caught.value.retry_after == 900
        assert len(handler.heard) == 1


def test_a_429_says_that_nothing_was_done():
    made = json.dumps(ZOO | {"of_a_later_version": 1}).encode()
    with answering((429, {}, b""), (201, {}, made)) as (client, _):
        assert client.projects.create("Zoo").name == "Zoo"


NOW = {name: ZOO[name] for name in ("created_at", "updated_at")}
MEMBER = {"user_id": 2, "login": "ben", "role": "editor"} | NOW
APP = {
    "id": 3,
    "project_id": PROJECT,
    "token": TOKEN,
    "access": "read",
    "description": "",
    "ttl": 60,
    "valid": True,
    "expires_at": ZOO["created_at"],
    "revoked_at": None,
} | NOW
AT_WORK = (409, {"Retry-After": "0"}, b"")

CREATIONS = {
    "project": (ZOO, lambda client, **key: client.projects.create("Zoo", **key)),
    "member": (MEMBER, lambda client, **key: client.members(PROJECT).add("ben", "editor", **key)),
    "token": (APP, lambda client, **key: client.tokens(PROJECT).create(access="read", **key)),
    "target": (record(4), lambda client, **key: client.targets(PROJECT).create(CHINA, **key)),
}


@pytest.mark.parametrize("noun", CREATIONS)
def test_a_creation_is_repeated_byte_for_byte(noun):
    made, create = CREATIONS[noun]
    failures = [(503, {"Retry-After": "0"}, b""), AT_WORK, (502, {}, b"<html>")]
    assert len(failures) == FAST.attempts - 1
    done = (201, {}, json.dumps(made).encode())
    with answering(*failures, done, done, done, done) as (client, handler):
        create(client)
        create(client)
        create(client, idempotency_key="mine")
        create(client, idempotency_key="mine")

        def sent(name, n=slice(None)):
            return {heard.get(name) for heard in handler.heard[n]}

        first, second, third = slice(4), slice(4, 5), slice(5, 7)
        assert len(sent("X-Request-ID")) == len(handler.heard) == 7
        assert [len(sent("Idempotency-Key", n)) for n in (first, second, third)] == [1, 1, 1]
        assert sent("Idempotency-Key", third) == {"mine"}
        assert len(sent("Idempotency-Key")) == 3
        assert len(sent("Content-Type", first)) == len(set(handler.bodies[first])) == 1
        assert len(sent("Content-Type", third)) == len(set(handler.bodies[third])) == 1


def test_a_creation_that_never_ends():
    with answering(*[AT_WORK] * FAST.attempts) as (client, handler):
        with pytest.raises(OutcomeUnknownError, match="409"):
            client.projects.create("Zoo")
        assert len(handler.heard) == FAST.attempts


def test_without_a_key_a_conflict_is_one():
    with answering(AT_WORK) as (client, _), pytest.raises(ConflictError):
        client.projects.update(1, name="Zoo")


def test_an_error_page_of_a_proxy():
    page = (502, {}, b"<h1>Bad gateway</h1>")
    with answering(*[page] * FAST.attempts) as (client, _):
        with pytest.raises(UnavailableError, match="the server answered 502") as caught:
            client.projects.get(1)
        assert (caught.value.faults, caught.value.request_id) == ((), None)


def test_redirects_are_not_followed_with_the_token():
    moved = (301, {"Location": "https://elsewhere.example/"}, b"")
    refused = pytest.raises(ClientError, match=r"sends on to https://elsewhere\.example/")
    with answering(moved) as (client, _), refused:
        client.projects.get(1)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"items": 1, "next": null}'])
def test_another_kind_of_server(body):
    refused = pytest.raises(ClientError, match="check the server's URL")
    with answering((200, {}, body)) as (client, _), refused:
        list(client.projects.list())


@pytest.mark.parametrize("body", [b'{"id": 1}', b"[]", b"<html>", b'{"image": 1}'])
def test_another_kind_of_record(body):
    with answering((200, {}, body), (200, {}, body)) as (client, _):
        with pytest.raises(ClientError, match="check the server's URL"):
            client.projects.get(1)
        with pytest.raises(ClientError, match="check the server's URL"):
            client.targets(1).get(1)


def test_the_next_page_is_asked_of_the_same_server():
    first = {"items": [ZOO], "next": "http://inside.example/api/project?limit=200&cursor=9-ab"}
    with answering((200, {}, json.dumps(first).encode()), NONE) as (client, handler):
        assert [project.name for project in client.projects.list()] == ["Zoo"]
        assert len(handler.heard) == 2


def test_no_password_of_netrc_goes_out(tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("default login me password secret\n")
    with answering(NONE, NONE) as (client, handler):
        list(client.projects.list())
        client.transport.token = None
        list(client.projects.list())
    assert [heard.get("Authorization") for heard in handler.heard] == ["Bearer a token", None]


def test_a_date_to_retry_after():
    now = datetime.now(UTC)
    assert 50 < retry_after(format_datetime(now + timedelta(seconds=60), usegmt=True)) <= 60
    assert retry_after(format_datetime(now - timedelta(seconds=60), usegmt=True)) == 0
    assert retry_after("7") == 7
    assert retry_after("soon") is None
    assert retry_after(None) is None


@pytest.mark.parametrize(
    "header",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        # No time zone: it could be held against no other moment.
        "Mon, 01 Jan 2026 00:00:00 -0000",
        "Mon, 01 Jan 9999 00:00:00 GMT",
        "",
        None,
    ],
)
def test_a_date_that_is_none(header):
    """Guards, for the last two, what held before."""
    assert http_date(header) is None
    assert retry_after(header) is None


def test_pauses_double_up_to_the_longest():
    retry = Retry(attempts=9, first=1, longest=8)
    longest = [1, 2, 4, 8, 8]
    for attempt, most in enumerate(longest, 1):
        assert most / 2 <= retry.pause(attempt) <= most
    assert retry.pause(9) is None
    assert retry.pause(1, asked=20) == 20


@pytest.fixture
def lied_to(imposter):
    with Client(imposter.url, TOKEN, retry=FAST) as client:
        yield client.targets(PROJECT)


def page(number, following="?cursor=1-ab"):
    return as_json({"items": [record(number)], "next": following})


NO_PAGES = [
    page(1, 5),
    page(1, ["?cursor=1"]),
    page(1, ""),
    page(1, "?limit=200"),
    page(1, "?cursor="),
    page(1, "?cursor=a%0ab"),
    page(1, "?cursor=\ud800"),
    page(1, "?cursor=" + "1" * 10_000),
    page(1, "http://["),
    as_json({"items": [], "next": "?cursor=1-ab"}),
    (200, {}, b"[" * 100_000),
    (200, {"Transfer-Encoding": "chunked"}, [b"-5\r\nabc"]),
    # These guard what held before.
    as_json({"items": {}, "next": None}),
    as_json({"items": "abc", "next": None}),
    as_json({"items": [], "following": None}),
    (200, {}, b"\xff"),
    (200, {}, b"9" * 5000),
]


@pytest.mark.parametrize("answer", NO_PAGES, ids=itertools.count())
def test_a_page_that_ar_targets_would_not_send(imposter, lied_to, answer):
    last = as_json({"items": [record(2)], "next": None})
    imposter.answers = {TARGETS: [answer, last]}
    with pytest.raises(ClientError, match="ar_targets") as caught:
        list(lied_to.list())
    assert str(caught.value).isprintable()
    assert len(imposter.heard) == 1


def test_pages_that_lead_back(imposter, lied_to):
    imposter.answers = {TARGETS: [page(1)] * 50 + [page(51, None)]}
    with pytest.raises(ClientError, match="1 comes after 1"):
        list(lied_to.list())
    assert len(imposter.heard) == 2


def test_pages_without_an_end(imposter, lied_to, monkeypatch):
    monkeypatch.setattr("ar_targets_client.transport.LIST_MAX", 10_000)
    imposter.answers = {TARGETS: [page(n) for n in range(1, 100)] + [page(100, None)]}
    with pytest.raises(TooLongError, match="has more than 10,000 bytes"):
        list(lied_to.list())
    assert len(imposter.heard) < 40


class Endless:
    """A body of which a quarter of a gigabyte is there for whoever wants it."""

    def __init__(self):
        self.taken = 0

    def __iter__(self):
        for _ in range(4000):
            yield bytes(65_536)
            self.taken += 1


WANTED = {
    "image": (200, {}, lambda targets: targets.image(1, most=len(CHINA))),
    "list": (200, {}, lambda targets: list(targets.list())),
    "error": (400, {}, lambda targets: list(targets.list())),
    "redirect": (302, {"Location": "/"}, lambda targets: list(targets.list())),
}


@pytest.mark.parametrize("what", WANTED)
def test_an_answer_without_an_end_is_not_read_to_it(imposter, lied_to, what):
    status, headers, ask = WANTED[what]
    body = Endless()
    path = f"{TARGETS}/1/image" if what == "image" else TARGETS
    imposter.answers = {path: [(status, headers, body)]}
    with pytest.raises(ClientError):
        ask(lied_to)
    assert body.taken < 2000


def test_what_is_packed_does_not_fill_the_memory(imposter, lied_to):
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(bytes(100 * 2**20)) + packer.flush()
    imposter.answers = {f"{TARGETS}/1/image": [(200, {"Content-Encoding": "gzip"}, packed)]}
    tracemalloc.start()
    try:
        with pytest.raises(TooLongError):
            lied_to.image(1, most=len(CHINA))
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("address", ["http://[", "ÿþ", "https://elsewhere.example/\x1b[2J"])
def test_a_redirect_to_nowhere(imposter, lied_to, address):
    imposter.answers = {TARGETS: [(302, {"Location": address}, b"")]}
    with pytest.raises(ClientError, match="sends on to") as caught:
        list(lied_to.list())
    assert str(caught.value).isprintable()


def test_what_a_server_says_in_an_error_is_one_line(imposter, lied_to):
    fault = {"location": "body", "name": "\x1b[2J", "description": "one\ntwo\x1b]0;title\x07"}
    told = as_json({"errors": [fault]}, 400, **{"X-Request-ID": "\x1b[2J"})
    imposter.answers = {TARGETS: [told]}
    with pytest.raises(ApiError) as caught:
        list(lied_to.list())
    assert str(caught.value).isprintable()
    assert caught.value.message.isprintable()
    assert "one\\ntwo" in caught.value.message


@pytest.mark.parametrize("description", ["x" * 10_000, "x\0", [["x"]], None])
def test_an_error_that_is_not_in_our_words_is_not_repeated(imposter, lied_to, description):
    fault = {"location": "body", "name": "", "description": description}
    imposter.answers = {TARGETS: [as_json({"errors": [fault]}, 400)]}
    with pytest.raises(ApiError, match="the server answered 400"):
        list(lied_to.list())


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "ä", ""])
def test_a_token_that_is_no_header(token):
    with pytest.raises(ClientError, match="the token has") as caught:
        Client("http://127.0.0.1", token)
    assert "Evil" not in str(caught.value)
