"""Pictures that take long to decode, in the panel: each is given up, and keeps nobody waiting."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ar_targets import image_process
from ar_targets.admin import picture as showing
from ar_targets.models.thumbnail import thumbnail as thumbnails

from ..actors import PASSWORD
from ..functional.test_server import running
from ..panel import Panel
from ..unit.jpegs import arithmetic, costly
from .cost import cpu_of_children

# Seconds: a processor may be busy with others' work, and the kernel counts in ticks.
SOON, INEXACT = 1.0, 0.3
HOSTILE = {"100 scans": costly(100), "9,000 scans": costly(9_000), "arithmetic": arithmetic(64)}


@pytest.fixture
def panel(app, administrator):
    made = Panel(app.app)
    made.log_in()
    return made


def thumbnail_paths(page):
    return re.findall(r'<img class="thumb".*? src="([^"]+)"', page)


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_was_stored_before_there_was_a_limit(app, panel, stage, project, write_token, kind):
    target = stage.unproven(project, HOSTILE[kind])
    (path,) = thumbnail_paths(panel.get("/admin/target/").text)
    cpu, begun = cpu_of_children(), time.monotonic()
    answer = panel.get(path, status=200)
    assert answer.content_type == "image/svg+xml"
    assert time.monotonic() - begun < image_process.WALL_SECONDS
    assert cpu_of_children() - cpu < image_process.CPU_SECONDS + INEXACT
    # Those who sent it get it back.
    assert app.call("GET", target.image, who=write_token).body == HOSTILE[kind]


def test_no_connection_is_held_while_a_picture_is_drawn(panel, stage, target, monkeypatch):
    draw, held = showing.draw, []

    def watched(data, record):
        held.append(stage.engine.pool.checkedout())
        return draw(data, record)

    monkeypatch.setattr(showing, "draw", watched)
    (path,) = thumbnail_paths(panel.get("/admin/target/").text)
    panel.get(path, status=200)
    assert held == [0]
    assert len(stage.rows(thumbnails)) == 1


@pytest.fixture
def server(database_url, tmp_path):
    with running(database_url, tmp_path) as started:
        yield started


@pytest.fixture
def browser(server, administrator):
    """``ada``, logged in; any number of threads may use it."""
    session = requests.Session()
    home = f"http://127.0.0.1:{server.port}"
    login = f"{home}/admin/login/"
    token = re.search(r'name="csrf-token" content="([^"]+)"', session.get(login).text)[1]
    form = {"login": "ada", "password": PASSWORD, "csrf_token": token}
    assert session.post(login, form).ok
    # Each page signs the cookie anew; threads would change it under each other's hands.
    cookie = {"Cookie": "; ".join(f"{each.name}={each.value}" for each in session.cookies)}

    def get(path, headers=cookie):
        begun = time.monotonic()
        answer = requests.get(home + path, headers=headers, timeout=30)
        return answer, time.monotonic() - begun

    return get


def others_wait(browser, project, write_token):
    """Seconds that those wait who want no picture."""
    asked = {
        "/health/live": {},
        "/admin/target/": None,
        f"/admin/project/{project.id}/": None,
        project.targets: write_token.headers,
    }
    for path, headers in asked.items():
        answer, seconds = browser(path) if headers is None else browser(path, headers)
        assert answer.status_code == 200
        yield path, seconds


def test_others_are_answered_meanwhile(browser, stage, project, write_token):
    stage.unproven(project, HOSTILE["9,000 scans"])
    (path,) = thumbnail_paths(browser("/admin/target/")[0].text)
    with ThreadPoolExecutor(1) as threads:
        drawn = threads.submit(browser, path)
        waits = []
        while not drawn.done():
            waits += others_wait(browser, project, write_token)
    answer, seconds = drawn.result()
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert seconds < image_process.WALL_SECONDS
    assert len(waits) > 4
    assert [wait for wait in waits if wait[1] > SOON] == []
