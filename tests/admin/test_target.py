"""Image targets in the panel: uploads, pictures, changes."""

import hashlib
import io

import pytest
from PIL import Image
from sqlalchemy import update

from ar_targets.admin import picture as showing
from ar_targets.admin import thumbnail
from ar_targets.images import drawing, process

from ..hostile.cost import cpu_of_children
from ..panel import names, wrong
from ..pictures import CHINA, FLOWER, HEIGHT, WIDTH, drawn
from ..tables import target as targets
from ..tables import thumbnail as thumbnails

JSON = "application/json"


def pictures_of(page):
    return [tag["src"] for tag in page.html.select("img.thumb")]


def upload(panel, project, *files, **options):
    sent = [("image", name, data) for name, data in files]
    return panel.send(f"/admin/target/{project.id}/upload/", files=sent, **options)


def test_upload_one_by_the_script(app, panel, project, stage, write_token):
    response = upload(panel, project, ("china.jpg", CHINA), accept=JSON, status=201)
    (row,) = stage.rows(targets)
    assert row["image"] == CHINA
    assert row["sha256"] == hashlib.sha256(CHINA).hexdigest()
    assert (row["width"], row["height"], row["size"]) == (WIDTH, HEIGHT, len(CHINA))
    panel.get(response.json["url"], status=200)
    assert panel.get(response.json["thumbnail"]).content_type == "image/jpeg"
    path = f"{project.targets}/{row['id']}/image"
    assert app.call("GET", path, who=write_token).body == CHINA


def test_upload_several_without_the_script(panel, project, stage):
    files = [("a.jpg", CHINA), ("b.png", drawn("PNG")), ("c.jpg", FLOWER)]
    said = panel.said(upload(panel, project, *files, status=303))
    assert "a.jpg: stored." in said
    assert "c.jpg: stored." in said
    assert "b.png: image: it must be a whole JPEG" in said
    assert [row["image"] for row in stage.rows(targets)] == [CHINA, FLOWER]


@pytest.mark.parametrize("data", [b"", drawn("PNG"), CHINA[:-100]], ids=["empty", "PNG", "cut"])
def test_refused_in_the_words_of_the_api(app, panel, project, stage, write_token, data):
    from ..pictures import base64_of

    told = app.call(
        "POST", project.targets, {"image": base64_of(data)}, who=write_token, status=400
    )
    response = upload(panel, project, ("x.jpg", data), accept=JSON, status=400)
    assert response.json == told.json
    assert stage.rows(targets) == []


def test_too_large(make_app, panel, project, stage):
    from ..panel import Panel

    small = Panel(make_app(image_max_bytes=len(FLOWER)).app)
    small.log_in()
    upload(small, project, ("flower.jpg", FLOWER), accept=JSON, status=201)
    response = upload(small, project, ("china.jpg", CHINA), accept=JSON, status=413)
    assert "larger than" in response.json["errors"][0]["description"]
    assert len(stage.rows(targets)) == 1


def test_no_file(panel, project):
    assert "Choose at least one" in panel.said(upload(panel, project, status=303))
    upload(panel, project, accept=JSON, status=400)


def test_no_project(panel):
    panel.send("/admin/target/999999/upload/", status=404)


def test_list_and_search(panel, stage, project, other_project, target):
    stage.target(project, FLOWER, "a red flower")
    stage.target(other_project, FLOWER, "another flower, 100%")
    list_ = "/admin/target/"
    assert names(panel.get(list_)) == ["another flower, 100%", "a red flower", "a gate"]
    assert names(panel.get(f"{list_}?q=flower")) == ["another flower, 100%", "a red flower"]
    assert names(panel.get(f"{list_}?q=0%25")) == ["another flower, 100%"]
    mine = f"{list_}?project={project.id}"
    assert names(panel.get(mine)) == ["a red flower", "a gate"]
    assert names(panel.get(f"{mine}&q=GATE")) == ["a gate"]
    assert "Search" in panel.get(f"{mine}&q=nothing")


def test_targets_of_deleted_projects_are_not_shown(app, panel, project, owner, target):
    app.call("DELETE", project.path, who=owner, status=204)
    assert names(panel.get("/admin/target/")) == []


def test_lists_show_small_pictures(panel, stage, project, target):
    page = panel.get("/admin/target/")
    (path,) = pictures_of(page)
    assert "/image/" not in page
    response = panel.get(path)
    assert len(response.body) < len(CHINA) / 10
    picture = Image.open(io.BytesIO(response.body))
    assert picture.format == "JPEG"
    assert max(picture.size) <= drawing.EDGE
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    again = panel.get(path, headers={"If-None-Match": response.headers["ETag"]}, status=304)
    assert again.body == b""


