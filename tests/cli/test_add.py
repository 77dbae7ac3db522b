"""``ar-targets target add``: names, what is left out, folders, options, and what is converted."""

import io
import json
import os
import struct
import sys
import zlib

import pillow_heif
import pytest
from PIL import Image

from ar_targets_client import convert

from ..live import Wire, live
from ..pictures import CHINA, FLOWER, drawn


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "photos"
    made.mkdir()
    return made


def put(path, data=CHINA):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def outcomes(done):
    return {row["file"]: row["outcome"] for row in done.json}


@pytest.fixture
def names(as_app):
    """The targets of the project, by name."""

    def names():
        return {t["name"]: t for t in as_app("target", "list", "--metadata", "--json").json}

    return names


class TestNames:
    def test_the_files_without_folder_and_suffix(self, as_app, names, folder):
        files = ("Übersicht – Kopie.JPG", "archive.tar.jpeg", " gate .jpg", ".hidden.jpg")
        for n, name in enumerate(files):
            put(folder / name, CHINA + bytes([n]))
        assert as_app("target", "add", folder).code == 0
        assert names().keys() == {"Übersicht – Kopie", "archive.tar", "gate", ".hidden"}

    def test_of_a_single_file(self, as_app, names, folder):
        done = as_app("target", "add", put(folder / "a.jpg"), "--name", "The gate")
        assert done.code == 0
        assert names().keys() == {"The gate"}
        put(folder / "b.jpg")
        assert as_app("target", "add", folder, "--name", "x").code == 2
        assert len(names()) == 1

    def test_of_a_manifest(self, as_app, names, folder):
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            put(folder / name)
        put(folder / "manifest.csv", b"file,name,description\na.jpg,Gate,x\nb.jpg,,\nc.jpg,c2,\n")
        assert as_app("target", "add", folder, "--description", "y").code == 0
        assert {name: t["description"] for name, t in names().items()} == {
            "Gate": "x",
            None: "",
            "c2": "",
        }

    def test_one_that_no_server_can_have(self, as_app, folder):
        put(folder / os.fsdecode(b"a\xff.jpg"))
        put(folder / "b.jpg", FLOWER)
        done = as_app("target", "add", folder)
        assert done.code == 3
        assert "a\\udcff.jpg: name: it must not have a lone surrogate" in done.err
        assert "2 images: 1 added, 1 failed." in done.err

    def test_one_that_is_taken(self, as_app, names, stage, project, folder):
        made = stage.target(project, drawn(), "as before", name="GATE")
        file = put(folder / "gate.jpg")
        done = as_app("target", "add", file)
        assert done.code == 3
        assert done.err == (
            f"{file}: its name 'gate' is taken; choose another, or add --skip-existing to leave "
            "it out, or --replace for its image\n1 image: 1 taken.\n"
        )
        done = as_app("target", "add", file, "--skip-existing")
        assert done.code == 0
        said = f"{file}: left out, target {made.id} has it\n1 image: 1 present.\n"
        assert done.err == said
        done = as_app("target", "add", file, "--replace", "--json")
        assert (done.code, done.json[0]["outcome"]) == (0, "replaced")
        assert done.json[0]["id"] == made.id
        target = names()["GATE"]
        assert (target["size"], target["description"]) == (len(CHINA), "as before")
        assert as_app("target", "add", file, "--replace", "--skip-existing").code == 2

    def test_two_files_of_one_name(self, as_app, names, folder):
        put(folder / "a" / "gate.jpg")
        put(folder / "b" / "Gate.jpeg", FLOWER)
        done = as_app("target", "add", folder, "-r")
        assert done.code == 3
        assert "b/Gate.jpeg: its name 'Gate' is taken by a/gate.jpg; " in done.err
        assert names()["gate"]["size"] == len(CHINA)
        done = as_app("target", "add", folder, "-r", "--skip-existing")
        assert done.code == 0
        assert "b/Gate.jpeg: left out, its name 'Gate' is taken by a/gate.jpg\n" in done.err
        assert len(names()) == 1

    def test_a_folder_that_is_sent_again(self, as_app, names, folder):
        for n in range(5):
            put(folder / f"{n}.jpg", CHINA + bytes([n]))
        first = as_app("target", "add", folder, "--json")
        put(folder / "3.jpg", FLOWER)
        again = as_app("target", "add", folder, "--json")
        assert again.code == 3
        assert [row["outcome"] for row in again.json] == ["done before"] * 3 + [
            "taken",
            "done before",
        ]
        third = as_app("target", "add", folder, "--replace", "--json")
        assert third.code == 0
        assert outcomes(third)["3.jpg"] == "replaced"
        assert [row["id"] for row in third.json] == [row["id"] for row in first.json]
        assert names()["3"]["size"] == len(FLOWER)
        assert len(names()) == 5


