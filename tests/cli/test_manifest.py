"""What a manifest may hold, and what is at fault in one that cannot be used."""

import itertools
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ar_targets_client import Target
from ar_targets_client.manifest import read, write
from ar_targets_client.rows import Row, SourceError
from ar_targets_client.sources import journal_of, rows_of

SHA256 = "ab" * 32
HARD = 'two\nlines,\r\n"quoted", =1+1, ünï, \t end '


def put(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_csv_of_a_spreadsheet(tmp_path):
    text = '\ufefffile,description\r\na.jpg,"one, two"\r\nb.jpg,\r\n'
    rows = read(put(tmp_path / "m.csv", text))
    assert rows == [
        Row("a.jpg", tmp_path / "a.jpg", "one, two", target_name="a"),
        Row("b.jpg", tmp_path / "b.jpg", target_name="b"),
    ]


def test_json(tmp_path):
    entries = [{"file": "sub/a.jpg", "description": HARD, "sha256": SHA256, "id": 7}, {"file": "b"}]
    rows = read(put(tmp_path / "m.json", json.dumps(entries)))
    assert rows[0] == Row("sub/a.jpg", tmp_path / "sub" / "a.jpg", HARD, SHA256, "a")
    assert rows[1].sha256 is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.csv", "file,descripton\na.jpg,x\n", "line 2: there is no column 'descripton'"),
        ("m.csv", "file,description\na.jpg\n", "line 2: it has more or fewer columns"),
        ("m.csv", "file,description\na.jpg,x,y\n", "line 2: it has more or fewer columns"),
        ("m.csv", "description\nx\n", "line 2: 'file' is missing"),
        ("m.csv", "file\n\na.jpg\na.jpg\n", "line 4: the same as line 3"),
        ("m.csv", 'file\n"a.jpg\n', "unexpected end of data"),
        ("m.csv", b"file\n\xff.jpg\n", "not in UTF-8"),
        ("m.json", "{", "is not JSON"),
        ("m.json", '{"file": "a.jpg"}', "must be an array"),
        ("m.json", "[1]", "row 1: it must be an object"),
        ("m.json", '[{"file": 1}]', "row 1: file must be a string"),
        ("m.json", '[{"file": "a", "description": null}]', "row 1: description must be a string"),
        ("m.json", '[{"file": "a"}, {"nam": "a"}]', "row 2: there is no column 'nam'"),
        ("m.json", '[{"file": "a", "name": 1}]', "row 1: name must be a text of 1 to 255"),
        ("m.json", '[{"file": "a", "name": ""}]', "row 1: name must be a text of 1 to 255"),
        ("m.json", '[{"file": "a", "active": null}]', "row 1: active must be true or false"),
        ("m.json", '[{"file": "a", "physical_width": 0}]', "row 1: physical_width must be a num"),
        ("m.json", '[{"file": "a", "physical_width": "1"}]', "row 1: physical_width must be a"),
        ("m.json", '[{"file": "a", "metadata": "\\ud800"}]', "row 1: metadata must be JSON"),
        ("m.json", '[{"file": "a", "metadata": NaN}]', "row 1: metadata must be JSON"),
        ("m.csv", "file,active\na,maybe\n", "line 2: active must be true or false, not 'maybe'"),
        ("m.csv", "file,active\na,1\n", "line 2: active must be true or false, not 1"),
        ("m.csv", "file,physical_width\na,30 cm\n", "line 2: physical_width must be a number"),
        ("m.csv", "file,physical_width\na,nan\n", "line 2: physical_width must be a number"),
        ("m.csv", "file,physical_width\na,1001\n", "line 2: physical_width must be a number"),
        ("m.csv", "file,metadata\na,{x}\n", "line 2: metadata must be JSON, not '{x}'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, text, said):
    path = put(tmp_path / name, text)
    with pytest.raises(SourceError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)


def test_a_manifest_that_is_not_there(tmp_path):
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read(tmp_path / "m.csv")


METADATA = {"artist": HARD, "sizes": [1, 2.5, -1e-9, 10**30], "on": False, "none": None, "ü": {}}


@pytest.mark.parametrize("suffix", ["csv", "json"])
@pytest.mark.parametrize(
    ("name", "width", "active", "metadata"),
    [
        (HARD, 0.1 + 0.2, False, METADATA),
        (None, None, True, None),
        ("=1", 1000, True, ""),
        ("x", 5e-324, True, "null"),
        ("null", 1.0, False, "x" * 2**20),
    ],
    ids=itertools.count(),
)
def test_what_is_written_is_read_again(tmp_path, suffix, name, width, active, metadata):
    moment = datetime(2026, 11, 23, 7, 3, 14, 650144, UTC)
    target = Target(
        id=7,
        project_id=1,
        name=name,
        description=HARD,
        physical_width=width,
        active=active,
        metadata=metadata,
        width=640,
        height=427,
        size=9,
        sha256=SHA256,
        image_url="http://host/api/project/1/imagetarget/7/image",
        created_at=moment,
        updated_at=moment,
    )
    path = tmp_path / f"manifest.{suffix}"
    write(path, [("7.jpg", target)])
    said = Row("7.jpg", tmp_path / "7.jpg", HARD, SHA256, name, width, active, metadata)
    assert read(path) == [said]
    # What it says wins, null included.
    assert read(path, {"description": "x", "active": True, "metadata": 1}) == [said]
    assert "2026-11-23T07:03:14.650144Z" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


HOSTILE_NAMES = [
    ("../x.jpg", "it leads out of the manifest's folder"),
    ("sub/../../x.jpg", "it leads out of the manifest's folder"),
    ("sub/..", "it leads out of the manifest's folder"),
    ("/etc/passwd", "it must be relative to the manifest's folder"),
    ("//host/share/x.jpg", "it must be relative to the manifest's folder"),
    ("C:/x.jpg", "it must be relative to the manifest's folder"),
    ("c:x.jpg", "it must be relative to the manifest's folder"),
    ("..\\x.jpg", "write / between folders"),
    ("\\\\host\\share\\x.jpg", "write / between folders"),
    ("x\0.jpg", "it has a control character"),
    ("x\n.jpg", "it has a control character"),
    ("\x1b[2J.jpg", "it has a control character"),
    ("x\x9b2J.jpg", "it has a control character"),
    ("x\u2028.jpg", "it has a control character"),
    ("x\ud800.jpg", "it has a control character"),
    ("CON", "it is a device on Windows"),
    ("sub/con.jpg", "it is a device on Windows"),
    ("Nul .tar.jpg", "it is a device on Windows"),
    ("com1.jpg/x.jpg", "it is a device on Windows"),
    ("LPT¹.jpg", "it is a device on Windows"),
    ("conin$", "it is a device on Windows"),
    ("x.jpg.", "Windows cannot have a dot or space at its end"),
    ("sub /x.jpg", "Windows cannot have a dot or space at its end"),
    (".", "it names no file"),
    ("./", "it names no file"),
    ("ä" * 130, "it is too long"),
    ("a/" * 600 + "x.jpg", "it is too long"),
]


@pytest.mark.parametrize(("name", "said"), HOSTILE_NAMES, ids=itertools.count())
def test_a_name_that_leads_elsewhere(misled, imposter, tmp_path, name, said):
    (tmp_path / "out" / "sub").mkdir(parents=True)
    put(tmp_path / "x.jpg", "a private picture")
    path = put(tmp_path / "out" / "manifest.json", json.dumps([{"file": name}]))
    with pytest.raises(SourceError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}, row 1: ")
    assert str(caught.value).endswith(f" cannot be a file's name: {said}")
    assert misled("target", "add", tmp_path / "out").is_refusal(said)
    assert imposter.heard == []
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"manifest.json", "sub"}


NAMES = [
    *("a.jpg", "./b.jpg", "sub/c.jpg", "sub//d.jpg", "..e.jpg", "f..jpg", " g.jpg", "-h.jpg"),
    *("~/i.jpg", "con1.jpg", "com0x.jpg", "12:30:00.jpg", "Übersicht – Kopie.JPG", "👩‍🚀.jpg"),
    # As some systems name pictures of their screens.
    "Screenshot 2026-11-23 at 3.00.12\u202fPM.png",
]


def test_names_that_people_give(tmp_path):
    """Guards what works."""
    path = put(tmp_path / "m.json", json.dumps([{"file": name} for name in NAMES]))
    assert [(row.name, row.file) for row in read(path)] == [(n, tmp_path / n) for n in NAMES]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.jpg", "A.JPG"),
        ("sub/a.jpg", "SUB/a.jpg"),
        ("straße.jpg", "STRASSE.jpg"),
        ("\u00fc.jpg", "u\u0308.jpg"),
        ("a.jpg", "./a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_two_rows_of_one_file(tmp_path, first, second):
    """On some system they are one, whatever they are on this one."""
    entries = [{"file": first, "description": "1"}, {"file": "b"}, {"file": second}]
    with pytest.raises(SourceError, match=r"row 3: its file is that of row 1$"):
        read(put(tmp_path / "m.json", json.dumps(entries)))


@pytest.mark.parametrize("sha256", ["ab", "g" * 64, "ab" * 33, "../x"])
def test_a_checksum_that_is_none(tmp_path, sha256):
    path = put(tmp_path / "m.json", json.dumps([{"file": "a", "sha256": sha256}]))
    with pytest.raises(SourceError, match="row 1: sha256 must be 64 hexadecimal digits"):
        read(path)
    put(path, json.dumps([{"file": "a", "sha256": SHA256.upper()}]))
    assert read(path)[0].sha256 == SHA256.upper()


class TestLinks:
    @pytest.fixture
    def folder(self, tmp_path):
        put(tmp_path / "private.jpg", "a private picture")
        made = tmp_path / "folder"
        made.mkdir()
        return made

    @pytest.mark.parametrize("manifest", [True, False], ids=["manifest", "folder"])
    def test_one_that_leads_out(self, misled, imposter, folder, manifest):
        (folder / "a.jpg").symlink_to(folder.parent / "private.jpg")
        if manifest:
            put(folder / "manifest.csv", "file\na.jpg\n")
        done = misled("target", "add", folder)
        assert done.is_refusal("a link makes it lead out of the folder"), done
        assert imposter.heard == []

    def test_a_folder_that_leads_out(self, folder):
        (folder / "sub").symlink_to(folder.parent)
        path = put(folder / "m.csv", "file\nsub/private.jpg\n")
        with pytest.raises(SourceError, match=r"line 2: .* lead out of the folder"):
            read(path)

    def test_those_that_stay_inside(self, folder):
        """Guards what works, also for a folder that is itself behind a link."""
        put(folder / "a.jpg", "x")
        (folder / "b.jpg").symlink_to("a.jpg")
        (folder.parent / "link").symlink_to(folder)
        rows = list(rows_of(folder.parent / "link"))
        assert [(row.name, row.read()) for row in rows] == [("a.jpg", b"x"), ("b.jpg", b"x")]

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)])
    def test_what_is_no_file_is_not_read(self, folder, make):
        """A pipe would be waited for, for ever. Guards, for the others, what held before."""
        make(folder / "a.jpg")
        [row] = read(put(folder / "m.csv", "file\na.jpg\n"))
        with pytest.raises(SourceError, match=r"cannot be read: (it is no file|Too many levels)"):
            row.read()


