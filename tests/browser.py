"""A headless Chromium, driven by its own chromedriver (W3C WebDriver, in JSON over HTTP)."""

import re
import shutil
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Self

import pytest
import requests

from .live import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


class Browser:
    """One window."""

    def __init__(self) -> None:
        self.port = free_port()
        self.session = ""

    @staticmethod
    def is_there() -> bool:
        return bool(CHROMIUM and DRIVER)

    def __enter__(self) -> Self:
        self.directory = tempfile.TemporaryDirectory(prefix="ar-browser-")
        self.driver = subprocess.Popen([str(DRIVER), f"--port={self.port}", "--silent"])
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        arguments.append(f"--user-data-dir={self.directory.name}")
        options = {"binary": CHROMIUM, "args": arguments}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        for _ in range(200):
            try:
                made = self._ask("POST", "/session", wanted)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                self.session = f"/session/{made['sessionId']}"
                return self
        self.driver.kill()
        return pytest.fail("chromedriver does not answer")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ask("DELETE", self.session)
        self.driver.terminate()
        self.driver.wait(20)
        self.directory.cleanup()

    def open(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._ask("POST", f"{self.session}/url", {"url": address})

    def run(self, script: str) -> Any:
        """What a script in the page returns."""
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def wait_for(self, selector: str, pattern: str) -> str:
        """The text of an element, as soon as it has what is waited for."""
        for _ in range(300):
            text = self.run(f"return document.querySelector({selector!r})?.innerText")
            if text and re.search(pattern, text):
                return str(text)
            time.sleep(0.1)
        return pytest.fail(f"{selector} still says {text!r}")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = requests.request(method, url, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["value"]
