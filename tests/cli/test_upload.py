"""Many images: broken ones among them, cuts, a server that goes away, and the run after that."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ar_targets.models import Base
from ar_targets_client import Client, ClientError, Retry, UnauthorizedError, UnreachableError
from ar_targets_client.journal import Journal, key_of
from ar_targets_client.rows import Row
from ar_targets_client.upload import Outcome, Upload, count

from ..live import Live
from ..pictures import CHINA, FLOWER, drawn
from .conftest import FAST


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def targets(wire, write_token, project):
    with Client(wire.url, write_token.token, retry=FAST) as made:
        yield made.targets(project.id)


def again(targets):
    """The same targets, by a client that has not been stopped."""
    mine = targets.transport
    return Client(mine.server, mine.token, retry=mine.retry).targets(targets.project_id)


@pytest.fixture
def rows(tmp_path):
    """Ten pictures, no two alike."""
    made = []
    for n in range(10):
        file = tmp_path / f"{n}.jpg"
        # Bytes behind the end of a JPEG are allowed, and stored.
        file.write_bytes((CHINA if n % 2 else FLOWER) + bytes([n]))
        made.append(Row(file.name, file, f"number {n}"))
    return made


def upload(targets, journal, rows, **options):
    with Journal(journal) as opened:
        made = Upload(targets, opened, **options)
        return made, made.run(rows)


def stored(targets):
    return sorted((t.sha256, t.description) for t in again(targets).list())


def wanted(rows):
    return sorted((sha256(row.file.read_bytes()), row.description) for row in rows)


@pytest.mark.parametrize("parallel", [1, 4])
def test_all_arrive_once(targets, rows, tmp_path, parallel):
    heard = []
    journal = tmp_path / "journal"
    _, results = upload(targets, journal, rows, parallel=parallel, on_result=heard.append)
    assert [r.row for r in results] == rows
    assert {r.outcome for r in results} == {Outcome.ADDED}
    assert len(heard) == len(rows)
    assert stored(targets) == wanted(rows)
    by_id = {t.id: t.description for t in targets.list()}
    assert all(by_id[r.target_id] == r.row.description for r in results)
    _, repeated = upload(targets, journal, rows)
    assert [(r.outcome, r.target_id) for r in repeated] == [
        (Outcome.DONE, r.target_id) for r in results
    ]
    assert stored(targets) == wanted(rows)


def test_failures_are_named_and_stop_nobody_else(targets, rows, tmp_path):
    rows[2].file.write_bytes(CHINA[:5000])
    rows[4].file.write_bytes(drawn("PNG"))
    rows[6].file.unlink()
    rows[8] = Row(rows[8].name, rows[8].file, rows[8].description, sha256(b"another"))
    made, results = upload(targets, tmp_path / "journal", rows)
    failed = {r.row.name: r.reason for r in results if r.outcome is Outcome.FAILED}
    assert failed.keys() == {"2.jpg", "4.jpg", "6.jpg", "8.jpg"}
    assert "truncated" in failed["2.jpg"]
    assert "PNG" in failed["4.jpg"]
    assert failed["6.jpg"] == "cannot be read: No such file or directory"
    assert "sha256 differs" in failed["8.jpg"]
    assert made.stopped_by is None
    assert count(results, Outcome.ADDED) == 6
    # Mended, they are all that the next run sends.
    rows[2].file.write_bytes(CHINA)
    _, repeated = upload(targets, tmp_path / "journal", rows)
    assert count(repeated, Outcome.DONE) == 6
    assert [r.row.name for r in repeated if r.outcome is Outcome.ADDED] == ["2.jpg"]


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("parallel", [1, 4])
def test_cuts_lose_nothing_and_double_nothing(wire, targets, rows, tmp_path, how, parallel):
    posts = []

    def cut(line):
        if line.startswith("POST"):
            posts.append(line)
            return how if len(posts) % 3 == 1 else None
        return None

    wire.cut = cut
    _, results = upload(targets, tmp_path / "journal", rows, parallel=parallel)
    assert {r.outcome for r in results} == {Outcome.ADDED}
    assert len({r.target_id for r in results}) == len(rows)
    assert stored(targets) == wanted(rows)


def test_twins_are_not_taken_for_each_other(wire, targets, rows, tmp_path):
    for row in rows:
        row.file.write_bytes(CHINA)
    twins = [Row(row.name, row.file, "all alike") for row in rows]
    posts = []

    def cut(line):
        if line.startswith("POST"):
            posts.append(line)
            return {1: "after", 2: "before"}.get(len(posts) % 4)
        return None

    wire.cut = cut
    _, results = upload(targets, tmp_path / "journal", twins)
    assert len({r.target_id for r in results}) == len(twins)
    assert stored(targets) == wanted(twins)


def test_twins_are_not_taken_for_each_other_by_the_next_run(wire, targets, rows, tmp_path):
    """The first did not arrive, and the second did: it must not be taken for the first."""
    twins = [replace(row, file=rows[0].file, description="all alike") for row in rows[:2]]
    hows = ["before"] * FAST.attempts + ["after"]
    wire.cut = lambda line: hows.pop(0) if line.startswith("POST") else None
    journal = tmp_path / "journal"
    _, results = upload(targets, journal, twins, parallel=2)
    assert (count(results, Outcome.LEFT), hows) == (2, [])
    assert len(stored(targets)) == 1
    wire.cut = lambda _: None
    _, results = upload(again(targets), journal, twins)
    assert len({r.target_id for r in results}) == len(stored(targets)) == 2


@pytest.mark.parametrize("how", ["before", "after"])
def test_the_wire_stays_cut_until_the_next_run(wire, targets, rows, tmp_path, how):
    posts = []

    def cut(line):
        if line.startswith("POST"):
            posts.append(line)
        # Whatever comes behind the fifth creation: nothing can be looked up any more.
        return how if len(posts) >= 5 else None

    wire.cut = cut
    journal = tmp_path / "journal"
    made, results = upload(targets, journal, rows, parallel=2)
    assert isinstance(made.stopped_by, ClientError)
    assert count(results, Outcome.LEFT) >= 5
    assert count(results, Outcome.FAILED) == 0
    wire.cut = lambda _: None
    _, repeated = upload(again(targets), journal, rows)
    assert count(repeated, Outcome.ADDED, Outcome.DONE) == len(rows)
    assert len({r.target_id for r in repeated}) == len(rows)
    assert stored(targets) == wanted(rows)


def unsettled(wire, targets, row, journal):
    """A run whose only creation was done, but nobody heard of it; the journal's last line."""
    wire.cut = lambda line: "after" if line.startswith("POST") else None
    _, [result] = upload(targets, journal, [row])
    assert result.outcome is Outcome.LEFT
    wire.cut = lambda _: None
    wire.requests.clear()
    return json.loads(journal.read_text().splitlines()[-1])


