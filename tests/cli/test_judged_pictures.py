"""The client and ``ar-targets`` at a server that judges pictures."""

import io

import pytest
from PIL import Image

from ar_targets.db.session import transaction_scope
from ar_targets.images import jpeg
from ar_targets.models import feature_set
from ar_targets_client import (
    Client,
    NotFoundError,
    Retry,
    SimilarTargetError,
    UnavailableError,
)

from ..jobs.processes import Process
from ..live import live
from ..pictures import CHINA, FLOWER, drawn
from ..vision_server.conftest import features_of
from ..vision_server.pictures import DAHLIA, SMALL_GATE
from ..vision_server.process import VISION_KEY, VisionServer

# Nothing can be seen in it.
BLANK = drawn(size=(640, 480))
PROBLEM = (
    '[{"code": "blurred", "severity": "warning", "description": "it is blurred", '
    '"remedy": "hold still", "area": null}]'
)


@pytest.fixture(scope="module")
def vision(database_url, tmp_path_factory):
    """How the server for pictures is reached."""
    with VisionServer(database_url, tmp_path_factory.mktemp("vision")).running() as running:
        yield {"vision_url": running.url, "vision_key": VISION_KEY, "vision_timeout": "60"}


@pytest.fixture(scope="module")
def server(database_url, vision, tmp_path_factory):
    with live(database_url, tmp_path_factory.mktemp("judging"), **vision) as made:
        yield made


@pytest.fixture
def worker(database_url, vision, rows_removed, tmp_path):
    running = Process("worker", tmp_path, "worker", database_url=database_url, **vision)
    running.start()
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture
def targets(client, write_token, project):
    return client.with_token(write_token.token).targets(project.id)


@pytest.fixture
def gate(stage, project):
    """A stored target that is analysed, so that others can be compared with it."""
    made = stage.target(project, SMALL_GATE, name="gate")
    sha256 = jpeg.prove(SMALL_GATE, 10**8).sha256
    with transaction_scope(stage.engine) as db:
        feature_set.keep(db, made.id, project.id, sha256, features_of(SMALL_GATE))
    stage.analyse(made, problems=PROBLEM)
    return made


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "photos"
    made.mkdir()
    for name, picture in {"blank": BLANK, "china": CHINA, "flower": FLOWER}.items():
        (made / f"{name}.jpg").write_bytes(picture)
    return made


class TestClient:
    def test_a_picture_that_is_not_stored(self, targets, gate):
        found = targets.check(CHINA)
        assert (found.status, found.codes) == ("done", ", ".join(p.code for p in found.problems))
        assert found.rating > targets.check(BLANK).rating == 0
        assert [(each.id, each.name) for each in found.similar] == [(gate.id, "gate")]
        assert found.heatmap_url.startswith("data:image/png;base64,")
        assert [each.id for each in targets.list()] == [gate.id]

    def test_a_picture_that_resembles_another(self, targets, gate):
        with pytest.raises(SimilarTargetError) as caught:
            targets.create(CHINA, allow_similar=False)
        assert [(each.id, each.name) for each in caught.value.similar] == [(gate.id, "gate")]
        assert caught.value.fields.keys() == {"image"}
        made = targets.create(DAHLIA, allow_similar=False)
        assert made.id != gate.id
        assert targets.create(CHINA).sha256 != made.sha256

    def test_what_is_stored(self, targets, gate):
        found = targets.analysis(gate.id, wait=60)
        assert (found.status, found.rating, found.codes) == ("done", 4, "blurred")
        for overlay in (False, True):
            png = targets.heatmap(gate.id, overlay=overlay)
            assert Image.open(io.BytesIO(png)).format == "PNG"
        assert targets.retry_analysis(gate.id).status == "pending"
        assert targets.analysis(gate.id, wait=0.1).status == "pending"

    def test_what_is_not_yet_known(self, targets, stage, project):
        made = stage.target(project, DAHLIA)
        found = targets.analysis(made.id)
        assert (found.status, found.rating, found.problems) == ("pending", None, ())
        with pytest.raises(NotFoundError, match="not been analysed"):
            targets.heatmap(made.id)

    def test_lists(self, targets, stage, project, gate):
        best = stage.target(project, DAHLIA)
        stage.analyse(best, rating=5)
        new = stage.target(project, CHINA)

        def listed(**filters):
            return [each.id for each in targets.list(**filters)]

        assert listed(rating_min=4) == [best.id, gate.id]
        assert listed(rating_min=5) == [best.id]
        assert listed(analysis="pending") == [new.id]
        assert listed(analysis="failed") == []
        shown = list(targets.list(with_analysis=True, metadata=True))
        assert [each.analysis.rating for each in shown] == [4, 5, None]
        assert shown[0].analysis == targets.analysis(gate.id)
        assert [each.analysis for each in targets.list()] == [None] * 3


