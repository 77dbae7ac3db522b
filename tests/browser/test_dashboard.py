"""The dashboard: the values of its charts, by pointer, keyboard and finger, and its beginning."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from .conftest import SIZES, Watched, log_in

NAME = "Image targets, 30 days"


def chart(page) -> tuple[Locator, Locator, list[str]]:
    """The plot of the first chart, the value it shows, and all values."""
    plot = page.get_by_role("group", name=NAME)
    rows = page.get_by_role("table", name=NAME).locator("tbody tr").all()
    values = [
        ": ".join(cell.strip() for cell in row.locator("> *").all_inner_texts()) for row in rows
    ]
    assert len(values) == 30
    return plot, plot.locator(".value"), values


def test_values_by_keyboard(inside: Watched, stage, project):
    stage.target(project)
    plot, value, values = chart(inside.open("/admin/"))
    expect(value).to_be_empty()
    plot.focus()
    expect(value).to_have_text(values[-1])
    assert values[-1].endswith(": 1")
    assert values[-2].endswith(": 0")
    plot.press("ArrowLeft")
    expect(value).to_have_text(values[-2])
    plot.press("Home")
    plot.press("ArrowLeft")
    expect(value).to_have_text(values[0])
    plot.press("End")
    expect(value).to_have_text(values[-1])
    plot.blur()
    expect(value).to_be_empty()


def test_values_under_the_pointer(inside: Watched, project):
    page = inside.open("/admin/")
    plot, value, values = chart(page)
    box = plot.locator("svg").bounding_box()
    assert box
    page.mouse.move(box["x"] + 1, box["y"] + 80)
    expect(value).to_have_text(values[0])
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 80)
    expect(value).to_have_text(values[-1])
    page.mouse.move(1, 1)
    expect(value).to_be_empty()


@pytest.fixture
def touched(browser: Browser, address: str, administrator, rows_removed: None) -> Iterator[Watched]:
    context = browser.new_context(viewport=SIZES["phone"], has_touch=True)
    watched = Watched(context.new_page(), address)
    log_in(watched)
    yield watched
    context.close()
    assert watched.faults == []


def test_values_by_finger(touched: Watched, project):
    """They stay when the finger is lifted, and not only the first time."""
    page = touched.open("/admin/")
    plot, value, values = chart(page)
    plot.scroll_into_view_if_needed()
    box = plot.locator("svg").bounding_box()
    assert box
    for day in (0, 29, 0):
        page.touchscreen.tap(box["x"] + (box["width"] - 2) * day / 29 + 1, box["y"] + 80)
        page.wait_for_timeout(200)
        expect(value).to_have_text(values[day])
    plot.blur()
    expect(value).to_be_empty()


def test_values_under_a_moving_finger(touched: Watched, project):
    """Sideways it tells values; the page does not take it for a scroll."""
    page = touched.open("/admin/")
    plot, value, values = chart(page)
    plot.scroll_into_view_if_needed()
    box = plot.locator("svg").bounding_box()
    assert box
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *days: float) -> None:
        x, y = box["x"], box["y"] + 80
        points = [{"x": x + (box["width"] - 2) * day / 29 + 1, "y": y} for day in days]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0)
    for day in range(1, 30):
        touch("touchMove", day)
    expect(value).to_have_text(values[29])
    touch("touchEnd")


def test_what_to_do_first(inside: Watched, axe):
    page = inside.open("/admin/")
    expect(page.get_by_role("heading", name="What to do first")).to_be_visible()
    assert axe(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert axe(page) == []
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= shown
    page.get_by_role("link", name="Make a project").click()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()


def test_a_picture_that_cannot_be_drawn_fits_both_colours(inside: Watched):
    """Its ground is transparent: the colour behind it is the style sheet's."""
    page = inside.open("/admin/")
    corner, hill = page.evaluate(
        """async () => {
          const picture = new Image();
          const style = document.querySelector("link[rel=stylesheet]").href;
          picture.src = style.replace(/panel[^/]*$/, "no-preview.svg");
          await picture.decode();
          const canvas = document.createElement("canvas");
          const pen = canvas.getContext("2d", { willReadFrequently: true });
          pen.drawImage(picture, 0, 0, 96, 96);
          return [pen.getImageData(1, 1, 1, 1).data[3], pen.getImageData(45, 62, 1, 1).data[3]];
        }"""
    )
    assert (corner, hill) == (0, 255)