def posts(wire):
    return [line for line in wire.requests if line.startswith("POST")]


def test_a_key_is_not_sent_with_another_token(wire, stage, project, targets, rows, tmp_path):
    """It is another caller's, and would make another target."""
    journal = tmp_path / "journal"
    unsettled(wire, targets, rows[0], journal)
    assert targets.transport.token not in journal.read_text()
    other = Client(wire.url, stage.app(project).token, retry=FAST).targets(project.id)
    _, [result] = upload(other, journal, rows[:1])
    assert (result.outcome, posts(wire)) == (Outcome.DONE, [])
    assert stored(targets) == wanted(rows[:1])


@pytest.mark.parametrize("hours", [22, 25, None], ids=str)
def test_a_key_is_trusted_for_as_long_as_the_server_knows_it(wire, targets, rows, tmp_path, hours):
    journal = tmp_path / "journal"
    line = unsettled(wire, targets, rows[0], journal)
    # A journal of version 0.2 has no keys.
    changed = {"idempotency_key": None}
    if hours:
        since = datetime.fromisoformat(line["since"]) - timedelta(hours=hours)
        changed = {"since": since.isoformat()}
    journal.write_text(json.dumps(line | changed))
    _, [result] = upload(again(targets), journal, rows[:1])
    asked = hours == 22
    assert result.outcome is (Outcome.ADDED if asked else Outcome.DONE)
    assert len(posts(wire)) == asked
    assert stored(targets) == wanted(rows[:1])


