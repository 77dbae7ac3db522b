"""What two parties do to one thing at once: only one order of events may show afterwards."""

import base64
import functools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from ar_targets import clock
from ar_targets.db.retry import ATTEMPTS
from ar_targets.db.session import in_transaction, transaction_scope
from ar_targets.models import project as projects
from ar_targets.models import purge, soft_delete
from ar_targets.models.project import Project

from ..client import Client, at_once
from ..invariants import broken
from ..pictures import drawn
from ..tables import member as member_table
from ..tables import project as project_table
from ..tables import target as target_table
from ..tables import token as token_table

IMAGE = base64.b64encode(drawn()).decode()
# Large enough to travel beside the SQL.
LARGE = base64.b64encode(drawn() + bytes(50_000)).decode()


class Crowd:
    """Threads that repeat a call until they are told to stop; each answer with its times."""

    def __init__(self, app, calls):
        self.answers, self.enough = [], threading.Event()
        self._threads = ThreadPoolExecutor(len(calls))
        self._running = [self._threads.submit(self._repeat, Client(app.app), c) for c in calls]

    def _repeat(self, app, call):
        while not self.enough.is_set():
            sent = time.monotonic()
            answer = call(app)
            self.answers.append((sent, answer.status_int, answer))

    def wait(self, number, status):
        """Until so many were answered with that status."""
        deadline = time.monotonic() + 60
        while sum(answered == status for _, answered, _ in self.answers) < number:
            for running in self._running:
                if running.done():
                    running.result()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def stop(self):
        """All answers: when they were asked for, their statuses, and themselves."""
        self.enough.set()
        self._threads.shutdown()
        for running in self._running:
            running.result()
        return self.answers


def upload(project, token, image=IMAGE):
    return lambda app: app.post_json(
        project.targets, {"image": image}, headers=token.headers, status="*"
    )


def purge_all(engine, before):
    """What ``ar_targets_purge --deleted-older-than`` does."""
    scope, now = functools.partial(transaction_scope, engine), clock.now()
    purge.mark_purged(scope, before, now, 100)
    with transaction_scope(engine) as db:
        piles = [*purge.useless(now), *purge.old_deleted(db, before, marked=True)]
    for pile in piles:
        list(pile.remove(scope, 100))


def end_project(app, owner, project, token):
    app.delete(project.path, headers=owner.headers, status=204)


def end_owner(app, owner, project, token):
    app.delete(owner.path, status=204)


def end_token(app, owner, project, token):
    app.delete(token.path, headers=owner.headers, status=204)


@pytest.mark.parametrize("end", [end_project, end_owner, end_token])
def test_uploads_until_their_right_ends(app, stage, owner, project, write_token, end):
    """What was acknowledged is there; what was asked for after the end's answer is refused."""
    calls = [upload(project, write_token, image) for image in (IMAGE, IMAGE, LARGE, LARGE)]
    crowd = Crowd(app, calls)
    crowd.wait(10, 201)
    end(app, owner, project, write_token)
    ended = time.monotonic()
    crowd.wait(10, 401)
    answers = crowd.stop()
    assert {status for _, status, _ in answers} <= {201, 401, 404}
    assert {status for sent, status, _ in answers if sent > ended} == {401}
    made = {answer.json["id"] for _, status, answer in answers if status == 201}
    assert {row["id"] for row in stage.rows(target_table)} == made


def test_reads_until_the_token_is_revoked(app, owner, target, write_token):
    def read(own):
        return own.get(target.image, headers=write_token.headers, status="*")

    crowd = Crowd(app, 6 * [read])
    crowd.wait(20, 200)
    end_token(app, owner, None, write_token)
    ended = time.monotonic()
    crowd.wait(20, 401)
    answers = crowd.stop()
    assert {status for _, status, _ in answers} == {200, 401}
    assert {status for sent, status, _ in answers if sent > ended} == {401}


def lower_role(app, owner, editor, project):
    path = f"{project.members}/{editor.id}"
    app.patch_json(path, {"role": "viewer"}, headers=owner.headers, status=200)


def end_membership(app, owner, editor, project):
    app.delete(f"{project.members}/{editor.id}", headers=owner.headers, status=204)


def leave(app, owner, editor, project):
    app.delete(f"{project.members}/{editor.id}", headers=editor.headers, status=204)


def end_editor(app, owner, editor, project):
    app.delete(editor.path, status=204)


