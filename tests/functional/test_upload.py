"""Images as files: forms, and the image of a target alone."""

import hashlib

import pytest

from ..client import faults
from ..pictures import CHINA, FLOWER, base64_of, drawn
from ..tables import target as table

SMALL = drawn()
METADATA = '{"artist": "Ann", "tags": [1.50, 2]}'
TEXTS = {
    "name": "Gate 门",
    "description": "a gate\r\nof stone",
    "physical_width": "0.297",
    "active": "false",
    "metadata": METADATA,
}
BOUNDARY = "----boundary"


def form(*parts):
    """A form of (name, file name or None, content)."""
    body = b""
    for name, file_name, content in parts:
        of_file = f'; filename="{file_name}"' if file_name else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def texts(**fields):
    return [(name, None, text.encode()) for name, text in fields.items()]


@pytest.fixture
def send(app, project, write_token):
    """Sends a form; to the list of the project's targets, if nothing else is said."""

    def send(body, path=project.targets, status=201, method="POST", app=app):
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        headers = write_token.headers | kind
        return app.request(path, method=method, body=body, headers=headers, status=status)

    return send


def stored(stage):
    return [row["image"] for row in stage.rows(table)]


class TestForm:
    """``multipart/form-data``."""

    def test_it_is_the_same_as_in_json(self, app, project, write_token, send):
        made = send(form(("image", "gate.jpg", CHINA), *texts(**TEXTS))).json
        app.call("DELETE", f"{project.targets}/{made['id']}", who=write_token)
        fields = {"physical_width": 0.297, "active": False}
        fields |= {"metadata": {"artist": "Ann", "tags": [1.5, 2]}, "image": base64_of(CHINA)}
        other = app.call("POST", project.targets, TEXTS | fields, who=write_token, status=201).json
        own = {"id", "image_url", "created_at", "updated_at"}
        assert made.keys() == other.keys()
        for name in made.keys() - own:
            assert made[name] == other[name]
        assert METADATA in send(form(("image", "b", CHINA), *texts(metadata=METADATA))).text
        assert app.get(other["image_url"], headers=write_token.headers).body == CHINA

    def test_an_empty_part_is_null(self, send):
        empty = dict.fromkeys(("name", "physical_width", "metadata", "description"), "")
        made = send(form(("image", "a.jpg", SMALL), *texts(**empty))).json
        assert {name: made[name] for name in empty} == dict.fromkeys(empty) | {"description": ""}

    def test_fields_may_be_files_and_the_image_may_have_no_name(self, send):
        made = send(form(("metadata", "m.json", b"[1]"), ("image", None, SMALL))).json
        assert (made["metadata"], made["size"]) == ([1], len(SMALL))

    def test_read_only_fields_are_ignored(self, send):
        send(form(("image", "a.jpg", SMALL), *texts(id="7", sha256="x", created_at="")))

    def test_put(self, stage, project, send):
        target = stage.target(project, CHINA, "old", name="old")
        made = send(form(("image", "a", FLOWER)), target.path, 200, "PUT").json
        assert (made["description"], made["name"], made["size"]) == ("", None, len(FLOWER))
        send(form(*texts(name="x")), target.path, 415, "PATCH")

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("active", "yes", "true or false"),
            ("active", "", "true or false"),
            ("physical_width", "wide", "a number, not a string"),
            ("physical_width", "0", "above 0"),
            ("physical_width", "NaN", "a number"),
            ("physical_width", "true", "a number"),
            ("physical_width", "9" * 400, "too large a number"),
            ("metadata", "{", "it must be JSON"),
            ("metadata", "1 2", "it must be JSON"),
            ("metadata", '"\\u0000"', "NUL"),
            ("name", " ", "1 to 255"),
            ("name", "a\0", "NUL"),
            ("description", "x" * 65_536, "at most 65535 bytes"),
            ("typo", "x", "no such field"),
        ],
    )
    def test_bad_fields(self, stage, send, name, text, words):
        refused = send(form(("image", "a.jpg", SMALL), *texts(**{name: text})), status=400)
        assert faults(refused) == {name: "body"}
        assert words in refused.json["errors"][0]["description"]
        assert stored(stage) == []

    def test_bytes_that_are_no_text(self, send):
        body = form(
            ("image", "a.jpg", SMALL), ("name", None, b"\xff"), ("metadata", None, b'"\xff"')
        )
        assert faults(send(body, status=400)) == {"name": "body", "metadata": "body"}

    def test_all_faults_in_one_answer(self, send):
        body = form(("image", "a.png", drawn("PNG")), *texts(active="x", typo="1"))
        assert faults(send(body, status=400)) == dict.fromkeys(("image", "active", "typo"), "body")

    @pytest.mark.parametrize("data", [b"", CHINA[:-2], b"\x89PNG", base64_of(CHINA).encode()])
    def test_what_is_no_jpeg(self, stage, send, data):
        refused = send(form(("image", "a.jpg", data)), status=400)
        assert faults(refused) == {"image": "body"}
        assert stored(stage) == []

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (form(*texts(name="x")), "it is missing"),
            (form(("image", "a", SMALL), ("image", "b", SMALL)), "twice"),
            (form(*texts(**{f"field {n}": "" for n in range(40)})), "cannot be read"),
            (form(("image", "a", SMALL))[:-20], "cannot be read"),
            (b"nonsense", "cannot be read"),
            (
                form(("image", "a", SMALL)).replace(b"image", b"\xff"),
                "cannot be read: Segment header failed to decode",
            ),
            (b"", "the body is empty"),
            (b"--" + BOUNDARY.encode() + b"--\r\n", "it is missing"),
        ],
        ids=[
            "no image",
            "two images",
            "many parts",
            "cut",
            "no form",
            "bytes",
            "empty",
            "no parts",
        ],
    )
    def test_what_is_no_form_of_ours(self, stage, send, body, words):
        assert words in str(send(body, status=400).json)
        assert stored(stage) == []

    @pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
    def test_no_boundary(self, app, project, write_token, kind):
        headers = write_token.headers | {"Content-Type": kind}
        refused = app.post(project.targets, form(("image", "a", SMALL)), headers, status=400)
        assert "boundary" in refused.json["errors"][0]["description"]

    def test_too_large(self, make_app, send):
        low, exact = make_app(image_max_bytes=len(CHINA) - 1), make_app(image_max_bytes=len(CHINA))
        refused = send(form(("image", "a.jpg", CHINA), *texts(typo="x")), status=413, app=low)
        assert faults(refused) == {"image": "body"}
        text = '"' + "x" * (2 * 2**20 - 2) + '"'
        send(form(("image", "a.jpg", CHINA), *texts(metadata=text)), app=exact)
        body = form(("image", "a.jpg", SMALL), ("description", None, b"x" * (3 * 2**20)))
        assert faults(send(body + b" " * len(CHINA), status=413, app=exact)) == {"": "body"}

    def test_too_much_beside_the_image(self, send):
        most = 3 * 2**20
        others = [("metadata", None, b"[]"), ("description", None, b"x" * (most - 2))]
        assert faults(send(form(("image", "a", SMALL), *others), status=400)) == {
            "description": "body"
        }
        for image in ([("image", "a", SMALL)], []):
            refused = send(form(*image, *others, ("name", None, b"x")), status=413)
            assert faults(refused) == {"": "body"}