def test_a_picture_brings_no_cookie(panel, project, target):
    """It may be answered after a form, whose message an older cookie would undo."""
    shown = panel.get("/admin/target/")
    assert "Set-Cookie" in shown.headers
    (small,) = pictures_of(shown)
    assert "Set-Cookie" not in panel.get(small).headers
    large = f"/admin/target/{project.id}/{target.id}/image/"
    assert "Set-Cookie" not in panel.get(large + small.split("/")[-1]).headers


def test_a_thumbnail_is_drawn_once(panel, stage, target, monkeypatch):
    (path,) = pictures_of(panel.get("/admin/target/"))
    first = panel.get(path).body
    assert len(stage.rows(thumbnails)) == 1
    monkeypatch.setattr(thumbnail, "PIXELS_MAX", 0)
    assert panel.get(path).body == first


def test_a_replaced_image_has_another_thumbnail(app, panel, stage, project, target):
    (old,) = pictures_of(panel.get("/admin/target/"))
    before = panel.get(old).body
    path = f"/admin/target/{project.id}/{target.id}"
    panel.send(f"{path}/replace/", files=[("image", "flower.jpg", FLOWER)], revision=1, status=303)
    panel.get(old, status=404)
    (new,) = pictures_of(panel.get("/admin/target/"))
    assert panel.get(new).body != before
    assert len(stage.rows(thumbnails)) == 1


def test_a_thumbnail_goes_with_its_target(panel, stage, target):
    panel.get(pictures_of(panel.get("/admin/target/"))[0])
    with stage.engine.begin() as db:
        db.execute(targets.delete())
    assert stage.rows(thumbnails) == []


def test_no_thumbnail_of_what_would_take_too_much_memory(panel, stage, target, monkeypatch):
    monkeypatch.setattr(thumbnail, "PIXELS_MAX", WIDTH * HEIGHT - 1)
    (path,) = pictures_of(panel.get("/admin/target/"))
    assert panel.get(path).content_type == "image/svg+xml"
    assert [row["picture"] for row in stage.rows(thumbnails)] == [b""]


