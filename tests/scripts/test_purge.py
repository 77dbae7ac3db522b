"""``ar_targets_purge``: what goes, what stays, and what happens meanwhile."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import hard_delete, soft_delete
from ar_targets.models import purge as piles
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.token import Token
from ar_targets.models.user import User
from ar_targets.scripts import purge, restore

from ..tables import attempt as attempts
from ..tables import audit
from ..tables import project as projects
from ..tables import purge_result as results
from ..tables import target as targets
from ..tables import token as tokens
from ..tables import user as users

LONG_AGO = timedelta(days=40)


def ids(stage, table):
    return {row["id"] for row in stage.rows(table)}


def age(stage, table, row_id):
    """Let a deleted row have been deleted long ago."""
    with stage.engine.begin() as db:
        old = {"deleted_at": clock.now() - LONG_AGO}
        db.execute(update(table).where(table.c.id == row_id).values(old))


def test_dead_tokens_go(script, stage, project):
    valid, expired, revoked, both = (stage.app(project) for _ in range(4))
    for app in (expired, both):
        stage.expire(app)
    for app in (revoked, both):
        stage.revoke(app)
    done = script(purge.main)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "removed 2 expired tokens\nremoved 0 expired password links\n"
        "removed 0 expired admin sessions\nremoved 0 old counts of requests\n"
        "removed 0 old idempotency keys\nremoved 0 old login attempts\n"
        "removed 1 revoked tokens\nremoved 0 old audit entries\n"
    )
    assert ids(stage, tokens) == {valid.id}


def test_a_clock_ahead_removes_nothing(script, stage, project, monkeypatch):
    """A token that would expire within that hour could not be extended any more."""
    app, gone = stage.app(project, ttl=600), stage.app(project)
    stage.revoke(gone)
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + timedelta(hours=1))
    for more in ((), ("--deleted-older-than", "0"), ("--dry-run",)):
        done = script(purge.main, *more)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("this machine's clock is 36")
    assert ids(stage, tokens) == {app.id, gone.id}
    # One that is behind removes less, and later.
    monkeypatch.setattr(clock, "now", lambda: right() - timedelta(hours=1))
    assert script(purge.main).code == 0
    assert ids(stage, tokens) == {app.id}


def test_attempts_that_no_longer_count_go(script, stage):
    attempt = {"moments": b"", "expires_at": clock.now()}
    later = attempt | {"expires_at": clock.now() + timedelta(minutes=1)}
    with stage.engine.begin() as db:
        db.execute(insert(attempts), [later | {"id": b"l" * 32}])
        db.execute(insert(attempts), [attempt | {"id": bytes([n]) * 32} for n in range(25)])
    assert "removed 25 old login attempts\n" in script(purge.main, "--batch", "10").out
    assert ids(stage, attempts) == {b"l" * 32}


def test_audit_entries_go_after_their_days(script, stage, owner, project, monkeypatch):
    with stage.engine.begin() as connection:
        long_ago = clock.now() - timedelta(days=8)
        connection.execute(update(audit).where(audit.c.noun == "user").values(at=long_ago))
    assert "removed 0 old audit entries\n" in script(purge.main).out
    monkeypatch.setenv("AR_TARGETS_AUDIT_DAYS", "7")
    assert "removed 1 old audit entries\n" in script(purge.main).out
    assert [entry["noun"] for entry in stage.rows(audit)] == ["project"]


def test_what_was_removed_is_added_up(script, stage, project):
    for number in (1, 2):
        before = clock.now()
        for _ in range(number):
            stage.expire(stage.app(project))
        script(purge.main)
        (row,) = stage.rows(results, results.c.kind == "expired tokens")
        assert row["removed"] == (1, 3)[number - 1]
        assert before <= row["finished_at"] <= clock.now()
    assert not stage.rows(results, results.c.kind == "deleted targets")
    script(purge.main, "--dry-run")
    assert stage.rows(results, results.c.kind == "expired tokens") == [row]


def test_what_was_removed_before_an_error_is_added_up_without_an_end(
    script, stage, project, monkeypatch
):
    stage.expire(stage.app(project))
    removing = piles.Removal.remove

    def remove(self, *arguments):
        if self.name != "expired tokens":
            raise KeyboardInterrupt
        return removing(self, *arguments)

    monkeypatch.setattr(piles.Removal, "remove", remove)
    assert script(purge.main).code == 1
    (row,) = stage.rows(results, results.c.kind == "expired tokens")
    assert (row["removed"], row["finished_at"]) == (1, None)


def test_dry_run_removes_nothing(script, stage, project, target):
    app = stage.app(project)
    stage.expire(app)
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Target, target.id)
    age(stage, targets, target.id)
    done = script(purge.main, "--dry-run", "--deleted-older-than", "30")
    assert "would remove 1 expired tokens" in done.out
    assert "would remove 1 deleted targets" in done.out
    assert ids(stage, tokens) == {app.id}
    assert ids(stage, targets) == {target.id}


def test_what_is_deleted_stays_unless_asked(script, stage, project, target):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, project.id)
    age(stage, projects, project.id)
    script(purge.main)
    assert ids(stage, projects) == {project.id}
    assert ids(stage, targets) == {target.id}


def test_old_trash_goes_with_all_that_hangs_on_it(script, stage, owner, project, target):
    kept_project = stage.project(stage.user("kept"), "kept")
    kept = stage.target(kept_project)
    app, young = stage.app(project), stage.target(project)
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Target, young.id)
        soft_delete.delete(db, User, owner.id)
    age(stage, users, owner.id)
    age(stage, projects, project.id)
    done = script(purge.main, "--deleted-older-than", "30")
    assert done.code == 0
    assert "removed 2 deleted targets\n" in done.out
    assert "removed 1 tokens of deleted projects\n" in done.out
    assert ids(stage, users) == {stage.rows(projects)[0]["owner_id"]}
    assert ids(stage, projects) == {kept_project.id}
    assert ids(stage, targets) == {kept.id}
    assert app.id not in ids(stage, tokens)


def test_young_trash_stays(script, stage, owner, project, target):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Target, target.id)
        soft_delete.delete(db, User, owner.id)
    script(purge.main, "--deleted-older-than", "1")
    assert ids(stage, users) == {owner.id}
    assert ids(stage, projects) == {project.id}
    assert ids(stage, targets) == {target.id}


def test_what_is_being_removed_cannot_be_restored(script, stage, project):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, project.id)
    soon = clock.now() + timedelta(seconds=1)
    piles.mark_purged(lambda: transaction_scope(stage.engine), soon, clock.now(), 1)
    refused = script(restore.main, "project", str(project.id))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"project {project.id} is being removed for good\n"


def test_what_the_panel_has_begun_is_gone_on_with(script, stage, project, target, monkeypatch):
    with transaction_scope(stage.engine) as db:
        soft_delete.delete(db, Project, project.id)
    monkeypatch.setattr(hard_delete, "TIME_LIMIT", -1.0)
    scope = lambda: transaction_scope(stage.engine)  # noqa: E731
    assert not hard_delete.remove(scope, Project, project.id, clock.now())
    script(purge.main, "--deleted-older-than", "30")
    assert ids(stage, projects) == set()


def many_tokens(stage, project, number, expires_at):
    row = {
        "project_id": project.id,
        "access": "read",
        "description": "",
        "ttl": 1,
        "created_at": expires_at,
        "updated_at": expires_at,
        "expires_at": expires_at,
    }
    with stage.engine.begin() as db:
        db.execute(insert(tokens), [row | {"jti": f"{n:032x}"} for n in range(number)])


def test_batches_go_through_equal_moments(script, stage, project):
    many_tokens(stage, project, 25, clock.now() - timedelta(days=1))
    done = script(purge.main, "--batch", "10")
    assert "removed 25 expired tokens" in done.out
    assert ids(stage, tokens) == set()


def test_two_at_once_share_the_work(stage, project):
    many_tokens(stage, project, 3000, clock.now() - timedelta(days=1))
    pile = next(one for one in piles.useless(clock.now()) if one.noun is Token)

    def remove(_):
        return sum(pile.remove(lambda: transaction_scope(stage.engine), 100))

    with ThreadPoolExecutor() as threads:
        assert sum(threads.map(remove, range(2))) == 3000
    assert ids(stage, tokens) == set()


def test_a_token_extended_meanwhile_stays(stage, project):
    many_tokens(stage, project, 2, clock.now() - timedelta(days=1))
    pile = next(one for one in piles.useless(clock.now()) if one.noun is Token)
    removing = pile.remove(lambda: transaction_scope(stage.engine), 1)
    assert next(removing) == 1
    alive = tokens.c.expires_at, clock.now() + timedelta(days=1)
    with stage.engine.begin() as db:
        db.execute(update(tokens).values({alive[0]: alive[1]}))
    assert list(removing) == []
    assert len(ids(stage, tokens)) == 1


def test_progress_on_a_terminal(script, stage, project, monkeypatch):
    many_tokens(stage, project, 2, clock.now() - timedelta(days=1))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    done = script(purge.main)
    assert "\r2 expired tokens" in done.err


@pytest.mark.parametrize("arguments", [("--batch", "0"), ("--deleted-older-than", "-1"), ("x",)])
def test_a_wrong_command_line(script, arguments):
    done = script(purge.main, *arguments)
    assert done.code == 2
    assert "usage:" in done.err
