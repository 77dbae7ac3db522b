"""What a manifest may hold, and what is at fault in one that cannot be used."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ar_targets.client import Target
from ar_targets.client.manifest import read, write
from ar_targets.client.rows import Row, SourceError
from ar_targets.client.sources import journal_of, rows_of

HARD = 'two\nlines,\r\n"quoted", =1+1, ünï, \t end '


def put(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_csv_of_a_spreadsheet(tmp_path):
    text = '\ufefffile,description\r\na.jpg,"one, two"\r\nb.jpg,\r\n'
    rows = read(put(tmp_path / "m.csv", text))
    assert rows == [Row("a.jpg", tmp_path / "a.jpg", "one, two"), Row("b.jpg", tmp_path / "b.jpg")]


def test_json(tmp_path):
    entries = [{"file": "sub/a.jpg", "description": HARD, "sha256": "ab", "id": 7}, {"file": "b"}]
    rows = read(put(tmp_path / "m.json", json.dumps(entries)))
    assert rows[0] == Row("sub/a.jpg", tmp_path / "sub" / "a.jpg", HARD, "ab")
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
        ("m.json", '[{"file": "a"}, {"name": "a"}]', "row 2: there is no column 'name'"),
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


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    moment = datetime(2026, 11, 23, 7, 3, 14, 650144, UTC)
    target = Target(
        id=7,
        project_id=1,
        description=HARD,
        width=640,
        height=427,
        size=9,
        sha256="ab",
        image_url="http://host/api/project/1/imagetarget/7/image",
        created_at=moment,
        updated_at=moment,
    )
    path = tmp_path / f"manifest.{suffix}"
    write(path, [("7.jpg", target)])
    assert read(path) == [Row("7.jpg", tmp_path / "7.jpg", HARD, "ab")]
    assert "2026-11-23T07:03:14.650144Z" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


class TestSources:
    def test_a_folder_of_images(self, tmp_path):
        for name in ("b.jpg", "a.JPEG", "c.png", ".ar-targets.journal"):
            put(tmp_path / name, "x")
        assert [row.name for row in rows_of(tmp_path, "all")] == ["a.JPEG", "b.jpg"]
        assert {row.description for row in rows_of(tmp_path, "all")} == {"all"}
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
        assert list(rows_of(file, "d")) == [Row(str(file), file, "d")]
        assert journal_of([file]) is None
        assert journal_of([tmp_path, tmp_path]) is None

    @pytest.mark.parametrize("name", ["nothing.jpg", "nothing.csv"])
    def test_what_is_not_there(self, tmp_path, name):
        with pytest.raises(SourceError, match=name):
            list(rows_of(tmp_path / name))

    def test_a_folder_of_nothing(self, tmp_path):
        with pytest.raises(SourceError, match="neither a manifest nor"):
            list(rows_of(Path(tmp_path)))
