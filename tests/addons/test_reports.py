"""Sentry, OpenTelemetry and the debug toolbar report requests, errors and their routes."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def report_of(database_url):
    """What an add-on reports; in a process of its own, since each patches Pyramid for good."""

    def run(addon):
        command = [sys.executable, "-m", f"tests.addons.{addon}", database_url]
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
        return json.loads(done.stdout)

    return run


def test_sentry(report_of):
    sent = report_of("sentry")
    requests = {each["transaction"]: each for each in sent if each.get("type") == "transaction"}
    assert requests.keys() == {"user", "broken"}
    assert requests["user"]["contexts"]["response"]["status_code"] == 404
    (error,) = [each for each in sent if "exception" in each]
    assert error["transaction"] == "broken"
    assert error["exception"]["values"][-1]["type"] == "ZeroDivisionError"


def test_opentelemetry(report_of):
    spans = {span["attributes"]["http.route"]: span for span in report_of("tracing")}
    assert spans["/broken/{number}"]["status"]["status_code"] == "ERROR"
    assert spans["/broken/{number}"]["attributes"]["http.status_code"] == 500
    (user,) = [span for route, span in spans.items() if route.startswith("/api/user/")]
    assert user["attributes"]["http.status_code"] == 404


def test_the_debug_toolbar(report_of):
    pages = report_of("toolbar")
    assert "/broken/{number}" in pages["broken"]
    assert "ZeroDivisionError" in pages["broken"]
    assert "/api/user/{user_id:" in pages["user"]
    assert "/sqlalchemy/select/" in pages["user"]
