"""Logging in, what is kept of it, and for whose eyes."""

import json
import stat

import pytest

from ..actors import PASSWORD
from .terminal import at_terminal


def test_the_token_is_kept_for_its_owner_alone(run, owner, server, config):
    done = run("login", "olga", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert done.code == 0
    assert f"Logged in at {server.url} as olga" in done.err
    assert PASSWORD not in done.out + done.err
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert PASSWORD not in config.read_text()
    assert run("project", "list").code == 0
    # The file is replaced, and nothing is left beside it.
    assert run("login", "olga", "--password-stdin", stdin=f"{PASSWORD}\n").code == 0
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert [file.name for file in config.parent.iterdir()] == ["credentials.json"]


def test_the_server_is_kept_too(run, owner, server):
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    done = run("project", "add", "Zoo", "--json", AR_TARGETS_SERVER="")
    assert done.json["name"] == "Zoo"
    status = run("status", "--json", AR_TARGETS_SERVER="").json
    assert (status["server"], status["login"]["login"]) == (server.url, "olga")
    assert "token" not in status["login"]


def test_a_token_is_sent_to_its_own_server_only(run, owner, wire):
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    done = run("project", "list", "--server", wire.url)
    assert done.code == 1
    assert "not logged in" in done.err
    assert wire.requests == []


def test_a_wrong_password(run, owner, config):
    done = run("login", "olga", "--password-stdin", stdin="wrong horse")
    assert done.code == 4
    assert "wrong login or password (401, request " in done.err
    assert not config.exists()


def test_too_many_failures_are_not_waited_for(run, stage):
    stage.user("otto")
    for _ in range(3):
        assert run("login", "otto", "--password-stdin", stdin="wrong").code == 4
    done = run("login", "otto", "--password-stdin", stdin=PASSWORD)
    assert done.code == 4
    assert "too many failed logins" in done.err


def test_logout(run, owner, config):
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    assert run("logout").code == 0
    assert "eyJ" not in config.read_text()
    assert run("project", "list").code == 1
    assert "Logged in: nobody" in run("status").out


def test_without_a_terminal_the_password_is_not_asked_for(run, owner):
    done = run("login", "olga")
    assert done.code == 2
    assert "--password-stdin" in done.err
    assert run("login", "--password-stdin", stdin=PASSWORD).code == 2


def test_no_server_is_named(run):
    done = run("project", "list", AR_TARGETS_SERVER="")
    assert done.code == 2
    assert "AR_TARGETS_SERVER" in done.err


@pytest.mark.parametrize("url", ["ftp://x", "ar.example.org", "http://", "http://a:b@host"])
def test_no_url(run, url):
    assert run("project", "list", "--server", url).code == 1


@pytest.mark.parametrize("text", ["no json", "[]", '{"logins": {"x": 1}}'])
def test_a_file_that_cannot_be_used(run, config, text):
    config.parent.mkdir(parents=True)
    config.write_text(text)
    done = run("status")
    assert done.code == 1
    assert str(config) in done.err
    assert "delete it" in done.err


def test_a_place_that_cannot_be_written(run, owner, config):
    config.parent.parent.write_text("a file in the folder's place")
    done = run("login", "olga", "--password-stdin", stdin=PASSWORD)
    assert done.code == 1
    assert "credentials.json" in done.err


def test_the_password_is_asked_for_unseen(server, owner, config):
    environment = {"AR_TARGETS_SERVER": server.url}
    code, shown = at_terminal(
        ["login"], [("Login:", "olga\n"), ("Password:", f"{PASSWORD}\n")], environment
    )
    assert code == 0
    assert "Logged in" in shown
    assert PASSWORD not in shown
    assert json.loads(config.read_text())["logins"][server.url]["login"] == "olga"


def test_plain_http_to_another_machine_is_warned_of(run):
    done = run("status", "--server", "http://ar.example.org")
    assert done.code == 0
    assert "not encrypted" in done.err
    assert "not encrypted" not in run("status", "--server", "https://ar.example.org").err
