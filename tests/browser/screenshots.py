"""The pictures of the panel in ``docs/images``: `make screenshots` takes them anew."""

from pathlib import Path

import pytest

from ar_targets.models.target import Target

from ..pictures import CHINA, FLOWER
from .conftest import Watched, log_in

IMAGES = Path(__file__).parents[2] / "docs" / "images"
NAMES = ("Lobby poster", "Spring cover", "Menu card", "Ticket", "Catalogue 12", "Shop window")


@pytest.fixture
def studio(stage):
    """A studio's project, with what one would find in it after a while."""
    owner = stage.user("olga", is_admin=True)
    project = stage.project(owner, "Summer exhibition")
    for number, name in enumerate(NAMES):
        data = (CHINA, FLOWER)[number % 2] + bytes([number])
        stage.target(project, data, name=name, physical_width=0.42)
    for name in ("Old ticket", "Old menu"):
        stage.delete(Target, stage.target(project, FLOWER, name=name).id)
    stage.app(project, "read", ttl=14 * 86_400)
    stage.app(project, "write", ttl=2 * 86_400)
    stage.member(project, "edith", "editor")
    stage.member(project, "victor", "viewer")
    stage.project(owner, "Museum shop")
    return project


def test_take(watched: Watched, studio):
    page = watched.page
    wide = page.viewport_size["width"] > 1000
    log_in(watched, "olga")
    shots = {
        "dashboard": "",
        "project": f"project/details/?id={studio.id}",
        "targets": "target/",
        "gallery-dark": "target/?look=gallery",
        "trash": "trash/",
    }
    for name, path in shots.items():
        page.emulate_media(color_scheme="dark" if name.endswith("-dark") else "light")
        watched.open(f"/admin/{path}")
        page.wait_for_function(
            "() => [...document.querySelectorAll('img.thumb')]"
            ".every(i => i.complete && i.naturalWidth > 0)"
        )
        if not wide and name in ("gallery-dark", "trash"):
            continue
        file = IMAGES / f"admin-{name}{'' if wide else '-phone'}.png"
        page.screenshot(path=file)
