"""A browser on a served application, at the width of a laptop and of a phone.

The browser is the machine's own Chromium. Every page is watched: an error in
its console, a request to another host or a failed one ends the test.
"""

import fcntl
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import waitress
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from ..actors import PASSWORD, User
from ..client import Client

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Nothing of a desktop is there, and nothing is asked of its maker.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}


# Closed behind these tests, not those of all other folders: at rest it still takes a
# sixth of a core.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine: install it for the tests in a browser")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def address(shared_app: Client) -> Iterator[str]:
    """The URL of the application, served in a thread."""
    with served(shared_app) as url:
        yield url


@contextmanager
def served(app: Client) -> Iterator[str]:
    """An application, served in a thread; its URL."""
    server = waitress.create_server(app.app, listen="127.0.0.1:0", threads=4)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    # Its loop looks at what is left of it once a second.
    thread.join(10)


class Watched:
    """What went wrong in a page, and how a test says that it was meant to."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.faults: list[str] = []
        page.on("console", lambda line: self._note(line.type in ("error", "warning"), line.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("response", lambda answer: self._note(answer.status >= 400, answer.url))
        page.on("request", lambda asked: self._note(not self._ours(asked.url), asked.url))

    def _ours(self, url: str) -> bool:
        return url.startswith((self.address + "/", "blob:" + self.address))

    def _note(self, fault: bool, text: str) -> None:
        if fault:
            self.faults.append(text)

    def expected(self, answers: int) -> None:
        """So many answers were errors as part of the test; each is told of in the console, too."""
        deadline = time.monotonic() + 15
        while len(self.faults) < 2 * answers and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert len(self.faults) == 2 * answers, self.faults
        self.faults.clear()

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def told(self, text: str) -> None:
        """Wait for the page that says this, and for its script, without which nothing is asked."""
        expect(self.page.get_by_role("status")).to_contain_text(text)
        self.page.wait_for_load_state("load")


@pytest.fixture(params=SIZES)
def watched(
    request: pytest.FixtureRequest, browser: Browser, address: str, rows_removed: None
) -> Iterator[Watched]:
    """A new browser profile; nobody is logged in."""
    context = browser.new_context(viewport=SIZES[request.param])
    context.set_default_timeout(15_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    made = Watched(context.new_page(), address)
    yield made
    context.close()
    assert made.faults == []


@pytest.fixture
def inside(watched: Watched, administrator: User) -> Watched:
    """``ada``, logged in."""
    log_in(watched)
    return watched


def log_in(watched: Watched, login: str = "ada", password: str = PASSWORD) -> None:
    page = watched.open("/admin/")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Looks for what keeps people with disabilities out (WCAG 2.2, A and AA)."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(
            "there is no npm on this machine: install it to check accessibility by axe-core"
        )
    source = HERE / "node_modules" / "axe-core" / "axe.min.js"
    # The tests run in several processes: one fetches it, the others wait.
    with (HERE / "package-lock.json").open() as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not source.exists():
            done = subprocess.run(
                [npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=HERE, check=False
            )
            if done.returncode != 0:
                pytest.skip("npm cannot fetch axe-core: accessibility is not checked")
    script = source.read_text(encoding="utf-8")

    def violations(page: Page) -> list[str]:
        page.evaluate(script)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)[
            "violations"
        ]
        return [
            f"{fault['id']}: {fault['help']}: {[node['html'][:150] for node in fault['nodes'][:3]]}"
            for fault in found
        ]

    return violations
