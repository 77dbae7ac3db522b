"""What the panel tells of a picture that has been examined, and the filter by that."""

import hashlib
import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import delete, update

from ar_targets import clock
from ar_targets.images.heatmap import COLD, HOT, coloured
from ar_targets.models.backlog import BEHIND
from ar_targets.models.target import Target

from ..judged import BLURRED, FLAT, SMALL, fail, heatmap, judge, resemble
from ..panel import exported, gallery, logged_in, names
from ..pictures import CHINA, FLOWER, drawn
from ..tables import analysis as analyses
from .test_dashboard import facts

LIST = "/admin/target/"


def details(target):
    return f"{LIST}details/?id={target.id}"


def heatmap_path(target, data=CHINA):
    return f"{LIST}{target.id}/heatmap/{hashlib.sha256(data).hexdigest()}.png"


def card(page):
    """What a target's page tells of its picture."""
    return next(tag for tag in page.html.select(".card") if tag.h2 and tag.h2.text == "As a target")


def verdicts(page):
    """What a list tells of each row's picture: stars by their text alternative."""
    found = []
    for cell in page.html.select("td[data-label=Rating], .verdict"):
        stars = cell.select_one("[role=img]")
        told = f"{stars['aria-label']} " if stars else ""
        rest = cell.get_text(" ", strip=True).lstrip("★☆ ")
        found.append((told + rest).strip())
    return found


@pytest.fixture
def three(stage, project):
    """A weak target, one that cannot be examined, and a good one."""
    made = [stage.target(project, name=name) for name in ("weak", "broken", "good")]
    judge(stage, made[0], 1, BLURRED, FLAT, SMALL)
    fail(stage, made[1])
    judge(stage, made[2], 5)
    return made


def test_every_list_has_stars(panel, three, target, project):
    told = [
        "pending",
        "5 of 5 stars",
        "failed",
        "1 of 5 stars 1 error, 1 warning",
    ]
    assert verdicts(panel.get(LIST)) == told
    page = panel.get(f"{LIST}?look=gallery")
    assert verdicts(page) == told
    assert gallery(page) == ["a gate", "good", "broken", "weak"]
    assert verdicts(panel.get(f"/admin/project/details/?id={project.id}")) == told


def test_the_page_of_a_target(panel, stage, three, project, other_project):
    weak, _, good = three
    gone, stranger = stage.target(project, name="gone"), stage.target(other_project, name="far")
    for other in (gone, stranger):
        judge(stage, other)
    resemble(stage, weak, (good, 0.914), (gone, 0.99), (stranger, 0.99))
    stage.delete(Target, gone.id)
    page = panel.get(details(weak))
    told = facts(page, "As a target")
    assert told == {"Rating": "★☆☆☆☆ 1 of 5", "Trackability": "20 of 100", "Features": "300"}
    problems = [tag.get_text(" ", strip=True) for tag in page.html.select(".problems li > p")]
    assert problems == [
        "error The picture is blurred. Show where problem 1 is",
        "Take a sharp one.",
        "warning Much of it is flat.",
        "Fill it.",
        "info It is small.",
        "Send a larger one.",
    ]
    assert [tag["data-area"] for tag in page.html.select("[data-area]")] == ["10 20 30 40"]
    (similar,) = card(page).select(".rows li")
    assert similar.get_text(" ", strip=True) == "good 91 % similar"
    assert similar.a["href"] == details(good)


def test_a_page_without_a_result(panel, three, target):
    assert "It is not examined yet." in card(panel.get(details(target))).text
    told = card(panel.get(details(three[1]))).get_text(" ", strip=True)
    assert told.startswith("As a target failed It cannot be read. Send another one.")
    for one in (target, three[1]):
        assert panel.get(details(one)).html.select(".overlay") == []