@pytest.mark.parametrize(
    ("end", "status"),
    [(lower_role, 403), (end_membership, 403), (leave, 403), (end_editor, 401)],
)
def test_a_members_tokens_until_the_right_ends(app, stage, owner, editor, project, end, status):
    """Those that were made before are revoked, and none is made afterwards."""

    def create(own):
        return own.post_json(project.tokens, {}, headers=editor.headers, status="*")

    crowd = Crowd(app, 4 * [create])
    crowd.wait(10, 201)
    end(app, owner, editor, project)
    ended = time.monotonic()
    crowd.wait(10, status)
    answers = crowd.stop()
    assert {answered for _, answered, _ in answers} <= {201, 401, 403}
    assert {answered for sent, answered, _ in answers if sent > ended} == {status}
    made = {answer.json["id"] for _, answered, answer in answers if answered == 201}
    rows = stage.rows(token_table)
    assert {row["id"] for row in rows} == made
    assert all(row["revoked_at"] is not None for row in rows)
    assert broken(stage.engine) == []


def test_a_member_who_becomes_the_owner_goes_on_making_tokens(app, stage, owner, editor, project):
    """None is lost, and all are the owner's afterwards."""

    def create(own):
        return own.post_json(project.tokens, {}, headers=editor.headers, status="*")

    crowd = Crowd(app, 4 * [create])
    crowd.wait(10, 201)
    with transaction_scope(stage.engine) as db:
        projects.hand_over(db, projects.find(db, project.id), editor.id)
    crowd.wait(30, 201)
    answers = crowd.stop()
    # One that has found a member, and then none, is refused.
    assert {answered for _, answered, _ in answers} <= {201, 403}
    made = {answer.json["id"] for _, answered, answer in answers if answered == 201}
    rows = stage.rows(token_table)
    assert {row["id"] for row in rows} == made
    assert {row["created_by"] for row in rows} == {None}
    assert {row["revoked_at"] for row in rows} == {None}
    assert broken(stage.engine) == []
    assert app.get(project.path, headers=owner.headers, status=403)


def test_a_user_who_is_made_a_member_many_times_at_once(app, stage, owner, stranger, project):
    def add(own):
        body = {"login": "stefan", "role": "viewer"}
        return own.post_json(project.members, body, headers=owner.headers, status="*")

    assert at_once(app, 6 * [add]) == [201] + 5 * [409]
    assert [row["user_id"] for row in stage.rows(member_table)] == [stranger.id]
    assert broken(stage.engine) == []


def test_a_number_that_many_count_up_by_if_match(app, project, target, write_token):
    """Read, add one, write unless somebody else did: no addition is lost."""
    headers = write_token.headers
    app.patch_json(target.path, {"description": "0"}, headers=headers)

    def add(own):
        seen = own.get(target.path, headers=headers)
        body = {"description": str(int(seen.json["description"]) + 1)}
        guard = {"If-Match": seen.headers["ETag"]}
        return own.patch_json(target.path, body, headers=headers | guard, status="*")

    crowd = Crowd(app, 4 * [add])
    crowd.wait(25, 200)
    answers = crowd.stop()
    added = [answer.json["description"] for _, status, answer in answers if status == 200]
    assert {status for _, status, _ in answers} == {200, 412}
    assert sorted(map(int, added)) == list(range(1, len(added) + 1))
    assert app.get(target.path, headers=headers).json["description"] == str(len(added))


def test_purges_beside_everything(app, stage, owner):
    """Two purges without a pause, and clients who make, extend, revoke and delete."""
    chance = random.Random(1)
    kept = [stage.project(owner, f"kept {n}") for n in range(2)]
    apps = [stage.app(project) for project in kept]

    def come_and_go(own):
        name = f"gone {chance.random()}"
        made = own.post_json("/api/project", {"name": name}, headers=owner.headers, status=201)
        path = f"/api/project/{made.json['id']}"
        token = own.post_json(f"{path}/jwt", {}, headers=owner.headers, status=201)
        bearer = {"Authorization": f"Bearer {token.json['token']}"}
        own.post_json(f"{path}/imagetarget", {"image": LARGE}, headers=bearer, status=201)
        return own.delete(path, headers=owner.headers, status=204)

    def replace(own):
        number = chance.randrange(2)
        targets, headers = kept[number].targets, apps[number].headers
        made = own.post_json(targets, {"image": IMAGE}, headers=headers, status=201)
        if chance.random() < 0.5:
            own.delete(f"{targets}/{made.json['id']}", headers=headers, status=204)
            return own.get(targets, headers=headers)
        return made

    crowd = Crowd(app, [come_and_go, come_and_go, replace, replace])
    with ThreadPoolExecutor(2) as purging:

        def purge_on():
            while not crowd.enough.is_set():
                purge_all(stage.engine, clock.now())

        purges = [purging.submit(purge_on) for _ in range(2)]
        try:
            crowd.wait(15, 204)
            crowd.wait(15, 201)
        finally:
            # Else the purges would go on for ever where the crowd has failed.
            answers = crowd.stop()
        for running in purges:
            running.result()
    purge_all(stage.engine, clock.now() + timedelta(seconds=1))
    left = {answer.json["id"] for _, status, answer in answers if status == 201}
    assert {row["id"] for row in stage.rows(target_table)} == left
    assert {row["name"] for row in stage.rows(project_table)} == {"kept 0", "kept 1"}


