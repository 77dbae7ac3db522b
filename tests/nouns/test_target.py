"""``/api/project/<id>/imagetarget`` and ``/api/project/<id>/imagetarget/<target_id>``."""

import base64
import hashlib
import textwrap

import pytest

from ar_targets.images.jpeg import MAX_SCANS

from ..client import faults
from ..pictures import CHINA, FLOWER, HEIGHT, WIDTH, base64_of, drawn
from ..tables import target as table
from ..unit.jpegs import costly

CREDENTIALS = """
/api/project/{project}/imagetarget
                        none garbage expired owner other admin write read foreign revoked
GET                     401    401     401    403   403   403   200  200    403     401
HEAD                    401    401     401    403   403   403   200  200    403     401
POST                    401    401     401    403   403   403   201  403    403     401
GET    /{target}        401    401     401    403   403   403   200  200    403     401
HEAD   /{target}        401    401     401    403   403   403   200  200    403     401
PUT    /{target}        401    401     401    403   403   403   200  403    403     401
PATCH  /{target}        401    401     401    403   403   403   200  403    403     401
POST   /{target}/restore 401 401 401 403 403 403 200 403 403 401
DELETE /{target}        401    401     401    403   403   403   204  403    403     401
GET    /{target}/image  401    401     401    403   403   403   200  200    403     401
HEAD   /{target}/image  401    401     401    403   403   403   200  200    403     401
PUT    /{target}/image  401    401     401    403   403   403   200  403    403     401
"""

BODIES = {
    "TargetBody": {"image": base64_of(drawn())},
    "TargetPatch": {"description": "new"},
    "ImageBody": {"image": base64_of(drawn())},
    "Jpeg": drawn(),
}
STATEMENTS = {
    "list targets": ("write_token", "GET", "{project.targets}", None, 2),
    "list targets by name": ("write_token", "GET", "{project.targets}?name=1", None, 2),
    "list targets by prefix": ("write_token", "GET", "{project.targets}?name_prefix=1", None, 2),
    "list targets of an image": (
        "write_token",
        "GET",
        f"{{project.targets}}?sha256={'0' * 64}",
        None,
        2,
    ),
    "list active targets": ("write_token", "GET", "{project.targets}?active=true", None, 2),
    "list deleted targets": ("write_token", "GET", "{project.targets}?deleted=true", None, 2),
    "list targets with all": (
        "write_token",
        "GET",
        "{project.targets}?deleted=true&name_prefix=&active=true&fields=metadata&limit=200",
        None,
        2,
    ),
    "list metadata": ("write_token", "GET", "{project.targets}?fields=metadata", None, 3),
    # Two of them count; they are spared while much is left of the limits.
    "create a target": ("write_token", "POST", "{project.targets}", {"image": base64_of(CHINA)}, 6),
    "read a target": ("write_token", "GET", "{target.path}", None, 1),
    "read an image": ("write_token", "GET", "{target.image}", None, 1),
    "head of an image": ("write_token", "HEAD", "{target.image}", None, 1),
    "describe a target": ("write_token", "PATCH", "{target.path}", {"description": "x"}, 3),
    "replace a target": ("write_token", "PUT", "{target.path}", {"image": base64_of(CHINA)}, 4),
    "restore a live target": ("write_token", "POST", "{target.path}/restore", None, 3),
    "replace an image": ("write_token", "PUT", "{target.image}", CHINA, 4),
    "delete a target": ("write_token", "DELETE", "{target.path}", None, 3),
}


def crowd_row(n, user_id, project_id):
    fixed = {"width": 1, "height": 1, "size": 1, "sha256": "0" * 64, "image": b"x"}
    named = {"name": str(n), "name_key": str(n).encode()}
    metadata = {"metadata": "1", "metadata_size": 1}
    return {"project_id": project_id, "description": str(n)} | named | metadata | fixed


LISTED = {
    "id", "project_id", "name", "description", "physical_width", "active", "width", "height",
    "size", "sha256", "image_url", "created_at", "updated_at",
}  # fmt: skip
FIELDS = LISTED | {"metadata"}
DESCRIPTION_MAX = 65_535
SMALL = drawn()