class TestJpegQuery:
    """A body that is the JPEG itself: the other fields are in the query."""

    def test_all_fields(self, app, project, write_token):
        made = app.post(
            project.targets + "?name=Gate%20%E9%97%A8&physical_width=0.5&active=false"
            "&metadata=%7B%22a%22%3A1.0%7D&description=x",
            SMALL,
            write_token.headers | {"Content-Type": "image/jpeg"},
            status=201,
        )
        assert (
            made.json.items() >= {"name": "Gate 门", "physical_width": 0.5, "active": False}.items()
        )
        assert '"metadata":{"a":1.0}' in made.text

    def test_letters_that_are_not_percent_encoded(self, app, project, write_token):
        # As a WSGI server passes them on: a character for each byte (PEP 3333).
        query = "?name=Tür+門%20%C3%BC".encode().decode("latin-1")
        headers = write_token.headers | {"Content-Type": "image/jpeg"}
        made = app.post(project.targets + query, SMALL, headers, status=201)
        assert made.json["name"] == "Tür 門 ü"
        found = app.get(project.targets + query, headers=write_token.headers).json["items"]
        assert [target["id"] for target in found] == [made.json["id"]]
        refused = app.post(f"{project.targets}?name=T\xfcr", SMALL, headers, status=400)
        assert faults(refused) == {"name": "querystring"}

    def test_a_request_line_that_is_too_long(self, app, project, write_token):
        headers = write_token.headers | {"Content-Type": "image/jpeg"}
        query = "?description=" + "x" * 8100
        app.post(project.targets + query[:8000], SMALL, headers, status=201)
        refused = app.post(project.targets + query + "x" * 100, SMALL, headers, status=414)
        assert faults(refused) == {"": "path"}


