"""docs/monitoring speaks of metrics that there are, and Prometheus can read it."""

import json
import re
import shutil
import subprocess

import pytest
from prometheus_client import generate_latest

from ar_targets.db.session import transaction_scope
from ar_targets.jobs.metrics import WorkerMetrics
from ar_targets.models import backup_result, purge_result
from ar_targets.vision_server.metrics import Metrics

from ..conftest import INI

MONITORING = INI.parent / "docs" / "monitoring"
FILES = ["README.md", "alerts.yml", "alerts_test.yml", "dashboard.json"]
FAMILY = re.compile(r"^# TYPE (\w+)", re.MULTILINE)
NAME = re.compile(r"\bar_targets_[a-z_]+")
# Commands and settings look like metrics.
NO_METRICS = {"ar_targets_backup", "ar_targets_purge", "ar_targets_vision", "ar_targets_worker"}


@pytest.fixture
def exposed(app, stage, owner, results):
    """What servers and a worker show on which everything has happened once: names, and text."""
    app.get("/api/project", headers=owner.headers)
    worker = WorkerMetrics()
    worker.count("done", 1.5)
    others = Metrics().text() + generate_latest(worker.registry)
    return app.get("/metrics").text + others.decode()


@pytest.fixture
def results(stage):
    """A purge and a backup that have come to their ends."""
    with transaction_scope(stage.engine) as db:
        purge_result.add(db, {"expired tokens": 1}, "2026-01-01 00:00:00")
        backup_result.store(db, "success", "2026-01-01 00:00:00", 7.5, 10**9)


@pytest.mark.parametrize("file", FILES)
def test_every_metric_exists(exposed, file):
    named = set(NAME.findall((MONITORING / file).read_text())) - NO_METRICS
    shown = set(NAME.findall(re.sub(r"^#.*$", "", exposed, flags=re.MULTILINE)))
    shown |= set(FAMILY.findall(exposed))
    assert named
    assert named - shown == set()


def test_every_metric_is_documented(exposed):
    """By the name of its family."""
    families = set(FAMILY.findall(exposed))
    readme = (MONITORING / "README.md").read_text()
    assert len(families) > 15
    assert {name for name in families if f"`{name}`" not in readme} == set()


def test_the_dashboard_has_panels_that_lie_apart():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len(panels) > 10
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        assert all(target["expr"] and target["refId"] for target in panel["targets"])
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")


def promtool(*arguments, stdin=""):
    return subprocess.run(
        ["promtool", *arguments],
        cwd=MONITORING,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@needs_promtool
@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", FILES[2])])
def test_prometheus_takes_the_rules(command):
    done = promtool(*command)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_what_the_dashboard_asks(tmp_path):
    """As rules, since promtool reads those."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"r{number}", "expr": expr.replace("$__rate_interval", "5m")}
        for number, expr in enumerate(asked)
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_likes_the_metrics(exposed):
    done = promtool("check", "metrics", stdin=exposed)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