class TestSources:
    def test_a_folder_of_images(self, tmp_path):
        for name in ("b.jpg", "a.JPEG", "c.png", ".ar-targets.journal"):
            put(tmp_path / name, "x")
        rows = list(rows_of(tmp_path, {"description": "all"}))
        assert [(row.name, row.target_name) for row in rows] == [("a.JPEG", "a"), ("b.jpg", "b")]
        assert {row.description for row in rows} == {"all"}
        assert journal_of([tmp_path]) == tmp_path / ".ar-targets.journal"

    def test_a_folder_with_a_manifest(self, tmp_path):
        put(tmp_path / "other.jpg", "x")
        manifest = put(tmp_path / "manifest.csv", "file\na.jpg\n")
        assert list(rows_of(tmp_path)) == list(rows_of(manifest)) == read(manifest)
        assert journal_of([tmp_path]) == journal_of([manifest])
        assert journal_of([tmp_path]).name == "manifest.csv.journal"
        put(tmp_path / "manifest.json", "[]")
        with pytest.raises(SourceError, match="two manifests"):
            list(rows_of(tmp_path))

    def test_files_have_no_journal(self, tmp_path):
        file = put(tmp_path / "a.jpg", "x")
        row = Row(str(file), file, "d", target_name="a")
        assert list(rows_of(file, {"description": "d"})) == [row]
        assert journal_of([file]) is None
        assert journal_of([tmp_path, tmp_path]) is None

    @pytest.mark.parametrize("name", ["nothing.jpg", "nothing.csv"])
    def test_what_is_not_there(self, tmp_path, name):
        with pytest.raises(SourceError, match=name):
            list(rows_of(tmp_path / name))

    def test_a_folder_of_nothing(self, tmp_path):
        with pytest.raises(SourceError, match="neither a manifest nor"):
            list(rows_of(Path(tmp_path)))
