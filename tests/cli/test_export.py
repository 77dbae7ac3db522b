"""A project as a folder, and the folder as a project again."""

import hashlib
import itertools
import json
import os
import resource

import pytest

from ar_targets_client import Client, ClientError, OutcomeUnknownError
from ar_targets_client.export import Export

from ..pictures import CHINA, FLOWER, base64_of, drawn
from .conftest import FAST
from .imposter import TARGETS, TOKEN, as_json, imposing, record
from .test_manifest import HARD, METADATA

PICTURES = [(CHINA, "a gate"), (FLOWER, HARD), (CHINA, "a gate"), (drawn(), "")]
# Of each picture; metadata as the text that is stored.
FIELDS = [
    {"name": "gate", "physical_width": 0.1 + 0.2, "metadata": json.dumps(METADATA)},
    {"name": f"=1, {HARD}".strip(), "active": False, "metadata": '"' + "x" * 300_000 + '"'},
    {"name": None, "metadata": "false"},
    {"name": "null", "physical_width": 1000, "metadata": '{"name": "\\u0041", "n": [1E3]}'},
]


@pytest.fixture
def targets(wire, write_token, project):
    with Client(wire.url, write_token.token, retry=FAST) as made:
        yield made.targets(project.id)


@pytest.fixture
def pictures(stage, project):
    return [
        stage.target(project, image, text, **fields)
        for (image, text), fields in zip(PICTURES, FIELDS, strict=True)
    ]


def whole_of(targets):
    """All that a project loses or keeps when it becomes another: not ids, moments, addresses."""
    own = {"id", "project_id", "image_url", "created_at", "updated_at"}
    rows = [{name: t[name] for name in t.keys() - own} for t in targets]
    assert all(len(row) == 9 for row in rows)
    return sorted(rows, key=lambda row: (row["sha256"], str(row["name"])))


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
    before = as_app("target", "list", "--metadata", "--json").json
    after = run("target", "list", "--metadata", "--json", **there).json
    assert whole_of(before) == whole_of(after)
    assert {t["sha256"] for t in before} >= {hashlib.sha256(CHINA).hexdigest()}
    assert [t["name"] for t in before] == [fields["name"] for fields in FIELDS]
    assert before[0]["metadata"] == METADATA
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