def test_the_heatmap(panel, stage, target, project):
    panel.get(heatmap_path(target), status=404)
    judge(stage, target)
    (layer,) = panel.get(details(target)).html.select(".overlay image")
    assert layer["href"] == heatmap_path(target)
    response = panel.get(layer["href"])
    assert response.content_type == "image/png"
    picture = Image.open(io.BytesIO(response.body)).convert("RGBA")
    assert picture.size == (64, 43)
    left, right = picture.getpixel((0, 20)), picture.getpixel((63, 20))
    assert sum(left[:3]) < sum(right[:3])
    assert left[3] > right[3]
    known = {"If-None-Match": response.headers["ETag"]}
    panel.get(layer["href"], headers=known, status=304)
    judge(stage, target, heatmap=heatmap((32, 21)))
    assert Image.open(io.BytesIO(panel.get(layer["href"], headers=known).body)).size == (32, 21)
    panel.get(heatmap_path(target, FLOWER), status=404)


def test_a_heatmap_in_colours():
    """Each level of grey keeps its pixels; the levels at the ends have the colours at the ends."""
    grey = Image.new("L", (256, 1))
    grey.putdata(range(256))
    file = io.BytesIO()
    grey.save(file, "PNG")
    picture = Image.open(io.BytesIO(coloured(file.getvalue()))).convert("RGBA")
    colours = [picture.getpixel((x, 0)) for x in range(256)]
    assert colours[0] == COLD
    assert all(abs(a - b) <= 2 for a, b in zip(colours[255], HOT, strict=True))
    light = [sum(colour[:3]) for colour in colours]
    assert light == sorted(light)


@pytest.mark.parametrize(
    "data",
    [b"", drawn(), drawn("PNG"), heatmap()[:20], b"x" + heatmap()],
    ids=["empty", "JPEG", "colours", "cut", "shifted"],
)
def test_what_is_no_heatmap(data):
    with pytest.raises(ValueError, match="it is no"):
        coloured(data)


def test_a_replaced_picture_is_not_examined_yet(panel, stage, target):
    judge(stage, target)
    files = [("image", "flower.jpg", FLOWER)]
    panel.send(f"{LIST}edit/?id={target.id}", files=files, active="y", revision="1", status=302)
    assert verdicts(panel.get(LIST)) == ["pending"]
    assert "It is not examined yet." in card(panel.get(details(target))).text
    panel.get(heatmap_path(target, FLOWER), status=404)


def test_a_target_of_an_older_server_is_not_examined_yet(panel, stage, target):
    with stage.engine.begin() as connection:
        connection.execute(delete(analyses))
    assert verdicts(panel.get(LIST)) == ["pending"]
    assert "It is not examined yet." in card(panel.get(details(target))).text


@pytest.mark.parametrize("login", ["edith", "olga", "ada"])
def test_examine_again(app, stage, administrator, owner, editor, target, login):
    judge(stage, target)
    caller = logged_in(app, login)
    form = next(
        one for one in caller.get(details(target)).forms.values() if one.action.endswith("examine/")
    )
    response = form.submit(status=303)
    assert "it is examined again" in caller.said(response)
    (row,) = stage.rows(analyses)
    assert (row["status"], row["rating"], row["heatmap"]) == ("pending", None, None)


def test_others_do_not_have_it_examined(app, stage, viewer, former, stranger, target):
    judge(stage, target)
    path = f"{LIST}{target.id}/examine/"
    assert b"examine/" not in logged_in(app, "victor").get(details(target)).body
    logged_in(app, "victor").send(path, status=403)
    for login in ("fritz", "stefan"):
        logged_in(app, login).send(path, status=404)
    assert stage.rows(analyses)[0]["status"] == "done"


WORDS = {
    "weak": ["one", "nothing"],
    **{str(stars): [] for stars in (2, 4)},
    "0": ["nothing"],
    "1": ["one"],
    "3": ["three"],
    "5": ["far five", "five"],
    "pending": ["waiting"],
    "failed": ["broken"],
}


