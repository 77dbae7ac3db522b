"""The worker's loop, in this process: what it does with errors that nobody has foreseen."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ar_targets.jobs.analysis import AnalysisJob
from ar_targets.jobs.metrics import WorkerMetrics
from ar_targets.jobs.outage import FIRST_PAUSE, LONGEST_PAUSE, Outage
from ar_targets.jobs.worker import Worker
from ar_targets.models.analysis import PENDING
from ar_targets.vision_client import VisionClient

from ..conftest import KEY
from .processes import eventually


class Refuses(BaseHTTPRequestHandler):
    """A vision server that finds fault with a target, which it should not."""

    def do_POST(self):
        body = b'{"error": "no"}'
        self.send_response(422)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def refusing():
    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_error_of_ours_counts_as_a_try_and_is_told(
    stage, project, scope, pool, known, refusing, caplog
):
    target = stage.target(project)
    job = AnalysisJob(scope, pool, VisionClient(refusing, KEY, 5))
    worker = Worker(scope, job, 1, WorkerMetrics())
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        eventually(lambda: (known(target)["tries"], known(target)["lease"]) == (1, None))
    finally:
        worker.stop()
        running.join()
    assert known(target)["status"] == PENDING
    assert f"target {target.id}: an error of ours" in caplog.text
    assert "VisionPictureError: no" in caplog.text


def test_an_outage_is_told_once_and_waited_for_longer_and_longer(caplog):
    caplog.set_level("INFO")
    away = Outage("the moon")
    assert (away.lasts, away.remaining()) == (False, 0)
    away.report("clouds")
    away.report("clouds again")
    assert away.lasts
    assert 0 < away.remaining() <= FIRST_PAUSE
    away.report("busy", seconds=60)
    assert caplog.text.count("the moon is away, and is waited for: clouds") == 1
    away.end()
    away.end()
    assert (away.lasts, away.remaining()) == (False, 0)
    assert caplog.text.count("the moon is back") == 1
    away.report("busy", seconds=60)
    assert LONGEST_PAUSE < away.remaining() <= 60
