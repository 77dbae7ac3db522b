"""What is known about a target: its analysis, its heatmap, and lists by them."""

import base64
import functools
import hashlib
import io

import orjson
import pytest
from PIL import Image

from ar_targets.db.session import transaction_scope
from ar_targets.images.heatmap import COLD, HOT
from ar_targets.models import Target, analysis, feature_set, target
from ar_targets.vision.examine import extract
from ar_targets.vision.version import VERSION

from .. import tables
from ..client import faults
from ..pictures import CHINA, FLOWER, HEIGHT, WIDTH, base64_of, drawn
from ..ports import free_port
from ..tables import analysis as table
from ..unit.jpegs import encoded
from .test_target_list import ids, pages

PROBLEM = {
    "code": "low_contrast",
    "severity": "warning",
    "description": "it is grey in grey",
    "remedy": "print it darker",
    "area": [0, 0, 320, 427],
}
FIELDS = {
    "status", "version", "analysed_at", "trackability", "rating", "features", "problems",
    "similar", "heatmap_url",
}  # fmt: skip
UNKNOWN = {"analysed_at": None, "trackability": None, "rating": None, "features": None}


def analysed(app, of, who):
    return app.call("GET", f"{of.path}/analysis", who=who, status=200)


class TestRead:
    def test_a_new_picture_is_pending(self, app, write_token, target):
        answer = analysed(app, target, write_token)
        assert answer.headers["Retry-After"] == "1"
        assert answer.json == {
            "status": "pending",
            "version": VERSION,
            **UNKNOWN,
            "problems": [],
            "similar": [],
            "heatmap_url": f"http://localhost{target.path}/analysis/heatmap",
        }

    def test_an_upload_and_its_job_are_one(self, app, stage, project, write_token):
        sent = {"description": "a gate"}
        stored = app.call("POST", project.targets, CHINA, who=write_token, status=201).json
        (row,) = stage.rows(table)
        assert (row["target_id"], row["sha256"]) == (stored["id"], stored["sha256"])
        assert (row["project_id"], row["version"], row["status"]) == (
            project.id,
            VERSION,
            "pending",
        )
        app.call("PATCH", f"{project.targets}/{stored['id']}", sent, who=write_token, status=200)
        assert stage.rows(table) == [row]

    def test_done(self, app, stage, write_token, target):
        stage.analyse(target, problems=orjson.dumps([PROBLEM]).decode())
        answer = analysed(app, target, write_token)
        assert "Retry-After" not in answer.headers
        assert answer.json.keys() == FIELDS
        shown = {name: answer.json[name] for name in ("status", "trackability", "rating")}
        assert shown == {"status": "done", "trackability": 75, "rating": 4}
        assert answer.json["problems"] == [PROBLEM]
        assert answer.json["analysed_at"].endswith("Z")

    def test_failed(self, app, stage, write_token, target):
        failed = {**PROBLEM, "code": "failed", "severity": "error", "area": None}
        stage.analyse(target, "failed", problems=orjson.dumps([failed]).decode())
        shown = analysed(app, target, write_token).json
        assert shown["status"] == "failed"
        assert [shown[name] for name in ("trackability", "rating", "features")] == [None] * 3
        assert shown["problems"] == [failed]

    def test_a_target_without_a_row_is_pending(self, app, stage, write_token, target):
        with stage.engine.begin() as connection:
            connection.execute(table.delete())
        assert analysed(app, target, write_token).json["status"] == "pending"

    def test_an_etag_of_its_own(self, app, stage, write_token, target):
        whole = app.call("GET", target.path, who=write_token)
        pending = analysed(app, target, write_token).headers["ETag"]
        stage.analyse(target)
        done = analysed(app, target, write_token).headers["ETag"]
        assert len({pending, done, whole.headers["ETag"]}) == 3
        path = f"{target.path}/analysis"
        app.call("GET", path, who=write_token, if_none_match=done, status=304)
        app.call("GET", path, who=write_token, if_none_match=pending, status=200)
        again = app.call("GET", target.path, who=write_token)
        assert again.headers["ETag"] == whole.headers["ETag"]
        assert again.json["updated_at"] == whole.json["updated_at"]

    def test_missing(self, app, project, write_token):
        app.call("GET", f"{project.targets}/999999/analysis", who=write_token, status=404)

    def test_deleted(self, app, write_token, target):
        app.call("DELETE", target.path, who=write_token)
        for path in ("analysis", "analysis/heatmap"):
            app.call("GET", f"{target.path}/{path}", who=write_token, status=404)
        app.call("POST", f"{target.path}/analysis/retry", who=write_token, status=404)