def stored(stage):
    """Image and description of all rows that are not deleted."""
    rows = stage.rows(table, table.c.deleted_at.is_(None))
    return [(row["image"], row["description"]) for row in rows]


def test_create(app, project, write_token):
    body = {"image": base64_of(CHINA), "description": "a gate 门"}
    created = app.post_json(project.targets, body, headers=write_token.headers, status=201)
    shown = created.json
    assert shown.keys() == FIELDS
    assert shown["project_id"] == project.id
    assert shown["description"] == "a gate 门"
    assert (shown["width"], shown["height"], shown["size"]) == (WIDTH, HEIGHT, len(CHINA))
    assert shown["sha256"] == hashlib.sha256(CHINA).hexdigest()
    location = f"http://localhost{project.targets}/{shown['id']}"
    assert created.headers["Location"] == location
    assert shown["image_url"] == f"{location}/image"
    read = app.get(location, headers=write_token.headers)
    assert read.json == shown | {"image": base64_of(CHINA)}
    assert read.headers["ETag"] == created.headers["ETag"]
    assert app.get(shown["image_url"], headers=write_token.headers).body == CHINA


def test_description_is_empty_by_default(app, project, write_token):
    body = {"image": base64_of(SMALL)}
    created = app.post_json(project.targets, body, headers=write_token.headers, status=201)
    assert created.json["description"] == ""


@pytest.mark.parametrize(
    "text",
    [
        base64_of(CHINA),
        base64.encodebytes(CHINA).decode(),
        base64.encodebytes(CHINA).decode().replace("\n", "\r\n"),
        "\n".join(textwrap.wrap(base64_of(CHINA), 64)),
        "data:image/jpeg;base64," + base64_of(CHINA),
        "data:image/jpeg;base64," + base64.encodebytes(CHINA).decode(),
    ],
    ids=["plain", "base64 command", "CR LF", "PEM", "data URI", "data URI with line breaks"],
)
def test_ways_to_write_an_image(app, stage, project, write_token, text):
    app.post_json(project.targets, {"image": text}, headers=write_token.headers, status=201)
    assert stored(stage) == [(CHINA, "")]


@pytest.mark.parametrize("behind", [b"\0", b"\0" * 1000, b"MotionPhoto" * 99, b"\xff\xd9", SMALL])
def test_bytes_behind_the_end_of_the_image_are_kept(app, stage, project, write_token, behind):
    body = {"image": base64_of(CHINA + behind)}
    created = app.post_json(project.targets, body, headers=write_token.headers, status=201)
    assert created.json["size"] == len(CHINA + behind)
    assert stored(stage) == [(CHINA + behind, "")]