def test_a_key_that_was_sent_with_other_bytes(wire, targets, rows, tmp_path):
    """As when another version of the library converts the file, and so sends another JPEG."""
    first, other = rows[0], replace(rows[1], description=rows[0].description)
    journal = tmp_path / "journal"
    line = unsettled(wire, targets, first, journal)
    key = key_of(
        targets.transport.server, targets.project_id, other, sha256(other.file.read_bytes())
    )
    journal.write_text(json.dumps(line | {"row": key}))
    [made] = again(targets).list()
    _, [result] = upload(again(targets), journal, [other])
    assert (result.outcome, result.target_id) == (Outcome.DONE, made.id)
    # Deleted meanwhile: the next run makes it anew.
    again(targets).delete(made.id)
    journal.write_text(json.dumps(line | {"row": key}))
    _, [result] = upload(again(targets), journal, [other])
    assert result.outcome is Outcome.FAILED
    assert "another body" in result.reason
    _, [result] = upload(again(targets), journal, [other])
    assert result.outcome is Outcome.ADDED
    assert stored(targets) == wanted([other])


def test_a_run_that_is_killed_and_overtaken_by_the_next(wire, targets, tmp_path, rows):
    """The request of the old run comes to the server after that of the new one."""
    journal, code = tmp_path / "journal", "from ar_targets_client.cli.main import cli; cli()"
    command = [sys.executable, "-c", code, "target", "add", "--journal", journal, rows[0].file]
    environment = os.environ | {
        "AR_TARGETS_SERVER": wire.url,
        "AR_TARGETS_TOKEN": targets.transport.token,
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    overtaken = threading.Event()
    arrived = threading.Event()

    def hold(line):
        if line.startswith("POST") and not arrived.is_set():
            arrived.set()
            overtaken.wait(30)

    wire.cut = hold
    with subprocess.Popen(command, env=environment) as old:
        assert arrived.wait(30)
        old.kill()
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=60)
    overtaken.set()
    assert done.returncode == 0, done.stderr
    for _ in range(6000):
        if wire.answered == len(wire.requests):
            break
        time.sleep(0.01)
    assert (len(posts(wire)), wire.answered) == (2, len(wire.requests))
    assert len(stored(targets)) == 1


def test_a_server_that_is_killed_in_the_middle(
    database_url, rows_removed, write_token, project, rows, tmp_path
):
    server = Live(database_url, tmp_path)
    server.start()
    journal = tmp_path / "journal"
    retry = Retry(attempts=2, first=0.05, longest=0.1)
    targets = Client(server.url, write_token.token, retry=retry).targets(project.id)
    killed = threading.Event()

    def kill(_):
        if not killed.is_set():
            killed.set()
            server.kill()

    try:
        made, results = upload(targets, journal, rows, parallel=2, on_result=kill)
        assert made.stopped_by is not None
        assert count(results, Outcome.ADDED) >= 1
        assert count(results, Outcome.LEFT) >= 5
        with pytest.raises(UnreachableError):
            upload(again(targets), journal, rows)
        server.start()
        _, repeated = upload(again(targets), journal, rows)
        assert count(repeated, Outcome.ADDED, Outcome.DONE) == len(rows)
        assert stored(targets) == wanted(rows)
    finally:
        server.stop()


def test_a_server_that_comes_back_in_time(
    database_url, rows_removed, write_token, project, rows, tmp_path
):
    server = Live(database_url, tmp_path)
    server.start()
    patient = Retry(attempts=60, first=0.5, longest=0.5)
    restarted = []

    def restart(_):
        if not restarted:
            restarted.append(True)
            server.kill()
            server.start()

    try:
        targets = Client(server.url, write_token.token, retry=patient).targets(project.id)
        made, results = upload(targets, None, rows, parallel=2, on_result=restart)
        assert made.stopped_by is None
        assert count(results, Outcome.ADDED) == len(rows)
        assert stored(targets) == wanted(rows)
    finally:
        server.stop()


def test_what_holds_for_all_stops_all(stage, write_token, targets, rows, tmp_path):
    with Journal(tmp_path / "journal") as journal:
        made = Upload(targets, journal, parallel=1, on_result=lambda _: stage.revoke(write_token))
        results = made.run(rows)
    assert isinstance(made.stopped_by, UnauthorizedError)
    # The next ones may be under way when the token is revoked.
    assert 1 <= count(results, Outcome.ADDED) < len(rows)
    assert count(results, Outcome.ADDED, Outcome.LEFT) == len(rows)