class TestChanges:
    def test_another_picture_is_pending_at_once(self, app, stage, write_token, target):
        stage.analyse(target)
        app.call("PUT", target.image, FLOWER, who=write_token, status=200)
        shown = analysed(app, target, write_token).json
        assert shown["status"] == "pending"
        assert {name: shown[name] for name in UNKNOWN} == UNKNOWN
        (row,) = stage.rows(table)
        assert row["sha256"] == hashlib.sha256(FLOWER).hexdigest()
        assert (row["lease"], row["tries"], row["rating_order"]) == (None, 0, None)
        app.call("GET", f"{target.path}/analysis/heatmap", who=write_token, status=404)

    def test_the_same_picture_stays_done(self, app, stage, write_token, target):
        stage.analyse(target)
        before = stage.rows(table)
        app.call("PUT", target.image, CHINA, who=write_token, status=200)
        assert stage.rows(table) == before

    def test_what_was_found_out_about_the_old_picture_is_not_stored(
        self, app, stage, write_token, target
    ):
        with stage.engine.begin() as connection:
            connection.execute(table.update().values(lease="1" * 32))
        app.call("PUT", target.image, FLOWER, who=write_token, status=200)
        with transaction_scope(stage.engine) as db:
            done = {"status": "done", "rating": 5}
            assert not analysis.finish(db, target.id, "1" * 32, done)
        assert analysed(app, target, write_token).json["status"] == "pending"

    def test_moved(self, stage, owner, target, project):
        stage.analyse(target)
        there = stage.project(owner, "there")
        with transaction_scope(stage.engine) as db:
            assert move(db, project.id, target.id, there.id)
        (row,) = stage.rows(table)
        assert (row["project_id"], row["status"]) == (there.id, "pending")

    def test_retry(self, app, stage, write_token, target):
        stage.analyse(target, "failed")
        answer = app.call("POST", f"{target.path}/analysis/retry", who=write_token, status=202)
        assert answer.json["status"] == "pending"
        assert answer.headers["Retry-After"] == "1"
        (row,) = stage.rows(table)
        assert (row["status"], row["tries"], row["lease"]) == ("pending", 0, None)
        assert analysed(app, target, write_token).json == answer.json

    def test_retry_of_a_target_without_a_row(self, app, stage, write_token, target):
        with stage.engine.begin() as connection:
            connection.execute(table.delete())
        app.call("POST", f"{target.path}/analysis/retry", who=write_token, status=202)
        assert [row["target_id"] for row in stage.rows(table)] == [target.id]


def move(db, project_id, target_id, there):
    return target.move(db, target.find(db, project_id, target_id), there)


class TestSimilar:
    @pytest.fixture
    def three(self, stage, project):
        made = [stage.target(project, name=name) for name in ("one", "two", "three")]
        for one in made:
            stage.analyse(one)
        stage.resemble(made[0], {made[1]: 0.5, made[2]: 0.75})
        return made

    def similar(self, app, of, who):
        return [one["name"] for one in analysed(app, of, who).json["similar"]]

    def test_both_ways_and_in_order(self, app, write_token, three):
        one, two, three_ = three
        shown = analysed(app, one, write_token).json["similar"]
        assert shown == [
            {"id": three_.id, "name": "three", "similarity": 0.75},
            {"id": two.id, "name": "two", "similarity": 0.5},
        ]
        assert self.similar(app, two, write_token) == ["one"]

    def test_follows_the_others(self, app, stage, owner, project, write_token, three):
        one, two, three_ = three
        app.call("DELETE", two.path, who=write_token)
        assert self.similar(app, one, write_token) == ["three"]
        app.call("POST", f"{two.path}/restore", who=write_token, status=200)
        app.call("PATCH", two.path, {"name": "zwei"}, who=write_token, status=200)
        assert self.similar(app, one, write_token) == ["three", "zwei"]
        app.call("PUT", three_.image, FLOWER, who=write_token, status=200)
        assert self.similar(app, one, write_token) == ["zwei"]
        with transaction_scope(stage.engine) as db:
            assert move(db, project.id, two.id, stage.project(owner, "there").id)
        stage.analyse(two)
        assert self.similar(app, one, write_token) == []

    def test_replaced(self, app, stage, write_token, three):
        one, two, three_ = three
        stage.resemble(one, {two: 0.9})
        assert self.similar(app, three_, write_token) == []
        assert self.similar(app, two, write_token) == ["one"]


