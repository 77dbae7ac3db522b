"""Pictures that take long to decode, in the panel: each is given up, and keeps nobody waiting."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ar_targets.admin import picture as showing
from ar_targets.images import process

from ..actors import PASSWORD
from ..functional.test_server import running
from ..panel import Panel
from ..pictures import CHINA
from ..tables import thumbnail as thumbnails
from ..unit.jpegs import arithmetic, costly
from .cost import cpu_of_children

# Seconds in which those are answered who want no picture; one in ten may find the machine busy.
SOON = 1.0
# Seconds that the kernel, which counts CPU in ticks, and the start of a process may be off.
INEXACT = 0.3
# Seconds in which there is an answer about a picture.
DONE = process.WALL_SECONDS + 5
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
    assert time.monotonic() - begun < DONE
    assert cpu_of_children() - cpu < process.CPU_SECONDS + INEXACT
    # It was tried once.
    cpu = cpu_of_children()
    assert panel.get(path, status=200).content_type == "image/svg+xml"
    assert cpu_of_children() == cpu
    # Those who sent it get it back.
    assert app.call("GET", target.image, who=write_token).body == HOSTILE[kind]


def test_no_connection_is_held_while_a_picture_is_drawn(panel, stage, target, monkeypatch):
    draw, held = showing.draw, []

    def watched(record, read):
        def read_and_look():
            data = read()
            held.append(stage.engine.pool.checkedout())
            return data

        held.append(stage.engine.pool.checkedout())
        return draw(record, read_and_look)

    monkeypatch.setattr(showing, "draw", watched)
    (path,) = thumbnail_paths(panel.get("/admin/target/").text)
    panel.get(path, status=200)
    assert held == [0, 0]
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


def asked_again(browser, path):
    """What a browser has in the end, and how often the server had nothing yet."""
    for again in range(100):
        answer, seconds = browser(path)
        assert seconds < DONE
        if answer.status_code != 202:
            return answer, again
        assert answer.content == b""
        time.sleep(int(answer.headers["Retry-After"]) / 2)
    return pytest.fail("the picture never came")


def others_wait(browser, project, write_token):
    """(path, seconds) of those who want no picture."""
    asked = {
        "/health/live": {},
        "/admin/target/": None,
        f"/admin/project/details/?id={project.id}": None,
        project.targets: write_token.headers,
    }
    for path, headers in asked.items():
        answer, seconds = browser(path) if headers is None else browser(path, headers)
        assert answer.status_code == 200
        yield path, seconds


def drawn(browser, project, write_token, at_once):
    """All thumbnails that a list shows, so many at once; nobody else waits meanwhile."""
    paths = thumbnail_paths(browser("/admin/target/")[0].text)
    with ThreadPoolExecutor(at_once) as threads:
        asked = [threads.submit(asked_again, browser, path) for path in paths]
        waits = []
        while not all(each.done() for each in asked):
            waits += others_wait(browser, project, write_token)
    late = [wait for wait in waits if wait[1] > SOON]
    assert len(late) <= len(waits) / 10, late
    # Nobody waits until a picture is given up.
    assert max(seconds for _, seconds in waits) < 0.75 * process.CPU_SECONDS
    return [each.result() for each in asked]


def test_one_hostile_picture(browser, stage, project, write_token):
    stage.unproven(project, HOSTILE["9,000 scans"])
    ((answer, again),) = drawn(browser, project, write_token, 1)
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert again == 0


def test_a_page_of_hostile_pictures(browser, server, stage, project, write_token):
    # One more than threads that answer them. What comes behind its end makes an image another one.
    for number in range(5):
        stage.unproven(project, HOSTILE["9,000 scans"] + bytes([number]))
    # As a proxy does that has them all from one browser.
    answers = drawn(browser, project, write_token, 12)
    assert len(answers) == 5
    for answer, _ in answers:
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert any(again for _, again in answers)


@pytest.mark.parametrize("at_once", [2, 12])
def test_a_page_of_photographs(browser, stage, project, write_token, at_once):
    for number in range(12):
        stage.target(project, CHINA + bytes([number]))
    answers = drawn(browser, project, write_token, at_once)
    assert [answer.headers["Content-Type"] for answer, _ in answers] == ["image/jpeg"] * 12
    assert len(stage.rows(thumbnails)) == 12