def test_an_interrupt_finishes_what_is_under_way(targets, rows, tmp_path):
    journal = tmp_path / "journal"

    def interrupt(_):
        signal.raise_signal(signal.SIGINT)

    made, results = upload(targets, journal, rows, parallel=2, on_result=interrupt)
    assert isinstance(made.stopped_by, KeyboardInterrupt)
    assert count(results, Outcome.ADDED) == len(stored(targets))
    assert count(results, Outcome.LEFT) >= 5
    _, repeated = upload(again(targets), journal, rows)
    assert count(repeated, Outcome.ADDED) == count(results, Outcome.LEFT)
    assert stored(targets) == wanted(rows)


def test_what_exists_is_left_out(targets, rows):
    upload(targets, None, rows[:3])
    _, repeated = upload(targets, None, rows[:5], skip_existing=True)
    assert [r.outcome for r in repeated] == [Outcome.PRESENT] * 3 + [Outcome.ADDED] * 2
    other = Row(rows[0].name, rows[0].file, "another description")
    assert upload(targets, None, [other], skip_existing=True)[1][0].outcome is Outcome.ADDED


def test_an_older_twin_is_not_taken_for_an_upload(stage, project, wire, targets, rows):
    row, table = rows[0], Base.metadata.tables["target"]
    stage.target(project, row.file.read_bytes(), row.description)
    with stage.engine.begin() as connection:
        before = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=1)
        connection.execute(table.update().values(created_at=before))
    left = ["before"]
    wire.cut = lambda line: left.pop() if left and line.startswith("POST") else None
    _, results = upload(targets, None, [row])
    assert [r.outcome for r in results] == [Outcome.ADDED]
    assert len(stored(targets)) == 2