class TestHeatmap:
    def read(self, app, of, who, query=""):
        answer = app.call("GET", f"{of.path}/analysis/heatmap{query}", who=who, status=200)
        assert answer.content_type == "image/png"
        return Image.open(io.BytesIO(answer.body)), answer

    def test_by_itself(self, app, stage, write_token, target):
        stage.analyse(target)
        picture, _ = self.read(app, target, write_token)
        assert (picture.size, picture.mode) == ((WIDTH, HEIGHT), "RGBA")
        left, right = picture.getpixel((10, 200)), picture.getpixel((WIDTH - 10, 200))
        # Rounded, where transparent pixels are made larger.
        assert left == pytest.approx(COLD, abs=3)
        assert right == pytest.approx(HOT, abs=3)

    def test_over_the_picture(self, app, stage, write_token, target):
        stage.analyse(target)
        picture, answer = self.read(app, target, write_token, "?overlay=true")
        assert (picture.size, picture.mode) == ((WIDTH, HEIGHT), "RGB")
        plain = Image.open(io.BytesIO(CHINA)).getpixel((10, 200))
        part = COLD[3] / 255
        mixed = [round(p + (c - p) * part) for p, c in zip(plain, COLD, strict=False)]
        assert max(abs(a - b) for a, b in zip(picture.getpixel((10, 200)), mixed, strict=True)) < 9
        _, other = self.read(app, target, write_token, "?overlay=false")
        tags = {answer.headers["ETag"], other.headers["ETag"]}
        assert len(tags) == 2
        path = f"{target.path}/analysis/heatmap?overlay=true"
        for tag, status in zip(
            (answer.headers["ETag"], other.headers["ETag"]), (304, 200), strict=True
        ):
            app.call("GET", path, who=write_token, if_none_match=tag, status=status)

    def test_a_large_picture_is_drawn_small(self, app, stage, project, write_token):
        large = stage.target(project, drawn(size=(1000, 250)))
        stage.analyse(large)
        for query in ("", "?overlay=true"):
            assert self.read(app, large, write_token, query)[0].size == (768, 192)

    def test_pending(self, app, write_token, target):
        app.call("GET", f"{target.path}/analysis/heatmap", who=write_token, status=404)

    def test_bad_overlay(self, app, write_token, target):
        path = f"{target.path}/analysis/heatmap?overlay=yes"
        answer = app.call("GET", path, who=write_token, status=400)
        assert faults(answer) == {"overlay": "querystring"}

    def test_a_picture_that_cannot_be_decoded(self, app, stage, project, write_token):
        broken = stage.unproven(project, b"no picture", 100, 100)
        stage.analyse(broken)
        path = f"{broken.path}/analysis/heatmap"
        app.call("GET", path, who=write_token, status=200)
        app.call("GET", f"{path}?overlay=true", who=write_token, status=404)