@pytest.fixture
def rated(stage, project, other_project):
    """Targets of all ratings, in two projects; some are deleted."""
    for name, stars in (("nothing", 0), ("one", 1), ("three", 3), ("five", 5)):
        judge(stage, stage.target(project, name=name), stars)
    fail(stage, stage.target(project, name="broken"))
    stage.target(project, name="waiting")
    judge(stage, stage.target(other_project, name="far five"), 5)
    for deleted in (stage.target(project, name="gone"), stage.target(project, name="lost")):
        judge(stage, deleted, 1)
        stage.delete(Target, deleted.id)


@pytest.mark.parametrize("word", WORDS)
def test_filter(app, panel, rated, owner, word):
    query = f"flt2_rating_is={word}"
    assert names(panel.get(f"{LIST}?{query}")) == WORDS[word]
    assert names(panel.get(f"{LIST}?{query}&sort=5")) == WORDS[word][::-1]
    assert gallery(panel.get(f"{LIST}?{query}&look=gallery")) == WORDS[word]
    mine = [name for name in WORDS[word] if name != "far five"]
    assert names(panel.get(f"{LIST}?flt0_project_is=Zoo&{query}")) == mine
    assert names(logged_in(app, owner.login).get(f"{LIST}?{query}")) == mine


def test_filter_with_others(app, panel, rated, owner):
    for caller in (panel, logged_in(app, owner.login)):
        query = f"{LIST}?flt2_rating_is=weak"
        assert names(caller.get(f"{query}&flt1_name_begins_with=o")) == ["one"]
        assert names(caller.get(f"{query}&flt0_project_is=Zoo&flt1_name_begins_with=n")) == [
            "nothing"
        ]
        assert names(caller.get(f"{query}&flt0_project_is=nowhere")) == []
        # Not one of its words: the list says so, and is whole.
        assert len(names(caller.get(f"{LIST}?flt2_rating_is=odd"))) >= 6
    chosen = panel.get(f"{LIST}?flt2_rating_is=weak").html.select_one("option[selected]")
    assert chosen.text == "weak: 0 to 1 stars"


def test_export(panel, three, target):
    rows = exported(panel.get(f"{LIST}export/csv/"))
    told = {row["Name"]: (row["Analysis"], row["Rating"], row["Trackability"]) for row in rows}
    assert told == {
        "weak": ("done", "1", "20"),
        "broken": ("failed", "", ""),
        "good": ("done", "5", "100"),
        "": ("pending", "", ""),
    }
    narrowed = exported(panel.get(f"{LIST}export/csv/?flt2_rating_is=weak"))
    assert [row["Name"] for row in narrowed] == ["weak"]


def test_the_dashboard_tells_what_is_waiting(
    app, panel, stage, three, target, owner, other_project
):
    def told(caller):
        return facts(caller.get("/admin/"), "Examination of pictures")

    def moved(target, **values):
        changed = update(analyses).where(analyses.c.target_id == target.id)
        with stage.engine.begin() as connection:
            connection.execute(changed.values(**values))

    moved(target, queued_at=clock.now() - timedelta(hours=3))
    stage.target(other_project)
    moved(stage.target(other_project), queued_at=BEHIND)
    moved(three[2], version=0)
    of_all = told(panel)
    assert of_all["Waiting"] == "2 the oldest for 3 hours"
    assert of_all["Failed"] == "1"
    assert of_all["Behind them"] == "2 of an older version or an older server, still worked through"
    mine = told(logged_in(app, owner.login))
    assert mine["Waiting"] == "1 the oldest for 3 hours"
    assert mine["Failed"] == "1"
    assert "Behind them" not in mine
    moved(target, status="done")
    assert told(logged_in(app, owner.login))["Waiting"] == "0"


def test_what_the_dashboard_links_to(panel, three, target):
    page = panel.get("/admin/")
    links = {tag["href"] for tag in page.html.select("dd a") if "rating" in tag["href"]}
    found = [names(panel.get(link)) for link in sorted(links)]
    assert found == [["broken"], ["a gate"], ["weak"]]
