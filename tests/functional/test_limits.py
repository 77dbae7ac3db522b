"""Limits: projects a user, image targets a project, bytes a user; and what is used of them."""

import json
from datetime import timedelta

import pytest

from ar_targets import clock
from ar_targets.db.session import transaction_scope
from ar_targets.models import limit, purge, soft_delete, usage
from ar_targets.models.limit import LimitReachedError, Limits
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.usage import ProjectUsage, Use

from ..client import at_once, faults
from ..pictures import CHINA, FLOWER, base64_of, drawn

IMAGE = {"image": base64_of(CHINA)}


def told(answer, name):
    """The description of a 409 that names a limit."""
    assert faults(answer) == {name: "body"}
    return answer.json["errors"][0]["description"]


def purge_all(stage):
    """Remove for good what is deleted."""
    before = clock.now() + timedelta(seconds=1)
    with transaction_scope(stage.engine) as db:
        removals = list(purge.old_deleted(db, before, marked=False))
    for removal in removals:
        list(removal.remove(lambda: transaction_scope(stage.engine), 100))


class TestProjects:
    def test_past_the_limit(self, make_app, stage, owner, stranger):
        app = make_app(projects_per_user=2)
        paths = [
            app.call("POST", "/api/project", {"name": name}, who=owner, status=201).json["id"]
            for name in ("one", "two")
        ]
        answer = app.call("POST", "/api/project", {"name": "three"}, who=owner, status=409)
        description = told(answer, "projects")
        assert "the limit of projects is 2 for a user, and there are 2" in description
        assert "projects_per_user" in description
        app.call("POST", "/api/project", {"name": "three"}, who=stranger, status=201)
        # A deleted one counts, and can be restored, until it is purged.
        path = f"/api/project/{paths[0]}"
        app.call("DELETE", path, who=owner)
        app.call("POST", "/api/project", {"name": "four"}, who=owner, status=409)
        app.call("POST", f"{path}/restore", who=owner, status=200)
        app.call("DELETE", path, who=owner)
        purge_all(stage)
        app.call("POST", "/api/project", {"name": "four"}, who=owner, status=201)

    def test_what_is_there_already_stays(self, make_app, stage, owner):
        mine = [stage.project(owner, name) for name in ("one", "two", "three")]
        app = make_app(projects_per_user=1)
        app.call("PATCH", mine[2].path, {"name": "drei"}, who=owner, status=200)
        answer = app.call("POST", "/api/project", {"name": "four"}, who=owner, status=409)
        assert "there are 3" in told(answer, "projects")


class TestTargets:
    def test_past_the_limit(self, make_app, stage, project, write_token, owner):
        app = make_app(targets_per_project=2)
        made = [
            app.call("POST", project.targets, IMAGE, who=write_token, status=201).json["id"]
            for _ in range(2)
        ]
        answer = app.call("POST", project.targets, IMAGE, who=write_token, status=409)
        assert "image targets is 2 for a project, and there are 2" in told(answer, "targets")
        path = f"{project.targets}/{made[0]}"
        app.call("PUT", path, IMAGE, who=write_token, status=200)
        app.call("DELETE", path, who=write_token)
        app.call("POST", project.targets, CHINA, who=write_token, status=409)
        app.call("POST", f"{path}/restore", who=write_token, status=200)
        # Another project of the same owner has its own.
        other = stage.project(owner, "Museum")
        app.call("POST", other.targets, IMAGE, who=stage.app(other), status=201)
        app.call("DELETE", path, who=write_token)
        purge_all(stage)
        app.call("POST", project.targets, IMAGE, who=write_token, status=201)


class TestBytes:
    def test_past_the_limit(self, make_app, stage, owner, stranger, project, write_token):
        most = 2 * len(CHINA) + 10
        app = make_app(bytes_per_user=most)
        first = app.call("POST", project.targets, IMAGE, who=write_token, status=201).json
        # It is the owner's, over all projects.
        other = stage.project(owner, "Museum")
        token = stage.app(other)
        app.call("POST", other.targets, CHINA, who=token, status=201)
        answer = app.call("POST", other.targets, FLOWER, who=token, status=409)
        description = told(answer, "bytes")
        assert f"bytes is {most} for a user; {2 * len(CHINA)} are stored" in description
        assert f"takes {len(FLOWER)} more" in description
        theirs = stage.project(stranger, "Theirs")
        app.call("POST", theirs.targets, FLOWER, who=stage.app(theirs), status=201)
        # What gets no larger may change; what does must fit.
        path = f"{project.targets}/{first['id']}"
        app.call("PATCH", path, {"metadata": "x" * 8}, who=write_token, status=200)
        for method, tail, body in (
            ("PATCH", "", {"metadata": "x" * 9}),
            ("PUT", "", {**IMAGE, "metadata": "x" * 9}),
        ):
            app.call(method, path + tail, body, who=write_token, status=409)
        app.call("PATCH", path, {"name": "gate"}, who=write_token, status=200)
        app.call("PUT", path + "/image", drawn(), who=write_token, status=200)
        app.call("PUT", path + "/image", CHINA, who=write_token, status=200)
        larger = CHINA + bytes(1)
        app.call("PUT", path + "/image", larger, who=write_token, status=409)
        app.call("PATCH", path, {"metadata": None}, who=write_token, status=200)
        app.call("PUT", path + "/image", larger, who=write_token, status=200)

    def test_the_limit_itself_is_allowed(self, make_app, project, write_token):
        app = make_app(bytes_per_user=len(CHINA))
        app.call("POST", project.targets, IMAGE, who=write_token, status=201)
        assert app.call("GET", f"{project.path}/usage", who=write_token).json["bytes"] == len(CHINA)


