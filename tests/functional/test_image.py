"""``/api/project/<id>/imagetarget/<target_id>/image``: the JPEG itself."""

import hashlib

import pytest
from sqlalchemy import event

from ar_targets.db.retry import ATTEMPTS
from ar_targets.models import Target

from ..pictures import CHINA, FLOWER, base64_of

SIZE = len(CHINA)
ETAG = f'"{hashlib.sha256(CHINA).hexdigest()}"'


def get(app, who, target, status=200, **headers):
    return app.call("GET", target.image, who=who, status=status, **headers)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_bytes_as_they_were_sent(app, read_token, target, slash):
    answer = app.get(target.image + slash, headers=read_token.headers)
    assert answer.body == CHINA
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content_length == SIZE
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer.headers["Cache-Control"]
    assert "public" not in answer.headers["Cache-Control"]
    assert "max-age" not in answer.headers["Cache-Control"]
    assert not answer.headers["ETag"].startswith("W/")


def test_head(app, read_token, target):
    head = app.head(target.image, headers=read_token.headers)
    whole = app.get(target.image, headers=read_token.headers)
    assert head.body == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Accept-Ranges", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]


def test_head_has_no_ranges(app, read_token, target):
    """RFC 9110, 14.2: GET is the only method for which they are defined."""
    head = app.call("HEAD", target.image, who=read_token, range="bytes=0-9", status=200)
    assert head.content_length == SIZE


@pytest.mark.parametrize(
    ("part", "headers"),
    [
        ("/image", {"range": "bytes=0-9"}),
        ("/image", {"if_none_match": '"x"'}),
        ("", {"if_none_match": '"x"'}),
    ],
)
@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 200), (ATTEMPTS, 503)])
def test_an_image_that_is_replaced_while_it_is_read(
    app, write_token, target, part, headers, times, status
):
    """Between the statement that reads its record and the one that reads the image."""
    images = (times * [FLOWER, CHINA])[:times]

    def replace(_connection, _cursor, statement, *_):
        if images and "sha256 = " in statement:
            app.call("PUT", target.image, images.pop(0), who=write_token, status=200)

    event.listen(app.registry.read_engine, "before_cursor_execute", replace)
    try:
        answer = app.call("GET", target.path + part, who=write_token, status="*", **headers)
    finally:
        event.remove(app.registry.read_engine, "before_cursor_execute", replace)
    assert images == []
    assert answer.status_int == (206 if status == 200 and "range" in headers else status)


def test_a_target_that_is_deleted_while_it_is_read(app, stage, write_token, target):
    def delete(_connection, _cursor, statement, *_):
        if "sha256 = " in statement:
            stage.delete(Target, target.id)

    event.listen(app.registry.read_engine, "before_cursor_execute", delete)
    try:
        get(app, write_token, target, 404, range="bytes=0-9")
    finally:
        event.remove(app.registry.read_engine, "before_cursor_execute", delete)


@pytest.mark.parametrize("tag", [ETAG, "*", f'"x", {ETAG}', f"W/{ETAG}"])
def test_if_none_match(app, read_token, target, tag):
    unchanged = get(app, read_token, target, 304, if_none_match=tag)
    assert unchanged.headers["ETag"] == get(app, read_token, target).headers["ETag"]
    assert "private" in unchanged.headers["Cache-Control"]
    get(app, read_token, target, 304, if_none_match=tag, range="bytes=0-9")


def test_if_none_match_of_another_image(app, write_token, target):
    tag = get(app, write_token, target).headers["ETag"]
    app.patch_json(target.path, {"image": base64_of(FLOWER)}, headers=write_token.headers)
    changed = get(app, write_token, target, 200, if_none_match=tag)
    assert changed.body == FLOWER
    assert changed.headers["ETag"] != tag


def test_a_new_description_leaves_the_tag_of_the_image(app, write_token, target):
    tag = get(app, write_token, target).headers["ETag"]
    app.patch_json(target.path, {"description": "x"}, headers=write_token.headers)
    get(app, write_token, target, 304, if_none_match=tag)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1000-1999", 1000, 2000),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes={SIZE - 10}-{SIZE + 10}", SIZE - 10, SIZE),
        ("bytes=5-", 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        ("bytes=0-", 0, SIZE),
        (f"bytes=0-{SIZE - 1}", 0, SIZE),
        (f"bytes=-{SIZE + 5}", 0, SIZE),
        # Numbers may begin with zeros, and may be larger than any image.
        ("bytes=00000000000000000000005-00000000000000000000009", 5, 10),
        ("bytes=5-" + "9" * 19, 5, SIZE),
        ("bytes=-" + "1" * 40, 0, SIZE),
    ],
)
def test_ranges(app, read_token, target, wanted, start, stop):
    part = get(app, read_token, target, 206, range=wanted)
    assert part.body == CHINA[start:stop]
    assert part.content_length == stop - start
    assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert part.headers["Content-Type"] == "image/jpeg"
    assert part.headers["ETag"] == ETAG


@pytest.mark.parametrize(
    "wanted",
    [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=1" + "0" * 18 + "-1" + "0" * 19],
)
def test_ranges_past_the_end(app, read_token, target, wanted):
    refused = get(app, read_token, target, 416, range=wanted)
    assert refused.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,5-6",
        "bytes=9-1",
        "bytes=1" + "0" * 19 + "-" + "9" * 19,
        "pixels=0-9",
        "bytes",
        "bytes=a-b",
        "bytes=--1",
        "bytes=-",
        "",
    ],
)
def test_other_ranges_are_ignored(app, read_token, target, wanted):
    assert get(app, read_token, target, 200, range=wanted).body == CHINA


@pytest.mark.parametrize("wanted", ["bytes=" + "9" * 5000 + "-", "bytes=0-" + "9" * 5000])
def test_numbers_that_nobody_reads_are_no_range(app, read_token, target, wanted):
    assert get(app, read_token, target, 200, range=wanted).body == CHINA


def test_if_range(app, read_token, target):
    good = get(app, read_token, target, 206, range="bytes=0-9", if_range=ETAG)
    assert good.body == CHINA[:10]
    for other in ('"other"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert get(app, read_token, target, 200, range="bytes=0-9", if_range=other).body == CHINA


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_it_can_only_be_read_and_replaced(app, write_token, target, method):
    refused = app.call(method, target.image, None, who=write_token, status=405)
    assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}


def test_a_missing_target_has_no_image(app, read_token, project, target):
    app.get(f"{project.targets}/{target.id + 1}/image", headers=read_token.headers, status=404)
