"""Stars and problems, the heatmap over a picture, and pictures that are checked first."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from ..judged import BLURRED, FLAT, fail, judge, resemble
from ..pictures import CHINA, FLOWER, base64_of, drawn
from ..ports import free_port
from ..tables import target as targets
from ..vision_server.conftest import analysed, server, store
from ..vision_server.pictures import SMALL_GATE
from ..vision_server.process import VISION_KEY
from .conftest import Watched, log_in, served

__all__ = ["analysed", "server", "store"]

PLAIN = drawn(size=(400, 300))
HEATMAP_LOADED = """() => performance.getEntriesByType('resource').some(
    entry => entry.name.includes('/heatmap/') && entry.responseStatus === 200
)"""


@pytest.fixture
def seeing(make_app, server, watched: Watched, administrator):
    """``ada``, logged in where pictures are examined."""
    app = make_app(vision_url=server.url, vision_key=VISION_KEY, vision_timeout=60)
    with served(app) as address:
        watched.address = address
        log_in(watched)
        yield watched
        # With its connections, for whose end the server would wait.
        watched.page.context.close()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A good photograph, one that resembles a target, and one of a single colour."""
    named = {"flower.jpg": FLOWER, "gate.jpg": CHINA, "plain.jpg": PLAIN}
    for name, data in named.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in named]


def box(page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None
    return found


def test_the_page_of_a_target(inside: Watched, stage, project, axe):
    target, other = stage.target(project, name="gate"), stage.target(project, name="a twin")
    judge(stage, target, 2, BLURRED, FLAT)
    judge(stage, other)
    resemble(stage, target, (other, 0.8))
    page = inside.open(f"/admin/target/details/?id={target.id}")
    expect(page.get_by_role("img", name="2 of 5 stars")).to_be_visible()
    # The heatmap covers the picture, in the colours of a picture that has come.
    heat = page.locator("image.heat")
    expect(heat).to_be_hidden()
    page.get_by_label("Show the heatmap").check()
    expect(heat).to_be_visible()
    page.wait_for_function(HEATMAP_LOADED)
    assert axe(page) == []
    over, under = box(page, "image.heat"), box(page, ".layers img")
    # The picture's shape is a little off, by the pixels that were rounded.
    assert all(abs(over[side] - under[side]) < 2 for side in over)
    # The area of a problem is where the problem is, in proportion.
    area = page.locator(".area")
    button = page.get_by_role("button", name="Show where problem 1 is")
    expect(area).to_be_hidden()
    button.focus()
    expect(area).to_be_visible()
    here = box(page, ".area")
    x, y, width, height = BLURRED.area
    scale = under["width"] / 640
    shown = [here["x"] - under["x"], here["y"] - under["y"], here["width"], here["height"]]
    wanted = [x * scale, y * scale, width * scale, height * scale]
    # Its line is drawn around it.
    assert all(abs(a - b) <= 4 for a, b in zip(shown, wanted, strict=True)), (shown, wanted)
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="a twin").focus()
    expect(area).to_be_visible()
    button.click()
    page.get_by_role("link", name="a twin").focus()
    page.mouse.move(0, 0)
    expect(area).to_be_hidden()
    page.get_by_role("button", name="Examine again").click()
    inside.told("it is examined again")
    expect(page.get_by_text("It is not examined yet.")).to_be_visible()
    assert axe(page) == []


def test_lists(inside: Watched, stage, project, axe):
    made = [stage.target(project, name=name) for name in ("weak", "broken", "waiting")]
    judge(stage, made[0], 1, BLURRED)
    fail(stage, made[1])
    for look in ("", "&look=gallery"):
        page = inside.open(f"/admin/target/?flt0_project_is=Zoo{look}")
        expect(page.get_by_text("1 error")).to_be_visible()
        assert axe(page) == []
        page.get_by_label("Rating is").select_option("weak")
        expect(page.get_by_role("link", name="broken")).to_have_count(0)
        expect(page.get_by_role("img", name="1 of 5 stars")).to_have_count(1)
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= shown


def test_a_weak_picture_is_stored_when_somebody_says_so(
    seeing: Watched, stage, project, analysed, files, axe
):
    judge(stage, analysed(project, SMALL_GATE, name="old gate"))
    page = seeing.open(f"/admin/project/details/?id={project.id}")
    page.locator("#upload").set_input_files(files)
    lines = page.locator(".uploads li[tabindex]")
    expect(page.locator(".uploads .stored")).to_have_text("flower.jpgStored – open it")
    expect(page.locator(".uploads .warned")).to_have_count(2)
    assert [line.locator(".name").inner_text() for line in lines.all()] == [
        "flower.jpg",
        "gate.jpg",
        "plain.jpg",
    ]
    expect(lines.nth(1)).to_contain_text("It resembles old gate")
    expect(lines.nth(2)).to_contain_text("It has 0 of 5 stars.")
    assert axe(page) == []
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= shown
    assert len(stage.rows(targets)) == 2
    page.get_by_role("button", name="Take it out: plain.jpg").click()
    expect(lines).to_have_count(2)
    expect(page.get_by_role("button", name="Store it anyway: gate.jpg")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".uploads .stored")).to_have_count(2)
    assert [row["name"] for row in stage.rows(targets)] == ["old gate", "flower", "gate"]


def test_what_cannot_be_checked_is_stored(
    make_app, watched: Watched, administrator, stage, project, files
):
    """The server that examines pictures is away."""
    app = make_app(vision_url=f"http://127.0.0.1:{free_port()}", vision_key=VISION_KEY)
    with served(app) as address:
        watched.address = address
        log_in(watched)
        page = watched.open(f"/admin/project/details/?id={project.id}")
        page.locator("#upload").set_input_files(files[:2])
        expect(page.locator(".uploads .stored")).to_have_count(2)
        expect(page.locator(".uploads .stored").first).to_contain_text("It was not checked")
        assert len(stage.rows(targets)) == 2
        page.context.close()


def test_check_a_picture(seeing: Watched, stage, project, analysed, files, axe):
    judge(stage, analysed(project, SMALL_GATE, name="old gate"))
    page = seeing.open("/admin/target/?flt0_project_is=Zoo")
    page.get_by_role("link", name="Check a picture").click()
    expect(page.get_by_label("Project")).to_have_value("Zoo")
    assert axe(page) == []
    page.get_by_label("Photograph").set_input_files(files[1])
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="As a target")).to_be_focused()
    expect(page.get_by_role("link", name="old gate")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.layers img').naturalWidth === 640")
    page.get_by_label("Show the heatmap").check()
    expect(page.locator("image.heat")).to_be_visible()
    over, under = box(page, "image.heat"), box(page, ".layers img")
    assert all(abs(over[side] - under[side]) < 2 for side in over)
    assert axe(page) == []
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= shown
    # Another one, dropped.
    data = page.evaluate_handle(
        """photograph => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(photograph), c => c.charCodeAt(0));
            transfer.items.add(new File([bytes], 'plain.jpg', {type: 'image/jpeg'}));
            return transfer;
        }""",
        base64_of(PLAIN),
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    expect(page.get_by_role("img", name="0 of 5 stars")).to_be_visible()
    page.get_by_role("button", name="Show where problem").first.hover()
    expect(page.locator(".area")).to_be_visible()
    assert len(stage.rows(targets)) == 1
    page.get_by_label("Photograph").set_input_files(
        files=[{"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}]
    )
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#result").get_by_role("alert")).to_contain_text("whole JPEG")
    seeing.expected(1)