def test_no_thumbnail_of_what_no_decoder_reads(panel, stage, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    (path,) = pictures_of(panel.get("/admin/target/"))
    for _ in range(2):
        response = panel.get(path)
        assert response.content_type == "image/svg+xml"
        assert "max-age=31536000" not in response.headers["Cache-Control"]
    assert [row["picture"] for row in stage.rows(thumbnails)] == [b""]


def test_what_cannot_be_drawn_is_tried_once(panel, stage, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    (path,) = pictures_of(panel.get("/admin/target/"))
    panel.get(path)
    cpu = cpu_of_children()
    for _ in range(3):
        assert panel.get(path).content_type == "image/svg+xml"
    assert cpu_of_children() == cpu


def test_what_fails_for_another_reason_is_tried_again(panel, stage, target):
    (path,) = pictures_of(panel.get("/admin/target/"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.executable", "/nowhere")
        assert panel.get(path).content_type == "image/svg+xml"
    assert stage.rows(thumbnails) == []
    assert panel.get(path).content_type == "image/jpeg"


def test_another_image_is_another_chance(panel, stage, project, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    panel.get(pictures_of(panel.get("/admin/target/"))[0])
    path = f"/admin/target/{project.id}/{target.id}"
    panel.send(f"{path}/replace/", files=[("image", "flower.jpg", FLOWER)], revision=1, status=303)
    (path,) = pictures_of(panel.get("/admin/target/"))
    assert panel.get(path).content_type == "image/jpeg"
    assert len(stage.rows(thumbnails)) == 1


def test_others_are_drawn_first(panel, stage, target):
    (path,) = pictures_of(panel.get("/admin/target/"))
    with process.turn():
        response = panel.get(path, status=202)
    assert response.body == b""
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Cache-Control"] == "no-store"
    assert stage.rows(thumbnails) == []
    assert panel.get(path, status=200).content_type == "image/jpeg"


def test_a_target_that_is_removed_while_its_thumbnail_is_drawn(panel, stage, target, monkeypatch):
    draw = thumbnail.draw

    def draw_meanwhile(record, read):
        picture = draw(record, read)
        with stage.engine.begin() as db:
            db.execute(targets.delete())
        return picture

    (path,) = pictures_of(panel.get("/admin/target/"))
    monkeypatch.setattr(showing, "draw", draw_meanwhile)
    panel.get(path, status=200)
    panel.get(path, status=404)
    assert stage.rows(thumbnails) == []


def test_facts_preview_and_download(panel, project, target):
    page = panel.get(f"/admin/target/{project.id}/{target.id}/")
    assert f"{WIDTH} × {HEIGHT} pixels" in page
    assert hashlib.sha256(CHINA).hexdigest() in page
    preview = page.html.select_one(".preview img")
    assert preview["alt"] == "a gate"
    assert panel.get(preview["src"]).body == CHINA
    saved = page.click("Download")
    assert saved.body == CHINA
    assert (
        saved.headers["Content-Disposition"]
        == f'attachment; filename="imagetarget-{target.id}.jpg"'
    )


EDITED = {
    "name": "Gate",
    "description": "two\r\nlines",
    "physical_width": "0.5",
    "metadata": '{"a": 1.0}',
}


def test_edit(app, panel, project, target, write_token):
    path = f"/admin/target/{project.id}/{target.id}/edit/"
    panel.send(path, **EDITED, revision=1, status=303)
    shown = app.call("GET", target.path, who=write_token)
    fields = {"name": "Gate", "description": "two\nlines", "physical_width": 0.5, "active": False}
    assert shown.json.items() >= fields.items()
    assert '"metadata":{"a": 1.0}' in shown.text
    form = panel.get(f"/admin/target/{project.id}/{target.id}/").html
    assert form.select_one("#field-metadata").get_text().strip() == '{"a": 1.0}'
    assert form.select_one("#field-name")["value"] == "Gate"
    empty = dict.fromkeys(EDITED, "")
    panel.send(path, **empty, active="true", revision=2, status=303)
    shown = app.call("GET", target.path, who=write_token).json
    fields = {"name": None, "description": "", "physical_width": None, "active": True}
    assert shown.items() >= (fields | {"metadata": None}).items()


def test_edits_that_are_refused(app, panel, project, stage, target, write_token):
    stage.target(project, name="taken")
    path = f"/admin/target/{project.id}/{target.id}/edit/"
    late = panel.send(path, **EDITED, revision=7, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    taken = panel.send(path, **EDITED | {"name": "TAKEN"}, status=409)
    assert "another target has this name" in wrong(taken)["name"]
    # What was typed stays.
    assert taken.html.select_one("#field-description").get_text().split() == ["two", "lines"]
    for field, text in {"physical_width": "wide", "metadata": "{", "name": " "}.items():
        response = panel.send(path, **EDITED | {field: text}, status=400)
        assert wrong(response).keys() == {field}
    told = app.call(
        "PATCH", target.path, {"description": "é" * 40_000}, who=write_token, status=400
    )
    response = panel.send(path, **EDITED | {"description": "é" * 40_000}, status=400)
    assert wrong(response)["description"] == told.json["errors"][0]["description"]


def test_large_metadata_is_left_alone(app, panel, project, stage, write_token):
    text = '"' + "x" * 70_000 + '"'
    target = stage.target(project, metadata=text)
    page = panel.get(f"/admin/target/{project.id}/{target.id}/").html
    assert page.select_one("#field-metadata") is None
    sent = {name: text for name, text in EDITED.items() if name != "metadata"}
    panel.send(f"/admin/target/{project.id}/{target.id}/edit/", **sent, status=303)
    shown = app.call("GET", target.path, who=write_token).json
    assert (shown["name"], len(shown["metadata"])) == ("Gate", 70_000)


def test_a_target_has_the_name_of_its_file(panel, project, stage):
    files = [("a/Gate.jpeg", CHINA), ("gate.jpg", FLOWER), (" .jpg", FLOWER), ("x" * 300, CHINA)]
    said = panel.said(upload(panel, project, *files, status=303))
    assert "gate.jpg: name: another target has this name" in said
    assert [row["name"] for row in stage.rows(targets)] == ["Gate", None, "x" * 255]
    refused = upload(panel, project, ("GATE.jpg", CHINA), accept=JSON, status=409)
    assert refused.json["errors"][0]["name"] == "name"
    listed = panel.get(f"/admin/target/?project={project.id}")
    assert "Gate" in names(listed)
    assert "Gate" in names(panel.get("/admin/target/?q=gat"))


def test_replace(app, panel, project, target, write_token):
    path = f"/admin/target/{project.id}/{target.id}/replace/"
    flower = [("image", "flower.jpg", FLOWER)]
    assert wrong(panel.send(path, status=400))["image"] == "choose a photograph"
    bad = panel.send(path, files=[("image", "x.jpg", drawn("PNG"))], status=400)
    assert "whole JPEG" in wrong(bad)["image"]
    panel.send(path, files=flower, revision=1, status=303)
    assert app.call("GET", target.image, who=write_token).body == FLOWER
    late = panel.send(path, files=flower, revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]


def test_delete(app, panel, project, target, write_token):
    path = f"/admin/target/{project.id}/{target.id}/delete/"
    late = panel.send(path, revision=7, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    panel.send(path, revision=1, status=303)
    app.call("GET", target.path, who=write_token, status=404)


def test_a_target_belongs_to_its_project(panel, other_project, target):
    panel.get(f"/admin/target/{other_project.id}/{target.id}/", status=404)