class TestNames:
    """A name is unique in its project."""

    @pytest.fixture
    def rows(self, rows):
        """The rows of the other tests, with names."""
        return [replace(row, target_name=f"Picture {n}") for n, row in enumerate(rows)]

    def names(self, targets):
        return {t.name: t.sha256 for t in again(targets).list()}

    def test_one_that_is_taken_is_told(self, targets, stage, project, rows, tmp_path):
        stage.target(project, drawn(), name="PICTURE 3")
        _, results = upload(targets, tmp_path / "journal", rows)
        assert [r.outcome for r in results if r.row is not rows[3]] == [Outcome.ADDED] * 9
        assert (results[3].outcome, results[3].target_id) == (Outcome.TAKEN, None)
        assert results[3].reason == "its name 'Picture 3' is taken"
        _, repeated = upload(targets, tmp_path / "journal", rows)
        assert count(repeated, Outcome.DONE) == 9
        assert repeated[3].outcome is Outcome.TAKEN
        assert len(stored(targets)) == 10

    @pytest.mark.parametrize("parallel", [1, 4])
    def test_two_rows_of_one_name(self, targets, rows, tmp_path, parallel):
        twins = [*rows[:3], replace(rows[3], target_name="picture 0")]
        for _ in range(2):
            _, results = upload(targets, tmp_path / "journal", twins, parallel=parallel)
            assert results[3].outcome is Outcome.TAKEN
            assert results[3].reason == "its name 'picture 0' is taken by 0.jpg"
            assert self.names(targets)["Picture 0"] == sha256(rows[0].file.read_bytes())
        for options in ({"skip_existing": True}, {"replace": True}):
            _, results = upload(targets, None, twins, **options)
            expected = Outcome.PRESENT if options.get("skip_existing") else Outcome.TAKEN
            assert [r.outcome for r in results] == [Outcome.PRESENT] * 3 + [expected]
        assert len(stored(targets)) == 3

    def test_what_exists_is_left_out(self, targets, stage, project, rows):
        other = stage.target(project, drawn(), name="picture 3").id
        nameless = stage.target(project, rows[4].file.read_bytes(), "number 4").id
        _, results = upload(targets, None, rows, skip_existing=True)
        assert [(r.outcome, r.target_id) for r in results[3:5]] == [
            (Outcome.PRESENT, other),
            (Outcome.PRESENT, nameless),
        ]
        assert count(results, Outcome.ADDED) == 8

    @pytest.mark.parametrize("option", ["skip_existing", "replace"])
    def test_one_that_is_taken_meanwhile(self, stage, project, wire, targets, rows, option):
        """After the list was read, and before the row is sent."""

        def take(line):
            if line.startswith("POST") and len(wire.requests) < 5:
                stage.target(project, drawn(), name="Picture 0")

        wire.cut = take
        _, [result] = upload(targets, None, rows[:1], **{option: True})
        [target] = targets.list()
        assert result.target_id == target.id
        if option == "replace":
            assert result.outcome is Outcome.REPLACED
            assert target.sha256 == sha256(rows[0].file.read_bytes())
        else:
            assert (result.outcome, target.size) == (Outcome.PRESENT, len(drawn()))

    @pytest.mark.parametrize("parallel", [1, 4])
    def test_an_image_is_replaced(self, targets, stage, project, rows, tmp_path, parallel):
        journal = tmp_path / "journal"
        fields = {"physical_width": 0.5, "active": False}
        other = stage.target(project, drawn(), "as before", name="picture 3", **fields).id
        for n in range(2):
            _, results = upload(targets, journal, rows, parallel=parallel, replace=True)
            assert results[3].outcome is (Outcome.DONE if n else Outcome.REPLACED)
            assert results[3].target_id == other
            assert count(results, Outcome.DONE if n else Outcome.ADDED) == (10 if n else 9)
        changed = targets.get(other)
        assert changed.image == rows[3].file.read_bytes()
        assert (changed.name, changed.description) == ("picture 3", "as before")
        assert (changed.physical_width, changed.active) == (0.5, False)
        # Changed, and changed back: the journal knows the first picture, the project does not.
        first = rows[5].file.read_bytes()
        for image in (CHINA, first):
            rows[5].file.write_bytes(image)
            _, results = upload(targets, journal, rows, parallel=parallel, replace=True)
            assert results[5].outcome is Outcome.REPLACED
            assert self.names(targets)["Picture 5"] == sha256(image)
        assert len(self.names(targets)) == 10

    @pytest.mark.parametrize("how", ["before", "after"])
    def test_a_replacement_that_is_cut_is_done_by_the_next_run(
        self, stage, project, wire, targets, rows, tmp_path, how
    ):
        for n in range(10):
            stage.target(project, drawn(), "as before", name=f"Picture {n}")
        puts = []

        def cut(line):
            if line.startswith("PUT"):
                puts.append(line)
            return how if len(puts) >= 4 else None

        wire.cut = cut
        made, results = upload(targets, tmp_path / "journal", rows, parallel=2, replace=True)
        assert isinstance(made.stopped_by, ClientError)
        assert count(results, Outcome.LEFT) >= 5
        wire.cut = lambda _: None
        _, repeated = upload(again(targets), tmp_path / "journal", rows, replace=True)
        assert count(repeated, Outcome.REPLACED, Outcome.DONE, Outcome.PRESENT) == 10
        assert self.names(targets) == {
            f"Picture {n}": sha256(row.file.read_bytes()) for n, row in enumerate(rows)
        }

    @pytest.mark.parametrize("parallel", [1, 4])
    def test_a_cut_does_not_make_a_name_taken(self, wire, targets, rows, tmp_path, parallel):
        posts = []

        def cut(line):
            if line.startswith("POST"):
                posts.append(line)
                return "after" if len(posts) % 3 == 1 else None
            return None

        wire.cut = cut
        _, results = upload(targets, tmp_path / "journal", rows, parallel=parallel)
        assert {r.outcome for r in results} == {Outcome.ADDED}
        assert len(stored(targets)) == 10

    def test_a_journal_of_version_0_1(self, targets, rows, tmp_path):
        """It knew no names. What it has done is not sent again under one."""
        named = [replace(row, target_name=row.file.stem) for row in rows]
        place = [targets.transport.server, targets.project_id]
        with Journal(tmp_path / "journal") as journal:
            for number, row in enumerate(named[:3], 1):
                parts = [*place, row.name, sha256(row.file.read_bytes()), row.description]
                journal.finished(sha256(json.dumps(parts).encode()), row, number)
        _, results = upload(targets, tmp_path / "journal", named)
        assert [r.outcome for r in results] == [Outcome.DONE] * 3 + [Outcome.ADDED] * 7

    def test_what_changed_in_a_row_is_new(self, rows):
        changes = {"target_name": None, "physical_width": 1.5, "active": False, "metadata": [1]}
        keys = {key_of("http://host", 1, rows[0], "ab")}
        keys |= {
            key_of("http://host", 1, replace(rows[0], **{name: value}), "ab")
            for name, value in changes.items()
        }
        assert len(keys) == 1 + len(changes)


KEY = key_of("http://host", 1, Row("a.jpg", Path("a.jpg")), sha256(CHINA))


def foreign(**line):
    return json.dumps({"row": KEY} | line)