class TestLists:
    @pytest.fixture
    def rated(self, stage, project, other_project):
        """Targets by their rating; None for a pending one, -1 for a failed one."""
        ratings = [3, 5, None, 0, 3, -1, 5, 3]
        made = [stage.target(project, name=f"n{n}", active=n != 1) for n in range(len(ratings))]
        for one, rating in zip(made, ratings, strict=True):
            if rating is not None:
                stage.analyse(one, **({"rating": rating} if rating >= 0 else {"status": "failed"}))
        stage.analyse(stage.target(other_project), rating=5)
        return [one.id for one in made]

    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("rating_min=0", [1, 6, 0, 4, 7, 3]),
            ("rating_min=3", [1, 6, 0, 4, 7]),
            ("rating_min=4", [1, 6]),
            ("rating_min=3&active=true", [6, 0, 4, 7]),
            ("rating_min=3&analysis=done", [1, 6, 0, 4, 7]),
            ("rating_min=3&analysis=pending", []),
            ("rating_min=3&name=n4", [4]),
            ("rating_min=5&name=n4", []),
            (f"rating_min=1&sha256={hashlib.sha256(CHINA).hexdigest()}", [1, 6, 0, 4, 7]),
            ("analysis=pending", [2]),
            ("analysis=failed", [5]),
            ("analysis=done", [0, 1, 3, 4, 6, 7]),
            ("analysis=done&active=false", [1]),
            ("analysis=done&name_prefix=n", [0, 1, 3, 4, 6, 7]),
            ("analysis=failed&name_prefix=n6", []),
        ],
    )
    def test_filters(self, app, project, write_token, rated, query, wanted):
        found = ids(app, f"{project.targets}?{query}", write_token)
        assert found == [rated[n] for n in wanted]

    def test_deleted_ones(self, app, project, write_token, rated):
        for n in (1, 0):
            app.call("DELETE", f"{project.targets}/{rated[n]}", who=write_token)
        path = f"{project.targets}?rating_min=0"
        assert ids(app, path, write_token) == [rated[n] for n in (6, 4, 7, 3)]
        assert ids(app, f"{path}&deleted=true", write_token) == [rated[1], rated[0]]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("rating_min=6", "rating_min"),
            ("rating_min=-1", "rating_min"),
            ("rating_min=2.5", "rating_min"),
            ("rating_min=three", "rating_min"),
            ("analysis=ready", "analysis"),
            ("rating_min=1&name_prefix=", "rating_min"),
        ],
    )
    def test_bad_filters(self, app, project, write_token, query, name):
        answer = app.call("GET", f"{project.targets}?{query}", who=write_token, status=400)
        assert faults(answer) == {name: "querystring"}

    @pytest.mark.usefixtures("rated")
    def test_a_cursor_of_another_order(self, app, project, write_token):
        first = next(pages(app, f"{project.targets}?rating_min=0", write_token))
        other = first["next"].replace("rating_min=0", "analysis=done")
        answer = app.call("GET", other, who=write_token, status=400)
        assert faults(answer) == {"cursor": "querystring"}

    @pytest.mark.usefixtures("rated")
    def test_with_the_analysis(self, app, stage, project, write_token):
        one, two = (stage.target(project) for _ in range(2))
        for each in (one, two):
            stage.analyse(each)
        stage.resemble(one, {two: 0.5})
        listed = app.call("GET", f"{project.targets}?fields=analysis,metadata", who=write_token)
        items = listed.json["items"]
        assert [item["analysis"]["rating"] for item in items] == [
            3,
            5,
            None,
            0,
            3,
            None,
            5,
            3,
            4,
            4,
        ]
        assert [one["id"] for one in items[-2]["analysis"]["similar"]] == [two.id]
        read = analysed(app, one, write_token).json
        assert items[-2]["analysis"] == read
        assert all(item["metadata"] is None for item in items)
        plain = app.call("GET", project.targets, who=write_token).json["items"]
        assert all("analysis" not in item for item in plain)

    def test_an_empty_list_with_the_analysis(self, app, project, write_token):
        listed = app.call("GET", f"{project.targets}?fields=analysis", who=write_token, status=200)
        assert listed.json["items"] == []


def test_rows_go_with_the_target(stage, project, target):
    stage.analyse(target)
    with stage.engine.begin() as connection:
        connection.execute(Target.__table__.delete().where(Target.id == target.id))
    assert stage.rows(table) == []


@pytest.fixture
def keep(stage, project):
    """Makes an analysed target whose features are stored, as the worker does."""

    def make(picture, **fields):
        made = stage.target(project, picture, **fields)
        stage.analyse(made)
        sha256 = hashlib.sha256(picture).hexdigest()
        with transaction_scope(stage.engine) as db:
            feature_set.keep(db, made.id, project.id, sha256, extract(picture).to_bytes())
        return made

    return make


@functools.cache
def smaller(picture):
    """A copy for the eye, with other bytes."""
    with Image.open(io.BytesIO(picture)) as opened:
        return encoded(opened.resize((480, 320)))


