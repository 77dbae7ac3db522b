"""``ar_targets_admin``: administrators and passwords, never seen."""

import getpass
from collections.abc import Callable

import pytest

from ar_targets.scripts import admin
from ar_targets.scripts.command import CommandError

from ..tables import user as users

NEW = "battery staple correct"


def test_create(app, script, stage):
    done = script(admin.main, "create", "Root", stdin=NEW + "\n")
    (row,) = stage.rows(users)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"created administrator 'Root' (id {row['id']})\n"
    assert row["is_admin"]
    app.call("POST", "/api/login", {"login": "root", "password": NEW}, status=200)


def test_the_first_administrator(script, stage, owner):
    assert script(admin.main, "first", "root", stdin=NEW).out.startswith("created administrator")
    for login in ("root", "other"):
        again = script(admin.main, "first", login, stdin="")
        assert (again.code, again.out) == (0, "there is an administrator\n")
    assert [row["is_admin"] for row in stage.rows(users)] == [False, True]


def test_password_ends_tokens(app, script, owner):
    done = script(admin.main, "password", owner.login.upper(), stdin=NEW)
    assert done.code == 0
    assert NEW not in done.out
    app.call("GET", "/api/project", who=owner, status=401)
    app.call("POST", "/api/login", {"login": owner.login, "password": NEW}, status=200)


def test_refusals(app, script, stage, owner):
    taken = script(admin.main, "create", owner.login.upper(), stdin=NEW)
    assert (taken.code, taken.out) == (1, "")
    assert "exists; choose another login" in taken.err
    assert script(admin.main, "password", "nobody", stdin=NEW).err == "there is no user 'nobody'\n"
    assert "8 to 128 characters" in script(admin.main, "create", "x", stdin="short").err
    assert "8 to 128 characters" in script(admin.main, "create", "x").err
    assert "1 to 64 characters" in script(admin.main, "create", "", stdin=NEW).err
    assert [row["id"] for row in stage.rows(users)] == [owner.id]


class Terminal:
    """A standard input that somebody types at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Types answers at the prompts, which show nothing of them."""

    def answer(*answers: str) -> None:
        given = iter(answers)
        monkeypatch.setattr(getpass, "getpass", lambda _: next(given))
        monkeypatch.setattr("sys.stdin", Terminal())

    return answer


def test_prompt_twice(typed):
    typed(NEW, NEW)
    assert admin.read_password() == NEW


def test_prompts_that_differ(typed):
    typed(NEW, NEW + "x")
    with pytest.raises(CommandError, match="differ"):
        admin.read_password()
