"""MindAR's own runtime, in headless Chromium: the referee."""

import base64
import functools
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from .camera import Shot

HERE = Path(__file__).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# WebGL without a GPU.
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# What MindAR's own tools recommend as a target's long side, at most.
LONG_SIDE = 512


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """None."""


class Referee:
    """A page with MindAR in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def judge(self, image: np.ndarray, shots: list[Shot]) -> list[float | None]:
        """For each frame how far off MindAR's corners are; None where it finds nothing."""
        factor = min(1.0, LONG_SIDE / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        found = self.page.evaluate(
            "([picture, frames]) => judge(picture, frames)",
            [text(picture), [text(shot.jpeg) for shot in shots]],
        )
        return [
            corners and float(np.linalg.norm(np.subtract(corners, shot.corners), axis=1).max())
            for corners, shot in zip(found, shots, strict=True)
        ]


def text(data: bytes) -> str:
    """In base64."""
    return base64.b64encode(data).decode()


@contextmanager
def referee() -> Iterator[Referee]:
    """Open the page; MindAR comes from npm at the first time."""
    if not (HERE / "node_modules" / "mind-ar").exists():
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=True)
    with served(HERE) as address, sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, CHROMIUM)))
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page()
        page.goto(f"{address}/referee.html")
        page.wait_for_function("window.ready")
        yield Referee(page)
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address on this machine."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
