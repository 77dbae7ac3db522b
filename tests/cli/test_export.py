"""A project as a folder, and the folder as a project again."""

import hashlib
import json

import pytest

from ar_targets.client import Client, ClientError, OutcomeUnknownError
from ar_targets.client.export import Export

from ..pictures import CHINA, FLOWER, drawn
from .conftest import FAST
from .test_manifest import HARD

PICTURES = [(CHINA, "a gate"), (FLOWER, HARD), (CHINA, "a gate"), (drawn(), "")]


@pytest.fixture
def targets(wire, write_token, project):
    with Client(wire.url, write_token.token, retry=FAST) as made:
        yield made.targets(project.id)


@pytest.fixture
def pictures(stage, project):
    return [stage.target(project, image, text) for image, text in PICTURES]


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_round_trip(as_app, run, other_project, other_token, pictures, tmp_path, suffix):
    folder = tmp_path / "out"
    done = as_app("target", "export", folder, "--format", suffix, "--json")
    assert done.code == 0
    assert done.json == {"manifest": str(folder / f"manifest.{suffix}"), "targets": 4}
    there = {"AR_TARGETS_TOKEN": other_token.token, "AR_TARGETS_PROJECT": str(other_project.id)}
    added = run("target", "add", folder, "--json", **there)
    assert added.code == 0
    assert [row["outcome"] for row in added.json] == ["added"] * 4
    fields = ("description", "sha256", "width", "height", "size")
    before = as_app("target", "list", "--json").json
    after = run("target", "list", "--json", **there).json
    assert sorted([t[f] for f in fields] for t in before) == sorted(
        [t[f] for f in fields] for t in after
    )
    assert {t["sha256"] for t in before} >= {hashlib.sha256(CHINA).hexdigest()}
    # The same folder, once more: the journal beside the manifest knows it all.
    again = run("target", "add", folder, "--json", **there)
    assert [row["outcome"] for row in again.json] == ["done before"] * 4


def test_a_project_of_nothing(as_app, run, tmp_path):
    assert as_app("target", "export", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text()) == []
    assert as_app("target", "add", tmp_path / "out", "--json").json == []


def test_it_goes_on_where_it_was_cut(targets, wire, pictures, tmp_path):
    records = list(targets.list())
    asked = []

    def cut(line):
        if line.split()[1].endswith("/image"):
            asked.append(line)
        return "before" if len(asked) > 2 else None

    wire.cut = cut
    with pytest.raises(OutcomeUnknownError):
        Export(targets, tmp_path, parallel=1).run(records)
    assert not (tmp_path / "manifest.json").exists()
    wire.cut = lambda _: None
    wire.requests.clear()
    targets.transport.stopping.clear()
    written = Export(targets, tmp_path).run(records)
    assert len(written) == 4
    assert len(wire.requests) == 2
    assert (tmp_path / f"{pictures[0].id}.jpg").read_bytes() == CHINA
    assert len(list(tmp_path.iterdir())) == 5


def test_what_is_deleted_or_changed_meanwhile(targets, app, write_token, pictures, tmp_path):
    records = list(targets.list())
    targets.delete(records[0].id)
    targets.update(records[1].id, image=drawn(), description="new")
    written = Export(targets, tmp_path).run(records)
    assert [t.id for t in written] == [t.id for t in records[1:]]
    assert (written[0].description, written[0].size) == ("new", len(drawn()))
    assert (tmp_path / f"{records[1].id}.jpg").read_bytes() == drawn()
    assert not (tmp_path / f"{records[0].id}.jpg").exists()


def test_nothing_is_overwritten_unasked(as_app, pictures, tmp_path):
    precious = tmp_path / f"{pictures[1].id}.jpg"
    precious.write_bytes(b"precious")
    done = as_app("target", "export", tmp_path)
    assert done.code == 1
    assert f"{precious} is there already" in done.err
    assert precious.read_bytes() == b"precious"
    assert as_app("target", "export", tmp_path, "--overwrite").code == 0
    assert precious.read_bytes() == FLOWER
    done = as_app("target", "export", tmp_path, "--format", "csv")
    assert done.code == 1
    assert "manifest.json is there already" in done.err
    assert as_app("target", "export", tmp_path, "--format", "csv", "--overwrite").code == 0
    assert not (tmp_path / "manifest.json").exists()


def test_a_folder_that_cannot_be_made(targets, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientError, match="cannot be written"):
        Export(targets, tmp_path / "file" / "out").run(targets.list())