def test_a_token_that_is_extended_while_it_expires_and_is_purged(app, stage, owner, project):
    """Either it is gone, and extending it is a 404, or it lives as long as was said."""
    outcomes = set()
    for _ in range(10):
        token = stage.app(project)
        stage.expire(token)
        with ThreadPoolExecutor(2) as threads:
            both = threading.Barrier(2)

            def extend(path=token.path, both=both):
                own = Client(app.app)
                both.wait()
                return own.patch_json(path, {"ttl": 600}, headers=owner.headers, status="*")

            def remove(both=both):
                both.wait()
                purge_all(stage.engine, clock.now() - timedelta(days=1))

            removed, extended = threads.submit(remove), threads.submit(extend)
            removed.result()
            status = extended.result().status_int
        rows = stage.rows(token_table, token_table.c.id == token.id)
        works = app.get(project.targets, headers=token.headers, status="*").status_int
        assert (status, len(rows), works) in [(200, 1, 200), (404, 0, 401)]
        outcomes.add(status)
    assert outcomes <= {200, 404}


def test_a_project_that_is_restored_while_it_is_purged(stage, owner):
    """All of it comes back, or nothing."""
    for _ in range(8):
        project = stage.project(owner, "Zoo")
        token, made = stage.app(project), [stage.target(project, drawn()) for _ in range(3)]
        with transaction_scope(stage.engine) as db:
            soft_delete.delete(db, Project, project.id)
        both = threading.Barrier(2)

        def restore(project=project, both=both):
            both.wait()
            try:
                scope = functools.partial(transaction_scope, stage.engine)
                in_transaction(scope, lambda db: soft_delete.restore(db, Project, project.id))
            except soft_delete.RestoreError:
                return False
            return True

        def remove(both=both):
            both.wait()
            purge_all(stage.engine, clock.now() + timedelta(seconds=1))

        with ThreadPoolExecutor(2) as threads:
            removed, restored = threads.submit(remove), threads.submit(restore)
            removed.result()
            back = restored.result()
        counts = [
            len(stage.rows(table, column == project.id))
            for table, column in [
                (project_table, project_table.c.id),
                (token_table, token_table.c.project_id),
                (target_table, target_table.c.project_id),
            ]
        ]
        assert counts == ([1, 1, len(made)] if back else [0, 0, 0])
        assert token
        if back:
            with transaction_scope(stage.engine) as db:
                soft_delete.delete(db, Project, project.id)


@pytest.mark.parametrize(
    ("deaths", "attempts"), [(2, 3), (ATTEMPTS - 1, ATTEMPTS), (ATTEMPTS, ATTEMPTS)]
)
def test_a_script_whose_connection_dies_tries_again(stage, owner, project, deaths, attempts):
    """As after a deadlock, which costs a script its transaction as it does a request."""
    threads = []

    def rename(db):
        threads.append(db.read(text("SELECT CONNECTION_ID()"))[0][0])
        if len(threads) <= deaths:
            with stage.engine.connect() as other:
                other.exec_driver_sql(f"KILL {threads[-1]}")
        db.write(update(project_table).values(revision=project_table.c.revision + 1))
        return "done"

    scope = functools.partial(transaction_scope, stage.engine)
    if deaths < attempts:
        assert in_transaction(scope, rename) == "done"
    else:
        with pytest.raises(DBAPIError):
            in_transaction(scope, rename)
    assert len(threads) == attempts
    [row] = stage.rows(project_table)
    assert row["revision"] == (2 if deaths < attempts else 1)
