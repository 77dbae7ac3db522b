"""``ar_targets_restore``: what was deleted together comes back together, and nothing else."""

import pytest
from sqlalchemy import text

from ar_targets.models import soft_delete
from ar_targets.scripts import restore

from ..tables import project as projects
from ..tables import target as targets
from ..tables import user as users


def states(stage, table):
    return {row["id"]: row["deleted_at"] is None for row in stage.rows(table)}


def test_user(app, script, stage, owner, project, target, write_token):
    gone_before = stage.project(owner, "gone before")
    app.call("DELETE", gone_before.path, who=owner, status=204)
    app.call("DELETE", owner.path, status=204)
    app.call("GET", target.path, who=write_token, status=401)

    done = script(restore.main, "user", str(owner.id))
    assert (done.code, done.err) == (0, "")
    assert done.out == f"restored user {owner.id} and 1 of the user's projects\n"
    assert states(stage, users) == {owner.id: True}
    assert states(stage, projects) == {project.id: True, gone_before.id: False}
    # The tokens in shipped apps work again.
    app.call("GET", target.path, who=write_token, status=200)
    app.call("GET", project.path, who=owner, status=200)


def test_project(app, script, stage, owner, project, target, write_token):
    gone_before = stage.target(project)
    app.call("DELETE", gone_before.path, who=write_token, status=204)
    app.call("DELETE", project.path, who=owner, status=204)

    done = script(restore.main, "project", str(project.id))
    assert (done.code, done.out) == (0, f"restored project {project.id}\n")
    assert states(stage, targets) == {target.id: True, gone_before.id: False}
    app.call("GET", target.path, who=write_token, status=200)
    app.call("GET", gone_before.path, who=write_token, status=404)


def test_target(app, script, target, write_token):
    before = app.call("GET", target.image, who=write_token).body
    app.call("DELETE", target.path, who=write_token, status=204)
    assert script(restore.main, "target", str(target.id)).code == 0
    assert app.call("GET", target.image, who=write_token).body == before


def test_etags_of_before_are_stale(app, script, owner, project):
    before = app.call("GET", project.path, who=owner).headers["ETag"]
    app.call("DELETE", project.path, who=owner)
    script(restore.main, "project", str(project.id))
    assert app.call("GET", project.path, who=owner).headers["ETag"] != before


def test_a_taken_login_changes_nothing(app, script, stage, owner, project):
    app.call("DELETE", owner.path, status=204)
    stage.user(owner.login.upper())
    done = script(restore.main, "user", str(owner.id))
    assert (done.code, done.out) == (1, "")
    assert f"the login '{owner.login}' has been taken meanwhile" in done.err
    assert states(stage, users)[owner.id] is False
    assert states(stage, projects) == {project.id: False}


def test_a_taken_name_of_one_project_changes_nothing(app, script, stage, owner, stranger, project):
    second = stage.project(owner, "Second")
    app.call("DELETE", owner.path, status=204)
    stage.project(stranger, "sEcond")
    done = script(restore.main, "user", str(owner.id))
    assert done.code == 1
    assert "the name of a project ('Second') has been taken meanwhile" in done.err
    assert states(stage, users)[owner.id] is False
    assert states(stage, projects)[project.id] is False
    assert states(stage, projects)[second.id] is False


def test_a_taken_name_of_the_project(app, script, stage, owner, project):
    app.call("DELETE", project.path, who=owner, status=204)
    stage.project(owner, project.name)
    done = script(restore.main, "project", str(project.id))
    assert "the name 'Zoo' has been taken meanwhile" in done.err
    assert states(stage, projects)[project.id] is False


def test_parents_come_first(app, script, owner, project, target, write_token):
    app.call("DELETE", target.path, who=write_token, status=204)
    app.call("DELETE", owner.path, status=204)
    assert "restore the project first" in script(restore.main, "target", str(target.id)).err
    assert "restore the user first" in script(restore.main, "project", str(project.id)).err


@pytest.mark.parametrize("noun", ["user", "project", "target"])
def test_nothing_to_restore(script, owner, project, target, noun):
    row_id = {"user": owner, "project": project, "target": target}[noun].id
    assert script(restore.main, noun, str(row_id)).err == f"{noun} {row_id} is not deleted\n"
    missing = script(restore.main, noun, "999999")
    assert (missing.code, missing.out) == (1, "")
    assert f"there is no {noun} 999999" in missing.err


def test_list(app, script, owner, project):
    assert script(restore.main, "project").err == "no project is deleted\n"
    app.call("DELETE", project.path, who=owner, status=204)
    row_id, moment, name = script(restore.main, "project").out.rstrip("\n").split("\t")
    assert (row_id, name) == (str(project.id), "'Zoo'")
    assert moment.endswith("Z")


@pytest.fixture
def dying(monkeypatch, stage):
    """Restoring a project, on a connection that dies after the work and before the commit."""
    restoring, threads = soft_delete.restore, []

    def restore_and_die(db, noun, row_id):
        restoring(db, noun, row_id)
        threads.append(db.read(text("SELECT CONNECTION_ID()"))[0][0])
        with stage.engine.connect() as other:
            other.exec_driver_sql(f"KILL {threads[-1]}")

    monkeypatch.setattr(soft_delete, "restore", restore_and_die)
    return threads


def test_claims_nothing_that_was_not_committed(app, script, stage, owner, project, dying):
    """Nor does it try again: nobody knows what became of a commit that was not answered."""
    app.call("DELETE", project.path, who=owner, status=204)
    done = script(restore.main, "project", str(project.id))
    assert (done.code, done.out) == (1, "")
    assert "the database refused" in done.err
    assert len(dying) == 1
    assert states(stage, projects) == {project.id: False}
