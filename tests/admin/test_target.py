"""Image targets in the panel: uploads, pictures, changes."""

import hashlib
import io
from urllib.parse import quote

import pytest
import webtest
from PIL import Image
from sqlalchemy import update

from ar_targets.admin import picture as showing
from ar_targets.admin import thumbnail
from ar_targets.images import drawing, process

from ..hostile.cost import cpu_of_children
from ..panel import Panel, exported, gallery, logged_in, names, row_form, shown_count, wrong
from ..pictures import CHINA, FLOWER, HEIGHT, WIDTH, drawn
from ..tables import target as targets
from ..tables import thumbnail as thumbnails

JSON = "application/json"
LIST = "/admin/target/"


def pictures_of(page):
    return [tag["src"] for tag in page.html.select("img.thumb")]


def upload(panel, project, *files, **options):
    sent = [("image", name, data) for name, data in files]
    return panel.send(f"{LIST}upload/{project.id}/", files=sent, **options)


def details(target):
    return f"{LIST}details/?id={target.id}"


def edit(target):
    return f"{LIST}edit/?id={target.id}"


def image_path(target, data=CHINA, kind="image"):
    return f"{LIST}{target.id}/{kind}/{hashlib.sha256(data).hexdigest()}.jpg"


def replace(panel, target, data=FLOWER, status=302, **fields):
    """Send the form of a target with another photograph."""
    files = [("image", "flower.jpg", data)]
    return panel.send(edit(target), files=files, active="y", **fields, status=status)


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
    small = Panel(make_app(image_max_bytes=len(FLOWER)).app)
    small.log_in()
    upload(small, project, ("flower.jpg", FLOWER), accept=JSON, status=201)
    response = upload(small, project, ("china.jpg", CHINA), accept=JSON, status=413)
    assert "larger than" in response.json["errors"][0]["description"]
    assert len(stage.rows(targets)) == 1


def test_no_file(panel, project):
    assert "Choose at least one" in panel.said(upload(panel, project, status=303))
    upload(panel, project, accept=JSON, status=400)


def test_a_text_is_no_file(panel, project, target):
    new = panel.send(f"{LIST}new/", project=str(project.id), image="a.jpg", status=400)
    assert wrong(new)["image"] == "choose a photograph"
    where, revision = f"{LIST}edit/?id={target.id}", {"revision": "1", "active": "y"}
    panel.send(where, name="gate", image="a.jpg", **revision, status=302)


def test_no_project(panel):
    panel.send(f"{LIST}upload/999999/", status=404)


def test_list_and_filter(panel, stage, project, other_project, target):
    stage.target(project, FLOWER, name="red flower")
    stage.target(other_project, FLOWER, name="100% red")
    stage.target(other_project, FLOWER, name="Red flower")
    everything = ["Red flower", "100% red", "red flower", "a gate"]
    assert names(panel.get(LIST)) == everything
    assert names(panel.get(f"{LIST}?sort=5")) == everything[::-1]
    starts = "flt1_name_begins_with="
    assert names(panel.get(f"{LIST}?{starts}RED")) == ["red flower", "Red flower"]
    assert names(panel.get(f"{LIST}?{starts}100%25")) == ["100% red"]
    assert names(panel.get(f"{LIST}?{starts}flower")) == []
    # A target without a name is called by its description, which no filter finds.
    assert names(panel.get(f"{LIST}?{starts}a%20gate")) == []
    mine = f"{LIST}?flt0_project_is=ZOO"
    assert names(panel.get(mine)) == ["red flower", "a gate"]
    assert names(panel.get(f"{mine}&{starts}r")) == ["red flower"]
    assert names(panel.get(f"{LIST}?flt0_project_is=nothing")) == []
    assert shown_count(panel.get(LIST)) == "4"


def test_names_are_found_as_the_api_compares_them(panel, stage, project):
    for name in ("Straße", "strasse 2", "STRAND", "stray", "str", "\U0001f600 face"):
        stage.target(project, name=name)

    def found(text):
        return names(panel.get(f"{LIST}?flt1_name_begins_with={quote(text)}"))

    assert found("stras") == ["Straße", "strasse 2"]
    assert found("STRAß") == ["Straße", "strasse 2"]
    assert found("\U0001f600") == ["\U0001f600 face"]


