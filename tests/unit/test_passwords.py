"""Password hashes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ar_targets.auth import passwords


def test_round_trip():
    hashed = passwords.hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    assert passwords.matches("correct horse", hashed)
    assert not passwords.matches("correct horse ", hashed)
    assert not passwords.outdated(hashed)


def test_nobody_has_no_password():
    assert not passwords.matches("", None)


def test_outdated():
    weaker = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$8VX0h1f7bRPVSXBgDvAEaQ"
    assert passwords.outdated(weaker)


def test_few_are_hashed_at_once(monkeypatch):
    """Who does not get a turn in time is told so, and takes nobody's turn away."""
    monkeypatch.setattr(passwords, "QUEUE_SECONDS", 0.05)
    busy, done = threading.Barrier(passwords.AT_ONCE + 1), threading.Event()

    class Slow:
        def hash(self, _password):
            busy.wait(10)
            done.wait(10)
            return "hashed"

    hasher = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Slow())
    with ThreadPoolExecutor(passwords.AT_ONCE) as threads:
        turns = [threads.submit(passwords.hash_password, "x") for _ in range(passwords.AT_ONCE)]
        busy.wait(10)
        with pytest.raises(passwords.TooManyHashesError):
            passwords.hash_password("x")
        done.set()
        assert [turn.result() for turn in turns] == ["hashed"] * passwords.AT_ONCE
    monkeypatch.setattr(passwords, "_hasher", hasher)
    assert passwords.matches("x", passwords.hash_password("x"))