@pytest.mark.usefixtures("vision")
class TestCheck:
    def check(self, app, project, who, body, status=200, **headers):
        return app.call("POST", f"{project.path}/analysis", body, who=who, status=status, **headers)

    def test_nothing_is_kept(self, app, stage, project, write_token):
        shown = self.check(app, project, write_token, CHINA).json
        assert shown.keys() == FIELDS
        assert (shown["status"], shown["version"], shown["similar"]) == ("done", VERSION, [])
        assert shown["rating"] >= 3
        assert shown["trackability"] > 50
        assert shown["features"] > 100
        kind, _, inline = shown["heatmap_url"].partition(",")
        assert kind == "data:image/png;base64"
        assert max(Image.open(io.BytesIO(base64.b64decode(inline))).size) == 64
        assert stage.rows(table) == stage.rows(tables.target) == []

    def test_the_same_for_each_kind_of_body(self, app, project, write_token):
        answers = [
            self.check(app, project, write_token, CHINA),
            self.check(app, project, write_token, {"image": base64_of(CHINA)}),
            app.post(
                f"{project.path}/analysis",
                upload_files=[("image", "gate.jpg", CHINA)],
                headers=write_token.headers,
                status=200,
            ),
        ]
        shown = [answer.json | {"analysed_at": None} for answer in answers]
        assert shown[0] == shown[1] == shown[2]

    def test_a_bad_picture(self, app, project, write_token):
        plain = self.check(app, project, write_token, drawn(size=(640, 480))).json
        assert plain["rating"] == 0
        assert {"too_few_features"} <= {one["code"] for one in plain["problems"]}
        for one in plain["problems"]:
            assert one.keys() == PROBLEM.keys()
            assert one["description"]
            assert one["remedy"]

    def test_similar_ones(self, app, project, write_token, keep):
        gate, _ = keep(CHINA, name="gate"), keep(FLOWER)
        (similar,) = self.check(app, project, write_token, smaller(CHINA)).json["similar"]
        assert (similar["id"], similar["name"]) == (gate.id, "gate")
        assert 0.5 < similar["similarity"] <= 1

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (b"no picture", "image"),
            ({"image": ""}, "image"),
            ({"picture": ""}, "picture"),
            ({}, "image"),
        ],
    )
    def test_bad_bodies(self, app, project, write_token, body, name):
        assert name in faults(self.check(app, project, write_token, body, status=400))

    def test_what_a_decoder_refuses(self, app, project, write_token):
        """Whole by its segments, but of no decoder's liking."""
        refused = CHINA.replace(b"\xff\xdb\x00C\x00", b"\xff\xdb\x00C\x0f", 1)
        assert refused != CHINA
        answer = self.check(app, project, write_token, refused, status=400)
        assert faults(answer) == {"image": "body"}

    def test_unlike_all(self, app, project, write_token, keep):
        keep(FLOWER)
        path = f"{project.targets}?allow_similar=false"
        app.call("POST", path, {"image": base64_of(CHINA)}, who=write_token, status=201)

    @pytest.mark.parametrize("raw", [True, False])
    def test_like_another(self, app, stage, project, write_token, keep, raw):
        gate = keep(CHINA, name="gate")
        picture = smaller(CHINA)
        body = picture if raw else {"image": base64_of(picture)}
        path = f"{project.targets}?allow_similar=false"
        refused = app.call("POST", path, body, who=write_token, status=409)
        assert faults(refused) == {"image": "body"}
        assert f"target {gate.id} ('gate')" in refused.json["errors"][0]["description"]
        (similar,) = refused.json["similar"]
        assert (similar["id"], similar["name"]) == (gate.id, "gate")
        assert len(stage.rows(tables.target)) == 1
        app.call("POST", project.targets, body, who=write_token, status=201)

    def test_a_deleted_or_replaced_one_is_no_obstacle(self, app, project, write_token, keep):
        path = f"{project.targets}?allow_similar=false"
        app.call("DELETE", keep(CHINA).path, who=write_token)
        other = keep(CHINA)
        app.call("PUT", other.image, FLOWER, who=write_token, status=200)
        app.call("POST", path, CHINA, who=write_token, status=201)

    def test_the_same_key_again(self, app, project, write_token):
        """The first answer, and not that the picture resembles itself."""
        path, key = f"{project.targets}?allow_similar=false", "one"
        first = app.call("POST", path, CHINA, who=write_token, status=201, idempotency_key=key)
        again = app.call("POST", path, CHINA, who=write_token, status=201, idempotency_key=key)
        assert again.json == first.json

    def test_bad_parameter(self, app, project, write_token):
        path = f"{project.targets}?allow_similar=no"
        answer = app.call("POST", path, CHINA, who=write_token, status=400)
        assert faults(answer) == {"allow_similar": "querystring"}


class TestAway:
    """Without the server that looks at pictures."""

    @pytest.fixture
    def alone(self, make_app):
        return make_app(vision_url=f"http://127.0.0.1:{free_port()}")

    def test_what_needs_it_is_told_to_come_again(self, alone, project, write_token):
        for path in (f"{project.path}/analysis", f"{project.targets}?allow_similar=false"):
            answer = alone.call("POST", path, CHINA, who=write_token, status=503)
            assert "cannot be examined now" in answer.json["errors"][0]["description"]

    def test_nothing_else_needs_it(self, alone, project, write_token):
        stored = alone.call("POST", project.targets, CHINA, who=write_token, status=201).json
        path = f"{project.targets}/{stored['id']}/analysis"
        assert alone.call("GET", path, who=write_token, status=200).json["status"] == "pending"

    def test_no_such_server(self, make_app, project, write_token):
        app = make_app(vision_url="")
        app.call("POST", f"{project.path}/analysis", CHINA, who=write_token, status=503)