def tree(folder):
    """All that is below a folder: where, and what."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.is_symlink()
        for path in folder.rglob("*")
    }


def without(name):
    """A target that lacks a field."""
    return {field: value for field, value in record(1).items() if field != name}


# Each is a target as the server lists it, and what the error says of it.
NO_RECORDS = [
    (record("../../x"), "its id must be a whole number from 1 to"),
    (record("/tmp/x"), "not '/tmp/x'"),
    (record("1"), "its id"),
    (record("1\0"), "its id"),
    (record("C:\\x"), "its id"),
    (record("con"), "its id"),
    (record("\x1b[2J"), "not '\\x1b[2J'"),
    (record("9" * 5000), "its id"),
    (record(True), "its id"),
    (record(1.0), "its id"),
    (record(0), "its id"),
    (record(-1), "its id"),
    (record(2**63), "its id"),
    (record(None), "its id"),
    (record([1]), "its id"),
    (record({"../x": 1}), "its id"),
    (record(2, project_id="1"), "its project_id"),
    (record(2, project_id=2), "does not answer as ar_targets does"),
    (record(2, description=None), "its description must be a text"),
    (record(2, description=7), "its description"),
    (record(2, description="x\0y"), "its description must be a text without NUL"),
    (record(2, description="\ud800"), "its description must be a text without NUL"),
    (record(2, description="x" * 65_536), "its description must be a text of 0 to 65535"),
    (record(2, width="640"), "its width must be a whole number from 1 to 65535"),
    (record(2, height=True), "its height"),
    (record(2, height=65_536), "its height"),
    (record(2, size=str(len(CHINA))), "its size must be a whole number from 1 to 268435456"),
    (record(2, size=float(len(CHINA))), "its size"),
    (record(2, size=-1), "its size"),
    (record(2, size=2**40), "its size"),
    (record(2, sha256=None), "its sha256 must be 64 hexadecimal digits"),
    (record(2, sha256=""), "its sha256"),
    (record(2, sha256="../" * 21 + "x"), "its sha256"),
    (record(2, sha256=hashlib.sha256(CHINA).hexdigest().upper()), "its sha256"),
    (record(2, sha256=hashlib.sha256(CHINA).hexdigest() + "\n"), "its sha256"),
    (record(2, image_url=5), "its image_url must be a URL"),
    (record(2, image_url="file:///etc/passwd"), "its image_url"),
    (record(2, image_url="http://x/\x1b[2J"), "its image_url"),
    (record(2, created_at=None), "its created_at must be a moment"),
    (record(2, created_at="2026-11-23"), "its created_at"),
    (record(2, created_at="0001-01-01T00:00:00.000000Z"), "its created_at"),
    (record(2, updated_at="9999-12-31T23:59:59.999999Z"), "its updated_at"),
    # These guard what held before: they were refused in other words.
    (without("id"), "it has no id"),
    (record(2, created_at=0), "its created_at"),
    (record(2, created_at="2026-13-23T07:03:14.650144Z"), "its created_at"),
    (record(2, updated_at="２０２６-11-23T07:03:14.650144Z"), "its updated_at"),
    ("../x", "it must be an object, not '../x'"),
    ([], "it must be an object, not []"),
    (None, "it must be an object, not None"),
]


@pytest.mark.parametrize("suffix", ["json", "csv"])
@pytest.mark.parametrize(("hostile", "said"), NO_RECORDS, ids=itertools.count())
def test_a_record_that_ar_targets_would_not_send(misled, imposter, tmp_path, hostile, said, suffix):
    imposter.records = [record(1), hostile]
    # Whatever the id is, there is an image for it.
    number = hostile.get("id") if isinstance(hostile, dict) else None
    imposter.images = {1: CHINA, 2: CHINA, str(number): CHINA}
    before = tree(tmp_path)
    done = misled("target", "export", tmp_path / "deep" / "out", "--format", suffix)
    assert done.is_refusal(said), done
    assert tree(tmp_path) == before


def test_what_a_later_version_may_add_is_left_out(misled, imposter, tmp_path):
    """Guards what works: the checks are for the fields that are known."""
    imposter.records = [record(1, later={"../x": "\0"})]
    assert misled("target", "export", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "1.jpg").read_bytes() == CHINA
    assert "later" not in (tmp_path / "out" / "manifest.json").read_text()


@pytest.mark.parametrize("ids", [[1, 1], [2, 1], [1, 2, 2]])
def test_a_list_in_which_a_target_comes_twice(misled, imposter, tmp_path, ids):
    imposter.records = [record(number, FLOWER if n else CHINA) for n, number in enumerate(ids)]
    imposter.images = {1: CHINA, 2: FLOWER}
    done = misled("target", "export", tmp_path / "out")
    assert done.is_refusal(f"({ids[-1]} comes after {ids[-2]})"), done
    assert tree(tmp_path) == {}


def whole(**changed):
    """A single target with its image, which is none of ours for what is changed."""
    return as_json(record(1) | {"image": "AAAA"} | changed)


# What is said at the image's address, and then at the target's.
NO_IMAGES = [
    ((200, {}, FLOWER), whole(image="ä"), "does not answer as ar_targets does"),
    ((200, {}, FLOWER), (200, {}, b"[" * 100_000), "does not answer as ar_targets does"),
    # These guard what held before, three of them in other words.
    ((200, {}, FLOWER), whole(), "does not have its own checksum"),
    ((200, {}, CHINA[:-1]), whole(), "does not have its own checksum"),
    ((200, {}, CHINA + b"x"), whole(), "does not have its own checksum"),
    ((200, {}, b""), whole(image=""), "does not have its own checksum"),
    ((200, {}, FLOWER), whole(image=None), "does not answer as ar_targets does"),
    ((200, {}, FLOWER), whole(sha256="../x"), "its sha256 must be"),
    ((200, {}, FLOWER), whole(size="../x"), "its size must be"),
    ((200, {}, FLOWER), whole(id="../x"), "its id must be"),
    ((302, {"Location": "https://elsewhere.example/"}, b""), whole(), "sends on to https"),
]


@pytest.mark.parametrize(("image", "single", "said"), NO_IMAGES, ids=itertools.count())
def test_an_image_that_is_not_the_targets(misled, imposter, tmp_path, image, single, said):
    imposter.answers = {f"{TARGETS}/1/image": [image], f"{TARGETS}/1": [single]}
    done = misled("target", "export", tmp_path / "out")
    assert done.is_refusal(said), done
    assert tree(tmp_path) == {"out": False}


@pytest.mark.parametrize("changed", [{"id": 2}, {"project_id": 2}], ids=str)
def test_another_target_in_its_place(misled, imposter, tmp_path, changed):
    """It has the right image, but its row of the manifest would name another file."""
    other = record(1, FLOWER) | changed | {"image": base64_of(FLOWER)}
    imposter.images = {1: FLOWER}
    imposter.answers = {f"{TARGETS}/1": [as_json(other)]}
    done = misled("target", "export", tmp_path / "out")
    assert done.is_refusal("does not answer as ar_targets does"), done
    assert tree(tmp_path) == {"out": False}


def test_the_token_goes_to_no_other_address(misled, imposter, tmp_path):
    """Guards what held before: neither image_url nor a next page's address is asked."""
    with imposing() as elsewhere:
        imposter.records = [record(2, image_url=f"{elsewhere.url}/image")]
        first = {"items": [record(1)], "next": f"{elsewhere.url}{TARGETS}?cursor=1-ab"}
        imposter.answers = {
            TARGETS: [as_json(first), as_json({"items": [record(2)], "next": None})]
        }
        imposter.images = {1: CHINA, 2: CHINA}
        assert misled("target", "export", tmp_path / "out").code == 0
        assert elsewhere.heard == []
    assert {headers["Authorization"] for _, headers in imposter.heard} == {f"Bearer {TOKEN}"}