class TestWholeWay:
    def test_a_picture_and_its_copy(self, targets, worker):
        """From an upload to what is said about the next, with all that takes part."""
        made = targets.create(CHINA, name="gate")
        found = targets.analysis(made.id, wait=120)
        assert found.status == "done", worker.log
        checked = targets.check(CHINA)
        assert (found.rating, found.trackability) == (checked.rating, checked.trackability)
        assert [each.id for each in checked.similar] == [made.id]
        with pytest.raises(SimilarTargetError):
            targets.create(SMALL_GATE, allow_similar=False)
        copy = targets.create(SMALL_GATE)
        again = targets.analysis(copy.id, wait=120)
        assert [(each.id, each.name) for each in again.similar] == [(made.id, "gate")]
        assert [each.id for each in targets.analysis(made.id).similar] == [copy.id]
        assert targets.heatmap(copy.id) != targets.heatmap(copy.id, overlay=True)

    def test_what_is_added_is_analysed(self, as_app, worker, folder):
        [one] = as_app("target", "add", folder / "flower.jpg", "--json").json
        done = as_app("target", "analysis", one["id"], "--wait", "--json")
        assert (done.code, done.json["status"]) == (0, "done"), worker.log


class TestCommands:
    def test_check(self, as_app, gate, folder):
        done = as_app("target", "check", folder, "--min-rating", 1, "--json")
        assert done.code == 1
        found = {each["file"]: each["analysis"] for each in done.json}
        assert (found["blank.jpg"]["rating"], len(found)) == (0, 3)
        assert [each["id"] for each in found["china.jpg"]["similar"]] == [gate.id]
        assert done.err.startswith("blank.jpg: its rating is 0, below 1: low_contrast, ")
        (folder / "blank.jpg").unlink()
        done = as_app("target", "check", folder, "--min-rating", 1, "--problems")
        assert (done.code, done.err) == (0, "2 images: 2 checked.\n")
        assert f"target {gate.id} 'gate' (" in done.out

    def test_check_takes_no_more_than_a_token(self, run, write_token, folder):
        """No account, no login, no project: those of the token."""
        token = {"AR_TARGETS_TOKEN": write_token.token}
        done = run("target", "check", folder / "china.jpg", "--json", **token)
        assert (done.code, done.json[0]["analysis"]["status"]) == (0, "done")

    def test_what_is_no_picture(self, as_app, folder):
        (folder / "flower.jpg").write_bytes(FLOWER[:5000])
        done = as_app("target", "check", folder)
        assert done.code == 3
        assert "flower.jpg: image: " in done.err
        assert "3 images: 2 checked, 1 failed.\n" in done.err

    def test_add(self, as_app, gate, folder):
        options = ("--min-rating", 1, "--no-similar", "--json")
        done = as_app("target", "add", folder, *options)
        assert done.code == 1
        assert {each["file"]: each["outcome"] for each in done.json} == {
            "blank.jpg": "low rating",
            "china.jpg": "similar",
            "flower.jpg": "added",
        }
        assert f"china.jpg: it may be taken for target {gate.id} 'gate' (" in done.err
        names = [each["name"] for each in as_app("target", "list", "--json").json]
        assert names == ["gate", "flower"]
        assert as_app("target", "add", folder).code == 0

    def test_what_is_stored(self, as_app, gate, tmp_path):
        assert "it is blurred" in as_app("target", "analysis", gate.id, "--wait").out
        assert as_app("target", "heatmap", gate.id, "-o", tmp_path / "h.png").code == 0
        [one] = as_app("target", "list", "--min-rating", 4, "--json").json
        assert one["analysis"]["rating"] == 4


def test_a_server_that_judges_nothing(database_url, project, write_token, tmp_path):
    with (
        live(database_url, tmp_path) as server,
        Client(server.url, write_token.token, retry=Retry(attempts=1)) as client,
        pytest.raises(UnavailableError),
    ):
        client.targets(project.id).check(CHINA)
