"""docs/examples/targets.html: an app's page at another origin than the server's."""

import functools
import http.server
import re
import threading
import urllib.parse
from contextlib import contextmanager

import pytest

from ..conftest import INI
from ..live import live
from ..pictures import CHINA, drawn

EXAMPLES = INI.parent / "docs" / "examples"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(directory):
    """The origin of a server of files."""
    handler = functools.partial(Quiet, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def origin():
    with served(EXAMPLES) as made:
        yield made


@pytest.fixture(scope="module")
def server(database_url, origin, tmp_path_factory):
    with live(database_url, tmp_path_factory.mktemp("live"), cors_origins=origin) as made:
        yield made


@pytest.fixture
def page(browser):
    with browser.new_page() as opened:
        yield opened


def show(page, origin, **fields):
    """Open the page with its fields filled, and wait until it has said how it went."""
    page.goto("about:blank")
    page.goto(f"{origin}/targets.html#{urllib.parse.urlencode(fields)}")
    told = page.locator("#message", has_text=re.compile("shown|token|cors_origins"))
    return told.inner_text(timeout=15_000)


def test_pictures_are_shown(page, origin, server, stage, project, read_token):
    stage.target(project, CHINA, "<b>a gate</b>")
    for n in range(1, 52):
        stage.target(project, drawn(size=(n, 7)))
    fields = {"server": server.url, "project": project.id, "token": read_token.token}
    assert show(page, origin, **fields) == "52 shown"
    captions = page.locator("figcaption").all_inner_texts()
    assert captions[0].endswith(": <b>a gate</b> (640 × 427)")
    assert [re.search(r"\((\d+) × 7\)", text)[1] for text in captions[1:]] == [
        str(n) for n in range(1, 52)
    ]
    assert page.url == f"{origin}/targets.html"
    fields["token"] = "nonsense"
    assert show(page, origin, **fields).endswith("with a token that is valid")


def test_an_origin_that_is_not_allowed(page, server, project, read_token):
    fields = {"server": server.url, "project": project.id, "token": read_token.token}
    with served(EXAMPLES) as elsewhere:
        assert "its cors_origins lacks this page's origin" in show(page, elsewhere, **fields)