# What lies where the export writes.
LAID = ["1.jpg", "1.jpg.part", "manifest.json", "manifest.json.part"]


@pytest.mark.parametrize("name", LAID)
@pytest.mark.parametrize("there", [True, False], ids=["file", "nothing"])
@pytest.mark.parametrize("options", [[], ["--overwrite"]], ids=["", "overwrite"])
def test_no_link_is_written_through(misled, tmp_path, name, there, options):
    """Guards, for links in the place of the files themselves, what mostly held before."""
    outside = tmp_path / "outside"
    if there:
        outside.write_bytes(b"precious")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).symlink_to(outside)
    done = misled("target", "export", folder, *options)
    if name.endswith(".part") or options:
        assert done.code == 0
        assert tree(folder).keys() == {"1.jpg", "manifest.json"}
        assert (folder / "1.jpg").read_bytes() == CHINA
        assert not any(file.is_symlink() for file in folder.iterdir())
    else:
        assert done.is_refusal(f"{name} is there already"), done
        assert [file.name for file in folder.iterdir()] == [name]
    assert (outside.read_bytes() if outside.exists() else None) == (b"precious" if there else None)


def test_a_link_is_not_the_picture_that_it_leads_to(misled, tmp_path):
    (tmp_path / "outside").write_bytes(CHINA)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "1.jpg").symlink_to(tmp_path / "outside")
    done = misled("target", "export", tmp_path / "out")
    assert done.is_refusal("1.jpg is there already, and a link"), done


@pytest.mark.parametrize("name", ["1.jpg", "1.jpg.part", "manifest.json", "manifest.json.part"])
@pytest.mark.parametrize("options", [[], ["--overwrite"]], ids=["", "overwrite"])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_told_or_replaced(misled, tmp_path, name, options, make):
    """A pipe would be waited for, for ever. Guards, for folders, what held before."""
    make(tmp_path / name)
    done = misled("target", "export", tmp_path, *options)
    if make is os.mkfifo and (options or name.endswith(".part")):
        assert done.code == 0
        assert tree(tmp_path).keys() == {"1.jpg", "manifest.json"}
    else:
        assert done.is_refusal(name), done
        assert {file.name for file in tmp_path.iterdir()} - {name, "1.jpg"} == set()


def test_a_folder_may_be_a_link_of_ones_own(misled, tmp_path):
    """Guards what works: who names a link to a folder means the folder."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert misled("target", "export", tmp_path / "link").code == 0
    assert tree(tmp_path / "there").keys() == {"1.jpg", "manifest.json"}


def test_a_disk_that_is_full(misled, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        done = misled("target", "export", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.is_refusal("out cannot be written"), done
    assert tree(tmp_path) == {"out": False}
