"""A picture that is checked, on its page and at the drop zone: nothing is stored."""

import base64
import io

import pytest
from PIL import Image

from ar_targets.models.target import Target

from ..judged import judge
from ..panel import Panel, logged_in
from ..pictures import CHINA, FLOWER, drawn
from ..ports import free_port
from ..tables import target as targets
from ..vision_server.conftest import analysed, server, store
from ..vision_server.pictures import GATE, SMALL_GATE
from ..vision_server.process import VISION_KEY
from .test_analysis import details

__all__ = ["analysed", "server", "store"]

PAGE = "/admin/check/"
# As a JPEG of one colour.
PLAIN = drawn(size=(400, 300))


@pytest.fixture
def seeing(make_app, server, administrator):
    """``ada``, logged in where pictures are examined."""
    made = Panel(make_app(vision_url=server.url, vision_key=VISION_KEY, vision_timeout=60).app)
    made.log_in()
    return made


@pytest.fixture
def blind(make_app, administrator):
    """``ada``, where the server that examines pictures is away."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    made = Panel(make_app(vision_url=nowhere, vision_key=VISION_KEY).app)
    made.log_in()
    return made


def check(panel, data, project="Zoo", **options):
    """By the page's form."""
    return panel.send(PAGE, files=[("image", "a.jpg", data)], project=project, **options)


def before_upload(panel, project, data, **options):
    """By the script of the drop zone."""
    sent = [("image", "a.jpg", data)]
    return panel.send(f"{PAGE}{project.id}/", files=sent, accept="application/json", **options)


def told(page):
    """What a page tells of a picture."""
    return page.html.select_one("#result .card:has(dl)").get_text(" ", strip=True)


def test_the_page(seeing, stage, project, analysed):
    known = analysed(project, SMALL_GATE, name="gate")
    judge(stage, known)
    before = stage.rows(targets)
    form = seeing.get(f"{PAGE}?project=Zoo").forms
    assert next(one for one in form.values() if "project" in one.fields)["project"].value == "Zoo"
    page = check(seeing, GATE)
    assert "A camera may take it for another target." in told(page)
    (similar,) = page.html.select("#result .rows li")
    assert similar.a["href"] == details(known)
    assert similar.a.text == "gate"
    layer = page.html.select_one("#result image.heat")
    heat = Image.open(io.BytesIO(base64.b64decode(layer["data-png"])))
    assert (heat.format, heat.mode) == ("PNG", "P")
    assert stage.rows(targets) == before
    # Another photograph resembles nothing.
    page = check(seeing, FLOWER)
    assert page.html.select("#result .message") == []
    assert page.html.select("#result .rows li") == []


def test_a_weak_picture(seeing, project):
    page = check(seeing, PLAIN)
    assert "It would be a weak target." in told(page)
    assert "0 of 5" in told(page)
    assert page.html.select(".problems .badge.error")


def test_what_is_asked_for(seeing, project):
    def said(page):
        return [tag.text for tag in page.html.select("#result .message")]

    assert said(check(seeing, drawn("PNG"), status=400)) == [
        "Image: it must be a whole JPEG, but it is not a JPEG but a PNG"
    ]
    assert said(check(seeing, CHINA, project="nowhere", status=400)) == [
        "Project: there is no project with this name"
    ]
    page = seeing.send(PAGE, project="Zoo", status=400)
    assert said(page) == ["Image: choose a photograph"]
    before_upload(seeing, project, drawn("PNG"), status=400)
    seeing.send(f"{PAGE}999999/", status=404)


def test_the_drop_zone_asks(seeing, stage, project, analysed):
    page = f"/admin/project/details/?id={project.id}"
    assert seeing.get(page).html.select_one(".drop")["data-check"] == f"{PAGE}{project.id}/"
    assert before_upload(seeing, project, FLOWER).json == {
        "warning": "",
        "reasons": [],
        "similar": [],
    }
    plain = before_upload(seeing, project, PLAIN).json
    assert plain["warning"] == "It would be a weak target."
    assert plain["reasons"][0] == "It has 0 of 5 stars."
    assert len(plain["reasons"]) > 1
    known = analysed(project, SMALL_GATE, name="gate")
    judge(stage, known)
    alike = before_upload(seeing, project, GATE).json
    (similar,) = alike["similar"]
    assert alike["warning"] == "A camera may take it for another target."
    assert (similar["name"], similar["url"]) == ("gate", details(known))
    assert similar["similarity"] > 0.9
    stage.delete(Target, known.id)
    assert before_upload(seeing, project, GATE).json["warning"] == ""
    assert len(stage.rows(targets)) == 1


def test_the_server_is_away(blind, stage, project):
    page = check(blind, CHINA, status=503)
    message = page.html.select_one("#result .message").text
    assert message == "the server that examines pictures cannot be reached; try again later"
    assert before_upload(blind, project, CHINA, status=200).json == {"unknown": message}
    sent = [("image", "a.jpg", CHINA)]
    path = f"/admin/target/upload/{project.id}/"
    blind.send(path, files=sent, accept="application/json", status=201)
    assert len(stage.rows(targets)) == 1


def test_without_a_server(make_app, administrator, project):
    panel = Panel(make_app(vision_url="").app)
    panel.log_in()
    page = panel.get(PAGE)
    assert "Pictures are not examined here" in page.text
    assert page.html.select("[type=file]") == []
    drop = panel.get(f"/admin/project/details/?id={project.id}").html.select_one(".drop")
    assert "data-check" not in drop.attrs


@pytest.mark.parametrize("login", ["victor", "edith", "olga"])
def test_who_sees_the_project_may_ask(seeing, stage, project, editor, viewer, owner, login):
    caller = Panel(seeing.app)
    caller.log_in(login)
    assert "of 5" in told(check(caller, FLOWER))
    assert before_upload(caller, project, FLOWER).json["warning"] == ""


@pytest.mark.parametrize("login", ["fritz", "stefan"])
def test_others_may_not(app, project, former, stranger, login):
    caller = logged_in(app, login)
    page = check(caller, CHINA, status=400)
    assert "there is no project with this name" in page.text
    before_upload(caller, project, CHINA, status=404)
