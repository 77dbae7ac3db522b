"""Several servers share the projects, by HAProxy with the configuration that we ship."""

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from ar_targets.development import process, program

from ..edge.nginx import replaced
from ..ports import free_port
from .pictures import GATE, SMALL_GATE
from .process import PATIENCE, VISION_KEY, VisionServer, wait_until

SHIPPED = Path(__file__).parents[2] / "docs/deploy/vision/haproxy.cfg"
PROJECTS = range(1, 41)


class Balanced:
    """Two servers, and the URL that leads to them."""

    def __init__(self, url: str, servers: list[VisionServer]) -> None:
        self.url, self.servers = url, servers
        self._round = 0

    def ask(self, path: str, request_id: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {VISION_KEY}", "X-Request-ID": request_id}
        return requests.post(self.url + path, headers=headers, timeout=PATIENCE)

    def places(self) -> dict[int, int]:
        """Which server, 0 or 1, has answered about each project; all its questions alike."""
        self._round += 1
        paths = ("/project/{}/target/1/similar", "/project/{}/analysis", "/project/{}/similar")
        for project in PROJECTS:
            for number, path in enumerate(paths):
                answer = self.ask(path.format(project), f"{self._round}-{project}-{number}")
                # No such target, or no picture.
                assert answer.status_code == (422 if number else 404), answer.text
        told: dict[int, list[int]] = {project: [] for project in PROJECTS}
        for place, server in enumerate(self.servers):
            for project in re.findall(rf"\[{self._round}-(\d+)-\d\] ar_targets.access", server.log):
                told[int(project)].append(place)
        assert {len(places) for places in told.values()} == {len(paths)}
        assert {len(set(places)) for places in told.values()} == {1}
        return {project: places[0] for project, places in told.items()}


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def balanced(database_url, tmp_path, stack):
    servers = [VisionServer(database_url, tmp_path) for _ in range(2)]
    for server in servers:
        stack.enter_context(server.running())
    port, file, log = free_port(), tmp_path / "haproxy.cfg", tmp_path / "haproxy.log"
    changes = {'"${LISTEN-127.0.0.1}:6544"': f"127.0.0.1:{port}"}
    changes |= {
        f"vision{number}:6544": f"127.0.0.1:{server.port}"
        for number, server in enumerate(servers, 1)
    }
    file.write_text(replaced(SHIPPED.read_text(), changes))
    command = [program.locate("haproxy"), "-db", "-f", file]
    output = stack.enter_context(log.open("wb"))
    stack.enter_context(process.running(command, output=output, stop_seconds=5))
    made = Balanced(f"http://127.0.0.1:{port}", servers)

    def is_up():
        try:
            return made.ask("/project/1/target/1/similar", "first").status_code == 404
        except requests.ConnectionError:
            return False

    wait_until(is_up)
    return made


def test_each_project_goes_to_one_server_and_to_the_other_when_that_goes(balanced, stack):
    before = balanced.places()
    # A half each, more or less.
    assert 8 < sum(before.values()) < 32
    first, second = balanced.servers
    first.process.kill()
    first.process.wait()
    # No question fails, from the first one on.
    assert set(balanced.places().values()) == {1}
    stack.enter_context(first.running())
    deadline = time.monotonic() + PATIENCE
    while balanced.places() != before:
        assert time.monotonic() < deadline
    second.process.kill()
    second.process.wait()
    assert set(balanced.places().values()) == {0}


def test_answers_of_the_servers_come_through(balanced, analysed, project):
    target = analysed(project, GATE)
    first = balanced.servers[0].client
    through = type(first)(balanced.url, VISION_KEY, PATIENCE)
    (found,) = through.similar(project.id, SMALL_GATE)
    assert found.id == target.id
    loads = [server.metric("index_loads_total") for server in balanced.servers]
    assert sorted(loads) == [0, 1]