URL_SAFE = base64.urlsafe_b64encode(CHINA).decode()
UNPADDED = base64_of(CHINA + b"\0" * (-len(CHINA) % 3 + 1)).rstrip("=")
BAD_IMAGES = {
    "empty": ("", "empty"),
    "PNG": (base64_of(drawn("PNG")), "PNG"),
    "GIF": (base64_of(drawn("GIF")), "GIF"),
    "WebP": (base64_of(drawn("WEBP")), "WebP"),
    "text": (base64_of(b"hello"), "not a JPEG"),
    "no end marker": (base64_of(CHINA[:-2]), "truncated"),
    "half": (base64_of(CHINA[: len(CHINA) // 2]), "truncated"),
    "first bytes": (base64_of(CHINA[:2]), "truncated"),
    "header alone": (base64_of(CHINA[:20]), "truncated"),
    "end marker at once": (base64_of(CHINA[:2] + b"\xff\xd9"), "it"),
    "no base64": ("it is a picture", "base64"),
    "no padding": (UNPADDED, "padding"),
    "URL-safe alphabet": (URL_SAFE, "alphabet"),
    "spaces": (base64_of(CHINA)[:100] + " " + base64_of(CHINA)[100:], "base64"),
    "bytes behind the padding": (base64_of(b"\xff") + base64_of(CHINA), "base64"),
    "letters of other scripts": ("Ａ" * 8, "base64"),
    "data URI of a PNG": ("data:image/png;base64," + base64_of(CHINA), "data:image/jpeg;base64,"),
    "data URI without base64": ("data:image/jpeg," + base64_of(CHINA), "data:image/jpeg;base64,"),
    "data URI of nothing": ("data:image/jpeg;base64,", "empty"),
    "NUL": (base64_of(CHINA) + "\0", "NUL"),
    "null": (None, "null"),
    "number": (7, "number"),
    "boolean": (True, "boolean"),
    "array": ([255, 216, 255], "array"),
    "object": ({"base64": ""}, "object"),
}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(("text", "reason"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_bad_images(app, stage, project, write_token, target, method, text, reason):
    path = project.targets if method == "POST" else target.path
    refused = app.call(method, path, {"image": text}, who=write_token, status=400)
    assert faults(refused) == {"image": "body"}
    assert reason in refused.json["errors"][0]["description"]
    assert stored(stage) == [(CHINA, "a gate")]


@pytest.mark.parametrize(
    "inserted", [b"\n", b" ", b"\0", b"\xff", "é".encode(), b"\\u0041\n"], ids=repr
)
def test_what_no_text_of_json_may_have(app, stage, project, write_token, inserted):
    """A large text is looked at as it was written, and by nobody else."""
    text = base64_of(CHINA).encode()
    body = b'{"image": "%b"}' % (text[:50] + inserted + text[50:])
    refused = app.post(
        project.targets,
        body,
        {**write_token.headers, "Content-Type": "application/json"},
        status=400,
    )
    assert refused.json["status"] == "error"
    assert stored(stage) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_limit_of_bytes(make_app, project, write_token, target, method):
    exact, low = make_app(image_max_bytes=len(FLOWER)), make_app(image_max_bytes=len(FLOWER) - 1)
    path = project.targets if method == "POST" else target.path
    for text in (base64_of(FLOWER), base64.encodebytes(FLOWER).decode()):
        exact.call(method, path, {"image": text}, who=write_token)
        refused = low.call(method, path, {"image": text}, who=write_token, status=413)
        assert str(len(FLOWER) - 1) in refused.json["errors"][0]["description"]
        assert faults(refused) == {"image": "body"}


def test_a_large_image_beside_all_else_that_is_allowed(make_app, stage, project, write_token):
    app = make_app(image_max_bytes=2 * len(FLOWER))
    whole = FLOWER + b"\0" * len(FLOWER)
    text = base64.encodebytes(whole).decode().replace("\n", "\r\n")
    body = {"image": "data:image/jpeg;base64," + text, "description": "\x01" * DESCRIPTION_MAX}
    app.post_json(project.targets, body, headers=write_token.headers, status=201)
    assert stored(stage) == [(whole, body["description"])]


def test_too_large_an_image_is_413_whatever_else_is_wrong(make_app, project, write_token):
    app = make_app(image_max_bytes=1000)
    body = {"image": base64_of(CHINA), "description": None, "typo": 1}
    app.post_json(project.targets, body, headers=write_token.headers, status=413)


def test_limit_of_pixels(make_app, project, write_token):
    pixels = WIDTH * HEIGHT
    body = {"image": base64_of(CHINA)}
    exact, low = make_app(image_max_pixels=pixels), make_app(image_max_pixels=pixels - 1)
    exact.post_json(project.targets, body, headers=write_token.headers, status=201)
    refused = low.post_json(project.targets, body, headers=write_token.headers, status=400)
    assert str(pixels - 1) in refused.json["errors"][0]["description"]


@pytest.mark.parametrize("count", [MAX_SCANS + 1, 100, 9_000])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_limit_of_scans(app, stage, project, target, write_token, method, count):
    path = project.targets if method == "POST" else target.path
    body = {"image": base64_of(costly(count))}
    answer = app.call(method, path, body, who=write_token, status=400)
    (error,) = answer.json["errors"]
    assert (error["location"], error["name"]) == ("body", "image")
    assert f"it has more than {MAX_SCANS} scans" in error["description"]
    assert "save it as a baseline JPEG" in error["description"]
    assert [image for image, _ in stored(stage)] == [CHINA]


def test_as_many_scans_as_are_allowed(app, stage, project, write_token):
    data = costly(MAX_SCANS)
    created = app.call("POST", project.targets, {"image": base64_of(data)}, who=write_token)
    assert (created.json["width"], created.json["height"]) == (7000, 7000)
    assert [image for image, _ in stored(stage)] == [data]


@pytest.mark.parametrize(
    "description", ["", " ", "x" * DESCRIPTION_MAX, "\N{LION FACE}" * (DESCRIPTION_MAX // 4)]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_good_descriptions(app, project, write_token, target, method, description):
    path = project.targets if method == "POST" else target.path
    body = {"image": base64_of(SMALL), "description": description}
    answer = app.call(method, path, body, who=write_token)
    assert answer.json["description"] == description
    read = app.get(f"{project.targets}/{answer.json['id']}", headers=write_token.headers)
    assert read.json["description"] == description


@pytest.mark.parametrize(
    "description", ["x" * (DESCRIPTION_MAX + 1), "ß" * 32_768, None, 7, True, [], {}, "a\0b"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_bad_descriptions(app, stage, project, write_token, target, method, description):
    path = project.targets if method == "POST" else target.path
    body = {"image": base64_of(SMALL), "description": description}
    refused = app.call(method, path, body, who=write_token, status=400)
    assert faults(refused) == {"description": "body"}
    assert stored(stage) == [(CHINA, "a gate")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_all_faults_in_one_answer(app, project, write_token, target, method):
    path = project.targets if method == "POST" else target.path
    body = {"image": base64_of(drawn("PNG")), "description": 7, "typo": 1}
    refused = app.call(method, path, body, who=write_token, status=400)
    assert faults(refused).keys() == body.keys()
    body = {"image": "no base64", "typo": 1}
    assert faults(app.call(method, path, body, who=write_token, status=400)).keys() == body.keys()


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_create_and_put_need_the_image(app, stage, project, write_token, target, method):
    path = project.targets if method == "POST" else target.path
    for body in ({}, {"description": "new"}):
        refused = app.call(method, path, body, who=write_token, status=400)
        assert faults(refused) == {"image": "body"}
    assert stored(stage) == [(CHINA, "a gate")]


def test_list_leaves_the_images_out(app, stage, project, write_token, target, other_project):
    foreign = stage.target(other_project, SMALL, "foreign")
    second = stage.target(project, SMALL, "dot")
    listed = app.get(project.targets, headers=write_token.headers)
    assert [item["id"] for item in listed.json["items"]] == [target.id, second.id]
    assert foreign.id not in [item["id"] for item in listed.json["items"]]
    assert "foreign" not in listed
    assert listed.json["next"] is None
    for item in listed.json["items"]:
        one = app.get(f"{project.targets}/{item['id']}", headers=write_token.headers).json
        assert one.pop("image")
        assert one.pop("metadata") is None
        assert item == one


def test_put_replaces_everything(app, stage, write_token, target):
    before = app.get(target.path, headers=write_token.headers)
    body = {"image": base64_of(SMALL)}
    replaced = app.put_json(target.path, body, headers=write_token.headers)
    assert replaced.json.keys() - {"image"} == FIELDS
    assert replaced.json["description"] == ""
    assert (replaced.json["width"], replaced.json["height"]) == (8, 8)
    assert replaced.json["size"] == len(SMALL)
    assert replaced.json["sha256"] == hashlib.sha256(SMALL).hexdigest()
    assert replaced.json["created_at"] == before.json["created_at"]
    assert replaced.json["updated_at"] > before.json["updated_at"]
    assert replaced.headers["ETag"] != before.headers["ETag"]
    after = app.get(target.path, headers=write_token.headers)
    assert replaced.json.items() <= after.json.items()
    assert after.headers["ETag"] == replaced.headers["ETag"]
    assert stored(stage) == [(SMALL, "")]


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({}, (CHINA, "a gate")),
        ({"description": ""}, (CHINA, "")),
        ({"description": "a temple"}, (CHINA, "a temple")),
        ({"image": base64_of(SMALL)}, (SMALL, "a gate")),
        ({"image": base64_of(SMALL), "description": "dot"}, (SMALL, "dot")),
    ],
    ids=["nothing", "empty description", "description", "image", "both"],
)
def test_patch_changes_what_is_sent(app, stage, write_token, target, body, after):
    before = app.get(target.path, headers=write_token.headers)
    patched = app.patch_json(target.path, body, headers=write_token.headers)
    assert stored(stage) == [after]
    assert patched.json["sha256"] == hashlib.sha256(after[0]).hexdigest()
    assert (patched.headers["ETag"] == before.headers["ETag"]) == (body == {})
    assert (patched.json["updated_at"] == before.json["updated_at"]) == (body == {})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_read_only_fields_may_come_back(app, stage, write_token, target, method):
    whole = app.get(target.path, headers=write_token.headers).json
    whole |= {"id": 1, "project_id": 1, "width": 1, "size": "x", "image_url": None}
    changed = app.call(method, target.path, whole, who=write_token).json
    assert (changed["id"], changed["width"], changed["size"]) == (target.id, WIDTH, len(CHINA))
    assert stored(stage) == [(CHINA, "a gate")]


def test_delete(app, stage, project, write_token, target):
    second = stage.target(project, SMALL)
    app.delete(target.path, headers=write_token.headers, status=204)
    app.get(target.path, headers=write_token.headers, status=404)
    app.get(target.image, headers=write_token.headers, status=404)
    app.delete(target.path, headers=write_token.headers, status=404)
    app.put_json(target.path, {"image": base64_of(SMALL)}, headers=write_token.headers, status=404)
    app.patch_json(target.path, {}, headers=write_token.headers, status=404)
    listed = app.get(project.targets, headers=write_token.headers).json["items"]
    assert [item["id"] for item in listed] == [second.id]
    row = stage.rows(table, table.c.id == target.id)[0]
    assert row["deleted_at"] is not None
    assert row["image"] == CHINA


def test_a_target_below_another_project_is_not_there(
    app, target, project, other_project, other_token, write_token
):
    app.get(f"{other_project.targets}/{target.id}", headers=other_token.headers, status=404)
    app.get(f"{other_project.targets}/{target.id}/image", headers=other_token.headers, status=404)
    app.delete(f"{other_project.targets}/{target.id}", headers=other_token.headers, status=404)
    app.get(target.path, headers=write_token.headers)


def test_a_read_token_reads_and_no_more(app, stage, project, read_token, target):
    for path in (project.targets, target.path, target.image):
        app.get(path, headers=read_token.headers)
    body = {"image": base64_of(SMALL)}
    app.post_json(project.targets, body, headers=read_token.headers, status=403)
    for method in ("PUT", "PATCH", "DELETE"):
        sent = None if method == "DELETE" else body
        app.call(method, target.path, sent, who=read_token, status=403)
    assert stored(stage) == [(CHINA, "a gate")]


def test_the_owner_needs_a_project_token_too(app, stage, owner, project, target):
    refused = app.get(target.path, headers=owner.headers, status=403)
    assert "a gate" not in refused
    app.get(project.targets, headers=owner.headers, status=403)
    app.delete(target.path, headers=owner.headers, status=403)
    assert stored(stage) == [(CHINA, "a gate")]


class TestRestore:
    """``POST /api/project/<id>/imagetarget/<target_id>/restore``."""

    def test_it_comes_back(self, app, write_token, target):
        app.call("DELETE", target.path, who=write_token, status=204)
        app.call("GET", target.path, who=write_token, status=404)
        restored = app.call("POST", f"{target.path}/restore", who=write_token, status=200)
        read = app.call("GET", target.path, who=write_token, status=200)
        assert restored.json.items() <= read.json.items()
        assert restored.headers["ETag"] == read.headers["ETag"]
        assert app.call("GET", target.image, who=write_token, status=200).body == CHINA

    def test_a_live_one_stays_as_it_is(self, app, write_token, target):
        before = app.call("GET", target.path, who=write_token, status=200)
        after = app.call("POST", f"{target.path}/restore", who=write_token, status=200)
        assert after.headers["ETag"] == before.headers["ETag"]

    def test_of_another_project_or_of_none(self, app, stage, other_project, write_token, project):
        other = stage.target(other_project)
        app.call("POST", f"{project.targets}/{other.id}/restore", who=write_token, status=404)
        app.call("POST", f"{project.targets}/999999/restore", who=write_token, status=404)

    @pytest.mark.parametrize("number", [2**63, 10**19 - 1])
    def test_an_id_that_no_row_can_have(self, app, project, write_token, number):
        app.call("POST", f"{project.targets}/{number}/restore", who=write_token, status=404)


class TestJpegBody:
    """A body that is the JPEG itself."""

    def send(self, app, who, path, data, query="", method="POST", **options):
        headers = {**who.headers, "Content-Type": options.pop("kind", "image/jpeg")}
        return app.request(path + query, method=method, body=data, headers=headers, **options)

    def test_it_is_the_same_as_in_json(self, app, project, write_token):
        query = "?description=a%20gate%20%E9%97%A8"
        made = self.send(app, write_token, project.targets, CHINA, query, status=201).json
        in_json = {"image": base64_of(CHINA), "description": "a gate 门"}
        other = app.call("POST", project.targets, in_json, who=write_token, status=201).json
        own = {"id", "image_url", "created_at", "updated_at"}
        assert {k: v for k, v in made.items() if k not in own} == {
            k: v for k, v in other.items() if k not in own
        }
        assert app.get(made["image_url"], headers=write_token.headers).body == CHINA

    @pytest.mark.parametrize("kind", ["IMAGE/JPEG", "image/jpeg; charset=binary"])
    def test_spellings_of_the_media_type(self, app, project, write_token, kind):
        self.send(app, write_token, project.targets, SMALL, kind=kind, status=201)

    def test_put_replaces_both(self, app, stage, project, write_token):
        target = stage.target(project, CHINA, "old")
        shown = self.send(app, write_token, target.path, FLOWER, method="PUT", status=200).json
        assert (shown["description"], shown["size"]) == ("", len(FLOWER))
        assert stored(stage) == [(FLOWER, "")]

    def test_no_query_is_misunderstood(self, app, project, write_token):
        query = "?descripton=x&image=y&description=%FF"
        refused = self.send(app, write_token, project.targets, SMALL, query, status=400)
        places = dict.fromkeys(("descripton", "image", "description"), "querystring")
        assert faults(refused) == places
        assert "there are active, allow_similar, description, metadata, name" in str(refused.json)

    @pytest.mark.parametrize("data", [CHINA[:-2], b"\x89PNG", b"{}"])
    def test_what_is_no_jpeg(self, app, stage, project, write_token, data):
        refused = self.send(app, write_token, project.targets, data, status=400)
        assert faults(refused) == {"image": "body"}
        assert "a whole JPEG" in refused.json["errors"][0]["description"]
        assert stored(stage) == []

    def test_nothing(self, app, project, write_token):
        refused = self.send(app, write_token, project.targets, b"", status=400)
        assert "the body is empty" in refused.json["errors"][0]["description"]

    def test_too_large(self, make_app, project, write_token):
        app = make_app(image_max_bytes=len(CHINA) - 1)
        refused = self.send(app, write_token, project.targets, CHINA, status=413)
        assert faults(refused) == {"image": "body"}
        app = make_app(image_max_bytes=len(CHINA))
        self.send(app, write_token, project.targets, CHINA, status=201)

    def test_what_is_taken_is_listed(self, app, project, write_token, target):
        for method, path in (("POST", project.targets), ("PUT", target.path)):
            refused = self.send(
                app, write_token, path, SMALL, method=method, kind="image/png", status=415
            )
            assert "application/json" in refused.json["errors"][0]["description"]
            assert "image/jpeg" in refused.json["errors"][0]["description"]
        self.send(app, write_token, target.path, SMALL, method="PATCH", status=415)
