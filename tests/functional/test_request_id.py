"""``X-Request-ID``, in responses and in log lines."""

import io
import logging

import pytest

from ar_targets.models import user as users
from ar_targets.telemetry.logs import PlainFormatter

HEADER = "X-Request-ID"
UUID = "5c7d1f5e-1b9a-4a39-8f0e-0c0f6f1a2b3c"


def test_every_response_has_one_of_its_own(app):
    ids = {app.get("/health/live").headers[HEADER] for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("sane", ["1", UUID, "a.b:c_d", "x" * 128])
def test_a_clients_own_comes_back(app, owner, sane):
    for path, status in (("/health/live", 200), ("/api/project", 401), ("/zoo", 404)):
        answer = app.get(path, headers={HEADER: sane}, status=status)
        assert answer.headers[HEADER] == sane
    assert app.options("/api/user", headers={HEADER: sane}).headers[HEADER] == sane
    assert app.delete("/api/user", headers={HEADER: sane}, status=405).headers[HEADER] == sane
    assert app.get("/api/%ff", headers={HEADER: sane}, status=404).headers[HEADER] == sane


@pytest.mark.parametrize("odd", ["", " ", "a b", "x" * 129, "\xe9", "<b>", 'a"b', "a\tb", "%(x)s"])
def test_an_odd_one_is_replaced(app, odd):
    own = app.get("/health/live", headers={HEADER: odd}).headers[HEADER]
    assert own != odd
    assert odd.strip() == "" or odd not in own


@pytest.fixture
def lines():
    """What the log of ar_targets gets, formatted as the ini files say."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(PlainFormatter("%(levelname)s [%(request_id)s] %(message)s"))
    logging.getLogger("ar_targets").addHandler(handler)
    yield handler.stream
    logging.getLogger("ar_targets").removeHandler(handler)


def test_log_lines_of_a_request_have_its_id(app, monkeypatch, lines):
    def bug(*_):
        logging.getLogger("ar_targets.views").warning("on the way")
        raise RuntimeError

    monkeypatch.setattr(users, "page", bug)
    app.get("/api/user", headers={HEADER: UUID}, status=500)
    logging.getLogger("ar_targets").warning("afterwards")
    assert f"WARNING [{UUID}] on the way\n" in lines.getvalue()
    assert f"ERROR [{UUID}] unexpected error\n" in lines.getvalue()
    assert "WARNING [-] afterwards\n" in lines.getvalue()
