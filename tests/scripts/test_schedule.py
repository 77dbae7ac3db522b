"""``ar_targets_schedule``: purges and backs up at the times that the settings name."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ar_targets.scripts import schedule

from ..conftest import INI, KEY
from ..tables import token as tokens

EVERY_SECOND = "* * * * * *"


@contextmanager
def running(database_url, tmp_path, *options, **environ):
    """The script as a container runs it; it must end well on SIGTERM."""
    settings = {
        "AR_TARGETS_DATABASE_URL": database_url,
        "AR_TARGETS_JWT_KEYS": KEY,
        "AR_TARGETS_PURGE_SCHEDULE": EVERY_SECOND,
    }
    command = [sys.executable, "-m", "ar_targets.scripts.schedule", str(INI)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--status", str(tmp_path / "status"), *options],
            env=os.environ | settings | environ,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def eventually(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_purges_and_tells(database_url, tmp_path, stage, project):
    stage.expire(stage.app(project))
    with running(database_url, tmp_path):
        eventually((tmp_path / "status").exists)
        assert (tmp_path / "status").read_text() == "0\n"
    assert stage.rows(tokens) == []
    told = (tmp_path / "log").read_text()
    assert "removed 1 expired tokens\n" in told
    assert "ar_targets_purge ended with exit status 0" in told


def test_a_failure_is_told_and_not_the_end(tmp_path):
    nowhere = "mysql+pymysql://x:y@127.0.0.1:1/ar_targets"
    with running(nowhere, tmp_path):
        eventually(lambda: (tmp_path / "log").read_text().count("exit status 1") >= 2)
        # Read before the end, which may meet the next run and is its status then.
        assert (tmp_path / "status").read_text() == "1\n"
    assert "ERROR" in (tmp_path / "log").read_text()


def test_a_purge_does_not_outlive_it(tmp_path):
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]
    purge = schedule.Task("purge", slow, schedule.Status(tmp_path / "status"))
    purge.stop()
    running = threading.Thread(target=purge.run)
    running.start()
    eventually(lambda: purge.process is not None)
    purge.stop()
    running.join(20)
    assert (tmp_path / "status").read_text() == f"{-signal.SIGTERM}\n"


def test_a_backup_is_made_and_told(database_url, tmp_path, app, dump_tools):
    directory = tmp_path / "backups"
    directory.mkdir()
    environ = {
        "AR_TARGETS_BACKUP_SCHEDULE": EVERY_SECOND,
        "AR_TARGETS_BACKUP_DIRECTORY": str(directory),
        "AR_TARGETS_BACKUP_KEEP": "1",
        "AR_TARGETS_BACKUP_KEYS": "on",
    }
    with running(database_url, tmp_path, "--only", "backup", **environ):
        eventually(lambda: "\nremoved " in (tmp_path / "log").read_text())
        eventually((tmp_path / "status").exists)
        assert (tmp_path / "status").read_text() == "0\n"
    told = (tmp_path / "log").read_text()
    assert "ar_targets_backup ended with exit status 0" in told
    assert "purge" not in told
    assert len(list(directory.glob("*.json"))) == len(list(directory.glob("*.keys"))) == 1


def test_only_what_there_is(script):
    done = script(schedule.main, "--only", "backup")
    assert (done.code, done.err) == (1, "ar_targets.backup_schedule is not set\n")


def test_a_failure_is_told_until_the_same_task_succeeds(tmp_path):
    status = schedule.Status(tmp_path / "status")
    seen = []
    for name, ended in [("backup", 1), ("purge", 0), ("backup", 0), ("purge", 2), ("backup", 0)]:
        status.write(name, ended)
        seen.append(int((tmp_path / "status").read_text()))
    assert seen == [1, 1, 0, 2, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17 * * * *", datetime(2026, 11, 23, 10, 17, tzinfo=UTC)),
        ("0 3 * * 0", datetime(2026, 11, 29, 3, 0, tzinfo=UTC)),
        ("0 3 * * sun", datetime(2026, 11, 29, 3, 0, tzinfo=UTC)),
        ("*/20 2 1 * *", datetime(2026, 12, 1, 2, 0, tzinfo=UTC)),
    ],
)
def test_times_are_those_of_cron(text, expected):
    a_monday = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert schedule.Crontab(text).get_next_fire_time(None, a_monday) == expected


def test_a_clock_that_goes_back_repeats_nothing():
    done, now = datetime(2026, 11, 23, 2, 43, tzinfo=UTC), datetime(2026, 11, 23, 1, 50, tzinfo=UTC)
    following = schedule.Crontab("43 2 * * *").get_next_fire_time(done, now)
    assert following == datetime(2026, 11, 24, 2, 43, tzinfo=UTC)


def test_trash_goes_only_where_it_is_asked_for(monkeypatch):
    settings = schedule.settings_of
    for name, text in (("DATABASE_URL", "mysql+pymysql://u:p@h/d"), ("JWT_KEYS", KEY)):
        monkeypatch.setenv(f"AR_TARGETS_{name}", text)
    assert "--deleted-older-than" not in schedule.purge_command("x.ini", settings(str(INI)))
    monkeypatch.setenv("AR_TARGETS_PURGE_DELETED_AFTER", "30")
    command = schedule.purge_command("x.ini", settings(str(INI)))
    assert command[-2:] == ["--deleted-older-than", "30"]


def test_a_backup_is_planned_only_where_it_is_asked_for(monkeypatch):
    for name, text in (("DATABASE_URL", "mysql+pymysql://u:p@h/d"), ("JWT_KEYS", KEY)):
        monkeypatch.setenv(f"AR_TARGETS_{name}", text)
    assert [plan.name for plan in schedule.plans("x.ini", schedule.settings_of(str(INI)))] == [
        "purge"
    ]
    monkeypatch.setenv("AR_TARGETS_BACKUP_SCHEDULE", "43 2 * * *")
    monkeypatch.setenv("AR_TARGETS_BACKUP_DIRECTORY", "/backups")
    _, backup = schedule.plans("x.ini", schedule.settings_of(str(INI)))
    assert backup.schedule == "43 2 * * *"
    assert backup.command[-4:] == ["create", "/backups", "--keep", "14"]