@pytest.fixture(scope="module")
def small(database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    limits = {"targets_per_project": "5", "bytes_per_user": "2000000"}
    with live(database_url, folder, **limits) as server:
        yield server


class TestLimits:
    """A server that has no room for more says so once, not for each file."""

    @pytest.fixture
    def wire(self, small):
        made = Wire(small)
        yield made
        made.close()

    @pytest.mark.parametrize("parallel", [1, 3])
    def test_the_first_refusal_stops_all(self, as_app, wire, names, folder, parallel):
        for n in range(20):
            put(folder / f"{n:02}.jpg", CHINA + bytes([n]))
        done = as_app("target", "add", folder, "--parallel", parallel, "--server", wire.url)
        added = len(names())
        # Requests at the same moment may pass a limit together.
        assert 5 <= added < 5 + parallel
        assert done.code == 1
        assert "Error: targets: the limit of image targets is 5 for a project" in done.err
        assert f"20 images: {added} added, {20 - added} left." in done.err
        assert "Run the same command again to do the rest." in done.err
        posts = [line for line in wire.requests if line.startswith("POST")]
        assert added < len(posts) <= added + parallel

    def test_a_larger_image(self, as_app, wire, stage, project, names, folder):
        stage.target(project, drawn(), name="gate")
        put(folder / "gate.jpg", CHINA + bytes(2_000_000))
        done = as_app("target", "add", folder, "--replace", "--server", wire.url)
        assert done.code == 1
        assert "Error: bytes: the limit of bytes is 2000000 for a user" in done.err
        assert names()["gate"]["size"] == len(drawn())


class TestFields:
    OPTIONS = ("--physical-width", "0.5", "--inactive", "--metadata", "-", "--description", "all")

    def test_of_all_files(self, as_app, names, folder):
        put(folder / "a.jpg")
        put(folder / "b.jpg", FLOWER)
        assert as_app("target", "add", folder, *self.OPTIONS, stdin='{"a": null}').code == 0
        for target in names().values():
            assert (target["physical_width"], target["active"]) == (0.5, False)
            assert (target["metadata"], target["description"]) == ({"a": None}, "all")

    @pytest.mark.parametrize("suffix", ["csv", "json"])
    def test_what_a_manifest_says_wins(self, as_app, names, folder, suffix):
        put(folder / "a.jpg")
        put(folder / "b.jpg", FLOWER)
        rows = [
            {"file": "a.jpg", "physical_width": 2, "active": True, "metadata": [1]},
            {"file": "b.jpg", "physical_width": None, "active": True, "metadata": None},
        ]
        csv = 'file,physical_width,active,metadata\na.jpg,2,TRUE,"[1]"\nb.jpg,,,\n'
        text = csv if suffix == "csv" else json.dumps(rows)
        put(folder / f"manifest.{suffix}", text.encode())
        assert as_app("target", "add", folder, *self.OPTIONS, stdin="9").code == 0
        made = names()
        fields = ("physical_width", "active", "metadata", "description")
        assert [made["a"][f] for f in fields] == [2, True, [1], "all"]
        assert [made["b"][f] for f in fields] == [None, True, None, "all"]


class TestFolders:
    @pytest.fixture
    def mixed(self, folder):
        put(folder / "a.jpg")
        put(folder / "pic.png", drawn("PNG"))
        put(folder / "pic2.WebP", drawn("WEBP"))
        put(folder / "notes.txt", b"x")
        put(folder / ".DS_Store", b"x")
        put(folder / "sub" / "b.jpg", FLOWER)
        put(folder / "sub" / "manifest.csv", b"x")
        put(folder / "sub" / "deep" / "c.jpg", CHINA + b"c")
        put(folder / ".git" / "d.jpg")
        (folder / "link").symlink_to(folder / "sub")
        return folder

    def test_what_is_left_out_is_told(self, as_app, names, mixed):
        done = as_app("target", "add", mixed)
        assert done.code == 0
        assert done.err.splitlines() == [
            ".DS_Store: not a JPEG",
            ".git: a hidden folder",
            "link: a folder; --recursive goes into it",
            "notes.txt: not a JPEG",
            "pic.png: not a JPEG; --convert takes it",
            "pic2.WebP: not a JPEG; --convert takes it",
            "sub: a folder; --recursive goes into it",
            "1 image: 1 added.",
        ]
        assert names().keys() == {"a"}
        # Nor is the journal told in the next run, which does nothing.
        again = as_app("target", "add", mixed)
        assert ".ar-targets.journal" not in again.err
        assert again.err.endswith("1 image: 1 done before.\n")

    def test_folders_in_it(self, as_app, names, mixed):
        done = as_app("target", "add", mixed, "--recursive")
        assert done.code == 0
        assert ".git: a hidden folder\n" in done.err
        assert "link: a link to a folder; name that folder itself\n" in done.err
        assert "sub/manifest.csv: a manifest in a folder below" in done.err
        assert "sub: " not in done.err
        assert names().keys() == {"a", "b", "c"}
        again = as_app("target", "add", mixed, "--recursive", "--json")
        assert outcomes(again) == dict.fromkeys(
            ["a.jpg", "sub/b.jpg", "sub/deep/c.jpg"], "done before"
        )

    def test_one_of_no_jpegs(self, as_app, folder):
        put(folder / "pic.png", drawn("PNG"))
        done = as_app("target", "add", folder)
        assert done.code == 1
        assert done.err.startswith("pic.png: not a JPEG; --convert takes it\nError: ")

    def test_what_no_manifest_names(self, as_app, folder):
        for name in ("a.jpg", "b.jpg", "notes.txt"):
            put(folder / name)
        put(folder / "manifest.csv", b"file\na.jpg\n")
        done = as_app("target", "add", folder)
        assert done.err.splitlines() == [
            "b.jpg: not in manifest.csv",
            "notes.txt: not in manifest.csv",
            "1 image: 1 added.",
        ]

    def test_a_link_that_leads_out_of_a_folder_below(self, misled, imposter, folder):
        put(folder.parent / "private.jpg")
        (folder / "sub").mkdir()
        (folder / "sub" / "a.jpg").symlink_to(folder.parent / "private.jpg")
        done = misled("target", "add", folder, "--recursive")
        assert done.is_refusal("a link makes it lead out of the folder"), done
        assert imposter.heard == []

    def test_a_file_that_is_named_and_is_none(self, as_app, folder):
        done = as_app("target", "add", put(folder / "pic.jpg", drawn("PNG")))
        assert done.code == 3
        assert "pic.jpg: not a JPEG but a PNG file; --convert takes it\n" in done.err


def opened(data):
    return Image.open(io.BytesIO(data))


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def heic(image):
    pillow_heif.register_heif_opener()
    return encoded(image, "HEIF", quality=90)


class TestConvert:
    @pytest.fixture
    def pictures(self, folder):
        photo = opened(CHINA)
        put(folder / "p.png", encoded(photo, "PNG"))
        put(folder / "w.webp", encoded(photo, "WEBP"))
        put(folder / "h.HEIC", heic(photo))
        put(folder / "j.jpg")
        # As browsers save them.
        put(folder / "misnamed.jpg", encoded(opened(FLOWER), "WEBP"))
        return folder

    def test_formats(self, as_app, names, pictures, tmp_path):
        done = as_app("target", "add", pictures, "--convert", "--json")
        assert done.code == 0
        assert sorted(done.err.splitlines()[:-1]) == [
            "h.HEIC: converted from HEIC to JPEG",
            "misnamed.jpg: converted from WebP to JPEG",
            "p.png: converted from PNG to JPEG",
            "w.webp: converted from WebP to JPEG",
        ]
        assert {row["name"]: row["converted"] for row in done.json} == {
            "h": "HEIC",
            "j": None,
            "misnamed": "WebP",
            "p": "PNG",
            "w": "WebP",
        }
        made = names()
        assert {(t["width"], t["height"]) for t in made.values()} == {(640, 427)}
        assert made["j"]["size"] == len(CHINA)
        out = tmp_path / "p.jpg"
        assert as_app("target", "get", made["p"]["id"], "-o", out).code == 0
        pixel, original = opened(out.read_bytes()).getpixel((9, 9)), opened(CHINA).getpixel((9, 9))
        assert all(abs(a - b) < 16 for a, b in zip(pixel, original, strict=True))

    def test_a_run_that_is_repeated(self, as_app, names, pictures, monkeypatch):
        """Also by a Pillow that would give other bytes: the journal knows the file's own."""
        arguments = ("target", "add", pictures, "--convert", "--json")
        assert as_app(*arguments).code == 0
        monkeypatch.setattr(convert, "QUALITY", 90)
        again = as_app(*arguments)
        assert set(outcomes(again).values()) == {"done before"}
        assert len(names()) == 5

    @pytest.mark.parametrize("named", [True, False])
    def test_a_run_that_is_cut(self, as_app, wire, pictures, monkeypatch, named):
        rows = [{"file": file.name} for file in pictures.iterdir()]
        if not named:
            rows = [row | {"name": None} for row in rows]
        put(pictures / "manifest.json", json.dumps(rows).encode())
        wire.cut = lambda line: "after" if line.startswith("POST") else None
        arguments = ("target", "add", pictures, "--convert", "--server", wire.url, "--json")
        assert as_app(*arguments, "--retries", 0).code == 5
        wire.cut = lambda _: None
        monkeypatch.setattr(convert, "QUALITY", 90)
        assert as_app(*arguments).code == 0
        assert len(as_app("target", "list", "--json").json) == 5

    def test_without_the_library(self, as_app, pictures, monkeypatch):
        monkeypatch.setitem(sys.modules, "PIL", None)
        done = as_app("target", "add", pictures, "--convert")
        assert done.is_refusal("pip install 'ar-targets-client[convert]'"), done

    def test_without_that_for_heic(self, as_app, pictures, monkeypatch):
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        done = as_app("target", "add", pictures, "--convert")
        assert done.code == 3
        assert "h.HEIC: to convert HEIC, install pillow-heif: pip install" in done.err
        assert "5 images: 4 added, 1 failed." in done.err

    def test_what_is_broken(self, as_app, folder):
        put(folder / "cut.png", encoded(opened(CHINA), "PNG")[:9999])
        put(folder / "text.png", b"x")
        put(folder / "head.webp", encoded(opened(CHINA), "WEBP")[:20])
        put(folder / "begun.heic", heic(opened(CHINA))[:60])
        done = as_app("target", "add", folder, "--convert", "--json")
        assert done.code == 3
        assert set(outcomes(done).values()) == {"failed"}
        told = {row["file"]: row["reason"] for row in done.json}
        assert told.pop("text.png").startswith("image: it must be a whole JPEG")
        assert all(reason.startswith("it cannot be converted: ") for reason in told.values()), told


class TestPictures:
    """What a converted picture looks like."""

    def test_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # lies on its left side
        exif[0x010E] = "a secret place"
        image = Image.new("RGB", (64, 32), "red")
        for kind in ("PNG", "WEBP"):
            converted = opened(convert.to_jpeg(encoded(image, kind, exif=exif)))
            assert converted.size == (32, 64)
            assert not converted.getexif()

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_transparency_is_white(self, kind):
        image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        image.paste((255, 0, 0, 255), (0, 0, 16, 32))
        converted = opened(convert.to_jpeg(encoded(image, kind)))
        assert min(converted.getpixel((28, 16))) > 250
        red, green, _ = converted.getpixel((4, 16))
        assert (red > 245, green < 10) == (True, True)

    @pytest.mark.parametrize(
        ("mode", "colour", "shade"),
        [("1", 1, 255), ("L", 100, 100), ("I;16", 40_000, 156), ("LA", (9, 0), 255)],
    )
    def test_shades_of_grey(self, mode, colour, shade):
        image = opened(convert.to_jpeg(encoded(Image.new(mode, (16, 16), colour), "PNG")))
        assert image.mode == "L"
        assert abs(image.getpixel((8, 8)) - shade) < 3

    def test_a_palette(self):
        image = Image.new("P", (16, 16), 0)
        image.putpalette([0, 128, 255])
        converted = opened(convert.to_jpeg(encoded(image, "PNG", transparency=1)))
        assert all(
            abs(a - b) < 3 for a, b in zip(converted.getpixel((8, 8)), (0, 128, 255), strict=True)
        )

    def test_the_first_of_an_animation(self):
        others = [Image.new("RGB", (16, 16), "blue")]
        image = Image.new("RGB", (16, 16), "red")
        data = encoded(image, "WEBP", save_all=True, append_images=others, lossless=True)
        assert opened(convert.to_jpeg(data)).getpixel((8, 8))[0] > 245

    @pytest.mark.parametrize("side", [10_000, 20_000])
    def test_a_small_file_that_claims_to_be_huge(self, side):
        def chunk(name, data):
            return (
                struct.pack(">I", len(data))
                + name
                + data
                + struct.pack(">I", zlib.crc32(name + data))
            )

        head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
        data = zlib.compress(bytes((side // 8 + 1) * side))
        bomb = (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
        )
        assert len(bomb) < 100_000
        with pytest.raises(convert.ConversionError, match="more than 89,478,485 pixels"):
            convert.to_jpeg(bomb)

    def test_no_other_decoder_is_used(self):
        """A file that begins as a PNG is read as one, or not at all."""
        with pytest.raises(convert.ConversionError, match="it is broken"):
            convert.to_jpeg(drawn("GIF"))

    def test_the_same_bytes_twice(self):
        data = encoded(opened(CHINA), "PNG")
        assert convert.to_jpeg(data) == convert.to_jpeg(data)