def test_what_others_see(app, stage, owner, project, other_project, target):
    shared = stage.project(stage.user("other"), "Shared")
    stage.target(shared, name="shared")
    stage.target(other_project, name="hidden")
    stage.share(shared, owner, "viewer")
    olga = logged_in(app, "olga")
    assert names(olga.get(LIST)) == ["shared", "a gate"]
    assert names(olga.get(f"{LIST}?flt1_name_begins_with=s")) == ["shared"]
    assert names(olga.get(f"{LIST}?flt1_name_begins_with=h")) == []
    assert names(olga.get(f"{LIST}?flt0_project_is=Museum")) == []
    assert shown_count(olga.get(LIST)) == "2"


def test_gallery(panel, stage, project, target):
    stage.target(project, FLOWER, name="flower")
    page = panel.get(LIST).click("Gallery")
    assert gallery(page) == ["flower", "a gate"]
    assert page.html.select("table") == []
    assert len(pictures_of(page)) == 2
    # The rows can be chosen there too, and the look stays where one filters or turns the page.
    boxes = page.html.select("[name=rowid][form=selection]")
    assert [box["value"] for box in boxes] == [str(target.id + 1), str(target.id)]
    assert page.html.select_one("form.tools [name=look]")["value"] == "gallery"
    narrowed = panel.get(f"{LIST}?look=gallery&flt0_project_is=Zoo&flt1_name_begins_with=f")
    assert gallery(narrowed) == ["flower"]
    table = narrowed.click("Table")
    assert names(table) == ["flower"]
    assert "look=gallery" in table.html.find("a", string="Gallery")["href"]


def test_photographs_are_dropped_into_a_project_of_ones_own(app, panel, project, viewer):
    narrowed = f"{LIST}?flt0_project_is=Zoo"
    for each in (panel, logged_in(app, "olga")):
        form = each.get(narrowed).html.select_one("[data-upload]")
        assert form["action"] == f"{LIST}upload/{project.id}/"
        assert each.get(LIST).html.select_one("[data-upload]") is None
    assert logged_in(app, "victor").get(narrowed).html.select_one("[data-upload]") is None


def test_targets_of_deleted_projects_are_not_shown(app, panel, project, owner, target):
    app.call("DELETE", project.path, who=owner, status=204)
    assert names(panel.get(LIST)) == []


def test_lists_show_small_pictures(panel, stage, project, target):
    page = panel.get(LIST)
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
    shown = panel.get(LIST)
    assert "Set-Cookie" in shown.headers
    (small,) = pictures_of(shown)
    assert "Set-Cookie" not in panel.get(small).headers
    assert "Set-Cookie" not in panel.get(image_path(target)).headers


def test_a_thumbnail_is_drawn_once(panel, stage, target, monkeypatch):
    (path,) = pictures_of(panel.get(LIST))
    first = panel.get(path).body
    assert len(stage.rows(thumbnails)) == 1
    monkeypatch.setattr(thumbnail, "PIXELS_MAX", 0)
    assert panel.get(path).body == first


def test_a_replaced_image_has_another_thumbnail(app, panel, stage, project, target):
    (old,) = pictures_of(panel.get(LIST))
    before = panel.get(old).body
    replace(panel, target, revision=1)
    panel.get(old, status=404)
    (new,) = pictures_of(panel.get(LIST))
    assert panel.get(new).body != before
    assert len(stage.rows(thumbnails)) == 1


def test_a_thumbnail_goes_with_its_target(panel, stage, target):
    panel.get(pictures_of(panel.get(LIST))[0])
    with stage.engine.begin() as db:
        db.execute(targets.delete())
    assert stage.rows(thumbnails) == []


def test_no_thumbnail_of_what_would_take_too_much_memory(panel, stage, target, monkeypatch):
    monkeypatch.setattr(thumbnail, "PIXELS_MAX", WIDTH * HEIGHT - 1)
    (path,) = pictures_of(panel.get(LIST))
    assert panel.get(path).content_type == "image/svg+xml"
    assert [row["picture"] for row in stage.rows(thumbnails)] == [b""]