# What comes with a folder from somebody else, who may know the row's key.
FOREIGN = [
    '"text"',
    "5",
    "[" * 100_000,
    foreign(state="done", id="../x"),
    foreign(state="done", id="\x1b[2J"),
    foreign(state="done", id=True),
    foreign(state="done", id=0),
    foreign(state="done", id=[1]),
    foreign(state="done", id={"a": 1}),
    foreign(state="\x1b[2J", id=7),
    foreign(id=7),
    foreign(state="refused", id=7),
    foreign(state="sending", since="soon"),
    foreign(state="sending", since="2026-11-23T07:03:14"),
    foreign(state="sending", since="0001-01-01T00:00:00+00:00"),
    foreign(state="sending", since=5),
    foreign(state="sending", sha256="x"),
    foreign(state="sending", idempotency_key="x\r\nX-Evil: 1"),
    foreign(state="sending", idempotency_key=5),
    foreign(state="sending", token_sha256="x"),
    # These guard what held before.
    "null",
    "[]",
    "{}",
    json.dumps({"row": [KEY], "state": "done", "id": 7}),
    foreign(state="done"),
]


class TestJournal:
    def test_another_place_is_another_row(self, targets, stage, other_project, rows, tmp_path):
        journal = tmp_path / "journal"
        upload(targets, journal, rows[:2])
        token = stage.app(other_project).token
        there = targets.transport
        others = Client(there.server, token).targets(other_project.id)
        _, results = upload(others, journal, rows[:2])
        assert [r.outcome for r in results] == [Outcome.ADDED] * 2

    def test_a_line_that_was_cut_and_lines_of_others_are_passed_over(self, targets, rows, tmp_path):
        journal = tmp_path / "journal"
        upload(targets, journal, rows[:2], parallel=1)
        lines = journal.read_text()
        journal.write_text("[]\nnonsense\n{}\n" + lines[: lines.rindex('"state": "done"')])
        _, results = upload(targets, journal, rows[:3])
        assert [r.outcome for r in results] == [Outcome.DONE, Outcome.ADDED, Outcome.ADDED]
        assert stored(targets) == wanted(rows[:3])

    @pytest.mark.parametrize("lines", FOREIGN, ids=itertools.count())
    def test_what_it_would_not_have_written_is_passed_over(self, tmp_path, lines):
        (tmp_path / "journal").write_text(f"{lines}\n")
        with Journal(tmp_path / "journal") as journal:
            assert journal.done(KEY) is None
            assert journal.claimed() == set()
            assert journal.sent(KEY) is None

    @pytest.mark.parametrize("name", ["journal", "journal.lock"])
    @pytest.mark.parametrize("there", [True, False], ids=["file", "nothing"])
    def test_no_link_is_written_through(self, tmp_path, name, there):
        outside = tmp_path / "outside"
        if there:
            outside.write_bytes(b"precious")
        (tmp_path / name).symlink_to(outside)
        with pytest.raises(ClientError, match=f"{name} cannot be written: it is a link"):
            Journal(tmp_path / "journal").__enter__()
        assert [outside.read_bytes()] == [b"precious"] if there else not outside.exists()
        assert (tmp_path / name).is_symlink()

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "journal")
        with pytest.raises(ClientError, match="it is no file"):
            Journal(tmp_path / "journal").__enter__()
        assert [file.name for file in tmp_path.iterdir()] == ["journal"]

    def test_it_tells_people_which_file_became_what(self, targets, rows, tmp_path):
        _, results = upload(targets, tmp_path / "journal", rows[:1])
        text = (tmp_path / "journal").read_text()
        last = json.loads(text.splitlines()[-1])
        assert (last["file"], last["id"]) == ("0.jpg", results[0].target_id)
        assert "eyJ" not in text

    def test_one_upload_at_a_time(self, tmp_path):
        path = tmp_path / "journal"
        with Journal(path), pytest.raises(ClientError, match="another upload is using"):
            Journal(path).__enter__()
        with Journal(path):
            pass
        assert [file.name for file in tmp_path.iterdir()] == ["journal"]

    def test_a_place_that_cannot_be_written(self, tmp_path):
        (tmp_path / "folder").mkdir()
        with pytest.raises(ClientError, match="--journal"):
            Journal(tmp_path / "folder").__enter__()
        assert [file.name for file in tmp_path.iterdir()] == ["folder"]