class TestImage:
    """``PUT …/imagetarget/<id>/image``."""

    def put(self, app, who, path, data, status=200, **headers):
        return app.call("PUT", path, data, who=who, status=status, **headers)

    def test_it_replaces_the_image_alone(self, app, stage, project, write_token):
        target = stage.target(
            project, CHINA, "a gate", name="gate", physical_width=1.5, active=False, metadata="[1]"
        )
        before = app.call("GET", target.path, who=write_token).json
        changed = self.put(app, write_token, target.image, FLOWER)
        after = app.call("GET", target.path, who=write_token).json
        assert changed.json.items() <= after.items()
        assert changed.headers["ETag"] == f'"{hashlib.sha256(FLOWER).hexdigest()}"'
        kept = {"id", "name", "description", "physical_width", "active", "metadata", "created_at"}
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert app.get(target.image, headers=write_token.headers).body == FLOWER

    def test_if_match_is_about_the_image(self, app, write_token, target):
        tag = app.get(target.image, headers=write_token.headers).headers["ETag"]
        other = app.get(target.path, headers=write_token.headers).headers["ETag"]
        self.put(app, write_token, target.image, FLOWER, 412, if_match=other)
        self.put(app, write_token, target.image, FLOWER, 200, if_match=tag)
        self.put(app, write_token, target.image, CHINA, 412, if_match=tag)

    def test_what_it_refuses(self, make_app, app, stage, write_token, target):
        put = self.put
        assert faults(put(app, write_token, target.image, CHINA[:-2], 400)) == {"image": "body"}
        assert faults(put(app, write_token, target.image, b"", 400)) == {"": "body"}
        refused = put(app, write_token, f"{target.image}?name=x", FLOWER, 400)
        assert faults(refused) == {"name": "querystring"}
        for kind in ("application/json", "image/png", "multipart/form-data; boundary=x"):
            refused = put(app, write_token, target.image, FLOWER, 415, content_type=kind)
            assert refused.json["errors"][0]["description"] == "it must be image/jpeg"
        low = make_app(image_max_bytes=len(FLOWER) - 1)
        put(low, write_token, target.image, FLOWER, 413, content_type="image/png")
        assert stored(stage) == [CHINA]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (None, 'inline; filename="imagetarget-{id}.jpg"'),
        ("gate", 'inline; filename="gate.jpg"'),
        ("Gate.JPG", 'inline; filename="Gate.JPG"'),
        ("gate.png", 'inline; filename="gate.png.jpg"'),
        ('a/b\\c"d\n', 'inline; filename="a_b_c_d_.jpg"'),
        ("Äpfel", "inline; filename=\"Apfel.jpg\"; filename*=UTF-8''%C3%84pfel.jpg"),
        ("門", "inline; filename=\".jpg\"; filename*=UTF-8''%E9%96%80.jpg"),
        ("＂／", "inline; filename=\"__.jpg\"; filename*=UTF-8''%EF%BC%82%EF%BC%8F.jpg"),
    ],
)
def test_the_file_has_the_name_of_the_target(app, stage, project, write_token, name, header):
    target = stage.target(project, SMALL, name=name)
    for method, ranges in (("GET", {}), ("HEAD", {}), ("GET", {"range": "bytes=0-1"})):
        answer = app.call(method, target.image, who=write_token, **ranges)
        assert answer.headers["Content-Disposition"] == header.format(id=target.id)


def test_other_media_types_are_refused_with_a_list(app, project, write_token):
    headers = write_token.headers | {"Content-Type": "image/png"}
    refused = app.post(project.targets, SMALL, headers, status=415)
    told = refused.json["errors"][0]["description"]
    for kind in ("application/json", "multipart/form-data", "image/jpeg"):
        assert kind in told