def test_no_thumbnail_of_what_no_decoder_reads(panel, stage, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    (path,) = pictures_of(panel.get(LIST))
    for _ in range(2):
        response = panel.get(path)
        assert response.content_type == "image/svg+xml"
        assert "max-age=31536000" not in response.headers["Cache-Control"]
    assert [row["picture"] for row in stage.rows(thumbnails)] == [b""]


def test_what_cannot_be_drawn_is_tried_once(panel, stage, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    (path,) = pictures_of(panel.get(LIST))
    panel.get(path)
    cpu = cpu_of_children()
    for _ in range(3):
        assert panel.get(path).content_type == "image/svg+xml"
    assert cpu_of_children() == cpu


def test_what_fails_for_another_reason_is_tried_again(panel, stage, target):
    (path,) = pictures_of(panel.get(LIST))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.executable", "/nowhere")
        assert panel.get(path).content_type == "image/svg+xml"
    assert stage.rows(thumbnails) == []
    assert panel.get(path).content_type == "image/jpeg"


def test_another_image_is_another_chance(panel, stage, project, target):
    with stage.engine.begin() as db:
        db.execute(update(targets).values(image=b"nonsense"))
    panel.get(pictures_of(panel.get(LIST))[0])
    replace(panel, target, revision=1)
    (path,) = pictures_of(panel.get(LIST))
    assert panel.get(path).content_type == "image/jpeg"
    assert len(stage.rows(thumbnails)) == 1


def test_others_are_drawn_first(panel, stage, target):
    (path,) = pictures_of(panel.get(LIST))
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

    (path,) = pictures_of(panel.get(LIST))
    monkeypatch.setattr(showing, "draw", draw_meanwhile)
    panel.get(path, status=200)
    panel.get(path, status=404)
    assert stage.rows(thumbnails) == []


def test_facts_preview_and_download(panel, project, target):
    page = panel.get(details(target))
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


def test_a_new_target(app, panel, project, write_token):
    form = row_form(panel.get(f"{LIST}?flt0_project_is=Zoo").click("New target"))
    assert form["project"].value == "Zoo"
    form["name"], form["description"] = "Gate", "an old one"
    form["image"] = webtest.Upload("china.jpg", CHINA, "image/jpeg")
    page = form.submit(status=302).follow()
    assert page.html.h1.get_text() == "Gate"
    (shown,) = app.call("GET", project.targets, who=write_token).json["items"]
    assert (shown["name"], shown["description"]) == ("Gate", "an old one")
    assert app.call("GET", shown["image_url"], who=write_token).body == CHINA


@pytest.mark.parametrize(
    ("fields", "data", "at_fault"),
    [
        ({}, None, {"image"}),
        ({}, b"nonsense", {"image"}),
        ({"project": "Nothing"}, CHINA, {"project"}),
        ({"name": "x" * 256}, CHINA, {"name"}),
        ({"project": "", "name": "x" * 256, "description": "é" * 40_000}, None, None),
    ],
)
def test_new_targets_that_are_refused(panel, stage, project, fields, data, at_fault):
    files = None if data is None else [("image", "x.jpg", data)]
    typed = {"project": "Zoo", "name": "", "description": ""} | fields
    response = panel.send(f"{LIST}new/", **typed, files=files, status=400)
    assert wrong(response).keys() == (at_fault or {"project", "name", "description", "image"})
    assert row_form(response)["project"].value == typed["project"]
    assert stage.rows(targets) == []


def test_new_targets_that_are_refused_for_another_reason(
    make_app, app, stage, administrator, project, viewer
):
    stage.target(project, name="taken")
    flower, china = ([("image", "x.jpg", data)] for data in (FLOWER, CHINA))
    small = Panel(make_app(image_max_bytes=len(FLOWER)).app)
    small.log_in()
    path = f"{LIST}new/"
    taken = small.send(path, project="Zoo", name="TAKEN", files=flower, status=409)
    assert "another target has this name" in wrong(taken)["name"]
    large = small.send(path, project="Zoo", name="a", files=china, status=413)
    assert "larger than" in wrong(large)["image"]
    victor = logged_in(app, "victor")
    refused = victor.send(path, project="Zoo", name="a", files=flower, status=403)
    assert "only its owner and editors add targets" in wrong(refused)["project"]
    assert len(stage.rows(targets)) == 1


def test_edit(app, panel, project, target, write_token):
    panel.send(edit(target), **EDITED, revision=1, status=302)
    shown = app.call("GET", target.path, who=write_token)
    fields = {"name": "Gate", "description": "two\nlines", "physical_width": 0.5, "active": False}
    assert shown.json.items() >= fields.items()
    assert '"metadata":{"a": 1.0}' in shown.text
    form = row_form(panel.get(edit(target)))
    assert form["metadata"].value.strip() == '{"a": 1.0}'
    assert (form["name"].value, form["physical_width"].value) == ("Gate", "0.5")
    assert form["active"].checked is False
    empty = dict.fromkeys(EDITED, "")
    panel.send(edit(target), **empty, active="y", revision=2, status=302)
    shown = app.call("GET", target.path, who=write_token).json
    fields = {"name": None, "description": "", "physical_width": None, "active": True}
    assert shown.items() >= (fields | {"metadata": None}).items()


def test_an_unchanged_form_changes_nothing(app, panel, stage, project, write_token):
    fields = {"name": "Gate", "physical_width": 0.25, "metadata": '{"b": [1.50, "ü"]}'}
    target = stage.target(project, description=" two\nlines", **fields)
    before = app.call("GET", target.path, who=write_token)
    led = row_form(panel.get(edit(target))).submit(status=302)
    assert led.location == f"http://localhost{details(target)}"
    after = app.call("GET", target.path, who=write_token)
    kept = {key: value for key, value in after.json.items() if key != "updated_at"}
    assert before.json.items() >= kept.items()
    assert '"metadata":{"b": [1.50, "ü"]}' in after.text


def test_edits_that_are_refused(app, panel, project, stage, target, write_token):
    stage.target(project, name="taken")
    late = panel.send(edit(target), **EDITED, revision=7, status=409)
    assert "changed meanwhile" in wrong(late)[""]
    taken = panel.send(edit(target), **EDITED | {"name": "TAKEN"}, status=409)
    assert "another target has this name" in wrong(taken)["name"]
    # What was typed stays.
    assert row_form(taken)["description"].value.split() == ["two", "lines"]
    for field, text in {"physical_width": "wide", "metadata": "{", "name": " "}.items():
        response = panel.send(edit(target), **EDITED | {field: text}, status=400)
        assert wrong(response).keys() == {field}
    told = app.call(
        "PATCH", target.path, {"description": "é" * 40_000}, who=write_token, status=400
    )
    response = panel.send(edit(target), **EDITED | {"description": "é" * 40_000}, status=400)
    assert wrong(response)["description"] == told.json["errors"][0]["description"]


def test_a_form_that_somebody_else_was_faster_with(panel, stage, target):
    first, late = (row_form(panel.get(edit(target))) for _ in range(2))
    first["name"], late["name"] = "first", "late"
    first.submit(status=302)
    refused = late.submit(status=409)
    assert "changed meanwhile" in wrong(refused)[""]
    assert row_form(refused)["name"].value == "late"
    assert stage.rows(targets)[0]["name"] == "first"


def test_large_metadata_is_left_alone(app, panel, project, stage, write_token):
    text = '"' + "x" * 70_000 + '"'
    target = stage.target(project, metadata=text)
    assert "metadata" not in row_form(panel.get(edit(target))).fields
    sent = {name: text for name, text in EDITED.items() if name != "metadata"}
    panel.send(edit(target), **sent, status=302)
    shown = app.call("GET", target.path, who=write_token).json
    assert (shown["name"], len(shown["metadata"])) == ("Gate", 70_000)
    # Not even by a form that has it.
    panel.send(edit(target), **EDITED, status=302)
    assert len(app.call("GET", target.path, who=write_token).json["metadata"]) == 70_000


def test_a_target_has_the_name_of_its_file(panel, project, stage):
    files = [("a/Gate.jpeg", CHINA), ("gate.jpg", FLOWER), (" .jpg", FLOWER), ("x" * 300, CHINA)]
    said = panel.said(upload(panel, project, *files, status=303))
    assert "gate.jpg: name: another target has this name" in said
    assert [row["name"] for row in stage.rows(targets)] == ["Gate", None, "x" * 255]
    refused = upload(panel, project, ("GATE.jpg", CHINA), accept=JSON, status=409)
    assert refused.json["errors"][0]["name"] == "name"
    assert "Gate" in names(panel.get(f"{LIST}?flt0_project_is=Zoo"))
    assert "Gate" in names(panel.get(f"{LIST}?flt1_name_begins_with=gat"))


def test_replace(app, panel, project, target, write_token):
    bad = replace(panel, target, drawn("PNG"), status=400)
    assert "whole JPEG" in wrong(bad)["image"]
    # All that is wrong is said at once.
    both = replace(panel, target, drawn("PNG"), physical_width="wide", status=400)
    assert wrong(both).keys() == {"image", "physical_width"}
    replace(panel, target, revision=1)
    assert app.call("GET", target.image, who=write_token).body == FLOWER
    late = replace(panel, target, revision=1, status=409)
    assert "changed meanwhile" in wrong(late)[""]


def test_replace_with_what_is_too_large(make_app, administrator, target):
    small = Panel(make_app(image_max_bytes=len(FLOWER)).app)
    small.log_in()
    assert "larger than" in wrong(replace(small, target, CHINA, status=413))["image"]
    replace(small, target, FLOWER)


def test_delete(app, panel, project, target, write_token):
    response = panel.act("target", "delete", target.id)
    assert "a gate: in the trash." in panel.said(response)
    app.call("GET", target.path, who=write_token, status=404)
    for page in (details(target), edit(target)):
        assert "does not exist" in panel.said(panel.get(page, status=302))
    panel.get(image_path(target), status=404)


def test_delete_several_and_take_it_back(app, panel, stage, project, target, write_token):
    second, kept = stage.target(project, name="second"), stage.target(project, name="kept")
    back = f"{LIST}?flt0_project_is=Zoo&look=gallery"
    page = panel.act("target", "delete", target.id, second.id, url=back).follow()
    assert gallery(page) == ["kept"]
    assert "2 targets: in the trash." in page.html.select_one("form.message").get_text()
    undo = next(form for form in page.forms.values() if "/trash/target/action/" in form.action)
    restored = undo.submit("action", status=302)
    # One is where one was.
    assert restored.location == f"http://localhost{back}"
    assert gallery(restored.follow()) == ["kept", "second", "a gate"]
    for one in (target, second, kept):
        app.call("GET", one.path, who=write_token, status=200)


def test_the_button_on_its_page_leads_to_the_list_of_its_project(panel, target):
    page = panel.get(details(target))
    form = next(form for form in page.forms.values() if form.action == f"{LIST}action/")
    led = form.submit("action", status=302)
    assert led.location == f"http://localhost{LIST}?flt0_project_is=Zoo"


def move(panel, name, *ids, status=303):
    pairs = [("csrf_token", panel.csrf()), ("project", name)]
    pairs += [("rowid", str(row_id)) for row_id in ids]
    return panel.post(f"{LIST}move/", pairs, status=status)


def test_move(app, panel, stage, project, other_project, target, write_token, other_token):
    second = stage.target(project, name="second")
    page = panel.act("target", "move", target.id, second.id, status=200)
    form = next(form for form in page.forms.values() if form.action == f"{LIST}move/")
    form["project"] = "museum"
    response = form.submit(status=303)
    said = panel.said(response)
    assert "2 moved to museum." in said
    assert names(response.follow()) == ["second", "a gate"]
    app.call("GET", target.path, who=write_token, status=404)
    path = f"{other_project.targets}/{target.id}"
    assert app.call("GET", path, who=other_token).json["description"] == "a gate"
    assert [row["project_id"] for row in stage.rows(targets)] == [other_project.id] * 2


def test_moves_that_are_refused(panel, stage, project, other_project, target):
    stage.target(other_project, name="taken")
    taken = stage.target(project, name="Taken")
    nothing = move(panel, "Nothing", target.id, status=400)
    assert "there is no project with this name" in wrong(nothing)["project"]
    # The rows are still chosen.
    assert nothing.html.select_one("[name=rowid]")["value"] == str(target.id)
    said = panel.said(move(panel, "Museum", taken.id, target.id))
    assert "Taken: name: another target has this name" in said
    assert "1 moved to Museum." in said
    assert panel.said(move(panel, "Museum")) == ""
    assert "Nothing was chosen." in panel.act("target", "move", status=200)


def test_others_move_between_projects_that_they_write(app, stage, owner, stranger, project):
    edited, seen = stage.project(stranger, "Edited"), stage.project(stranger, "Seen")
    stage.share(edited, owner, "editor")
    stage.share(seen, owner, "viewer")
    own, foreign = stage.target(project, name="own"), stage.target(seen, name="foreign")
    olga = logged_in(app, "olga")
    refused = move(olga, "Seen", own.id, status=403)
    assert "only its owner and editors add targets" in wrong(refused)["project"]
    said = olga.said(move(olga, "Edited", own.id, foreign.id))
    assert "foreign: only the owner and editors of its project move it" in said
    assert "1 moved to Edited." in said
    assert [row["project_id"] for row in stage.rows(targets)] == [edited.id, seen.id]


def test_viewers_change_nothing(app, stage, project, target, viewer):
    victor = logged_in(app, "victor")
    page = victor.get(details(target))
    assert "Edit" not in [tag.get_text() for tag in page.html.select("a.button")]
    assert "Delete target" not in page
    victor.get(edit(target), status=403)
    replace(victor, target, status=403)
    upload(victor, project, ("x.jpg", FLOWER), accept=JSON, status=403)
    said = victor.said(victor.act("target", "delete", target.id))
    assert "only the owner and editors of its project delete it" in said
    (row,) = stage.rows(targets)
    assert (row["revision"], row["deleted_at"]) == (1, None)


def test_editors_change_it(app, stage, project, target, editor, write_token):
    edith = logged_in(app, "edith")
    replace(edith, target, name="Gate")
    assert app.call("GET", target.image, who=write_token).body == FLOWER
    upload(edith, project, ("x.jpg", CHINA), accept=JSON, status=201)
    assert "Gate: in the trash." in edith.said(edith.act("target", "delete", target.id))


def test_a_stranger_sees_nothing_of_it(app, stranger, project, target):
    stefan = logged_in(app, "stefan")
    for page in (details(target), edit(target)):
        assert "does not exist" in stefan.said(stefan.get(page, status=302))
    for kind in ("image", "thumbnail"):
        stefan.get(image_path(target, kind=kind), status=404)
    upload(stefan, project, ("x.jpg", CHINA), accept=JSON, status=404)


def test_a_picture_is_that_of_its_checksum(panel, target):
    for kind in ("image", "thumbnail"):
        panel.get(image_path(target, kind=kind), status=200)
        panel.get(image_path(target, FLOWER, kind), status=404)
    whole = panel.get(image_path(target))
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Content-Disposition" not in whole.headers
    seen = {"If-None-Match": whole.headers["ETag"]}
    assert panel.get(image_path(target), headers=seen, status=304).body == b""


def test_export(panel, stage, project):
    stage.target(project, name="Gate", physical_width=0.5, description="two\nlines")
    (row,) = exported(panel.get(f"{LIST}export/csv/?flt0_project_is=Zoo"))
    assert (row["Project"], row["Name"], row["Description"]) == ("Zoo", "Gate", "two\nlines")
    assert (row["Width"], row["Height"]) == (str(WIDTH), str(HEIGHT))
    assert (row["Size"], row["Sha256"]) == (str(len(CHINA)), hashlib.sha256(CHINA).hexdigest())
    assert (row["Physical Width"], row["Active"]) == ("0.5", "True")