class TestUsage:
    def test_what_it_shows(self, make_app, stage, owner, project, write_token, read_token):
        app = make_app(targets_per_project=70, bytes_per_user=10**6)
        stage.target(project, CHINA)
        gone = stage.target(project, FLOWER, metadata=json.dumps("xyz"))
        stage.delete(Target, gone.id)
        stage.target(stage.project(owner, "Museum"), CHINA)
        for who in (owner, write_token, read_token):
            answer = app.call("GET", f"{project.path}/usage", who=who, status=200)
            assert answer.json == {
                "targets": 2,
                "bytes": len(CHINA) + len(FLOWER) + 5,
                "limits": {"targets": 70, "bytes": 10**6},
            }
            assert "ETag" not in answer.headers
        purge_all(stage)
        assert app.call("GET", f"{project.path}/usage", who=owner).json["targets"] == 1

    def test_of_nothing(self, app, project, owner):
        answer = app.call("GET", f"{project.path}/usage", who=owner).json
        assert answer == {
            "targets": 0,
            "bytes": 0,
            "limits": {"targets": 100_000, "bytes": 107_374_182_400},
        }


def test_many_at_once_pass_it_by_what_they_add(make_app, project, write_token):
    """Requests in flight may pass a limit together; whoever comes later may not."""
    app = make_app(targets_per_project=3)

    def create(own):
        return own.call("POST", project.targets, IMAGE, who=write_token, status="*")

    answers = at_once(app, 8 * [create])
    assert set(answers) <= {201, 409}
    assert answers.count(201) >= 3
    app.call("POST", project.targets, IMAGE, who=write_token, status=409)


class TestCountingLessOften:
    """While much is left, a process adds a part of it before it counts again."""

    @pytest.fixture
    def counted(self, monkeypatch):
        """How often a user's projects are counted; ``used`` is what is found."""
        calls = []

        def projects(db, owner_id):
            calls.append(owner_id)
            return self.used

        monkeypatch.setattr(limit.usage, "projects", projects)
        return calls

    def limits(self, make_app, most):
        return Limits(make_app(projects_per_user=most).registry.ar_settings)

    def test_far_from_it(self, make_app, counted):
        limits, self.used = self.limits(make_app, 1000), 0
        for _ in range(10):
            limits.require_project(None, 7)
        assert len(counted) == 1
        limits.require_project(None, 7)
        assert len(counted) == 2
        limits.require_project(None, 8)
        assert counted == [7, 7, 8]

    def test_near_it(self, make_app, counted):
        limits, self.used = self.limits(make_app, 1000), 950
        for _ in range(5):
            limits.require_project(None, 7)
        assert len(counted) == 5
        self.used = 1000
        with pytest.raises(LimitReachedError):
            limits.require_project(None, 7)

    @pytest.mark.usefixtures("counted")
    def test_processes_together_pass_it_by_a_part_at_most(self, make_app):
        processes, self.used = [self.limits(make_app, 1000) for _ in range(4)], 0
        refused = 0
        while refused < len(processes):
            refused = 0
            for limits in processes:
                try:
                    limits.require_project(None, 7)
                except LimitReachedError:
                    refused += 1
                else:
                    self.used += 1
        assert 1000 <= self.used <= 1000 + len(processes) * 1000 // limit.PART


class TestNear:
    def test_who_is_near_a_limit(self, stage, owner, stranger):
        zoo, museum = stage.project(owner, "Zoo"), stage.project(owner, "Museum")
        stage.project(stranger, "Theirs")
        for _ in range(4):
            stage.target(zoo, CHINA)
        stage.target(museum, CHINA)
        gone = stage.project(owner, "Gone")
        with transaction_scope(stage.engine) as db:
            soft_delete.delete(db, Project, gone.id)
        limits = {"projects": 3, "targets": 5, "bytes": 6 * len(CHINA)}
        with transaction_scope(stage.engine) as db:
            everybody = usage.near(db, limits, 10)
            assert everybody == [
                Use("projects", owner.id, "olga", 3, 3),
                Use("targets", zoo.id, "Zoo", 4, 5),
                Use("bytes", owner.id, "olga", 5 * len(CHINA), 6 * len(CHINA)),
            ]
            assert usage.near(db, limits, 10, owner.id) == everybody
            assert usage.near(db, limits, 10, stranger.id) == []
            assert usage.near_counts(db, limits) == {"projects": 1, "targets": 1, "bytes": 1}
            assert usage.of_project(db, museum.id) == ProjectUsage(1, len(CHINA))
            assert usage.near(db, dict.fromkeys(limits, 10**9), 10) == []
