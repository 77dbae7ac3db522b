"""The files of ``/api/docs``: Swagger UI from its package, with our own HTML, CSS and script.

All are kept in memory. Nothing is loaded from another host.
"""

import functools
import hashlib
import html
from importlib.metadata import distribution
from pathlib import Path
from string import Template
from typing import NamedTuple

HERE = Path(__file__).parent
# Located without importing the package, which would import Flask.
BUNDLE = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))

JAVASCRIPT, CSS, PNG = "text/javascript", "text/css", "image/png"
# File name → its directory and media type.
ASSETS = {
    "docs.css": (HERE, CSS),
    "docs.js": (HERE, JAVASCRIPT),
    "favicon-32x32.png": (BUNDLE, PNG),
    "swagger-ui-bundle.js": (BUNDLE, JAVASCRIPT),
    "swagger-ui.css": (BUNDLE, CSS),
}


class Asset(NamedTuple):
    """A static file of the page."""

    body: bytes
    media_type: str
    etag: str


@functools.cache
def load_assets() -> dict[str, Asset]:
    """All files by name."""
    assets = {}
    for name, (folder, media_type) in ASSETS.items():
        body = (folder / name).read_bytes()
        assets[name] = Asset(body, media_type, hashlib.sha256(body).hexdigest()[:16])
    return assets


def page(prefix: str) -> str:
    """The page's HTML, for a server whose URL has the path ``prefix``.

    The entity tag of each file is in its URL, so that browsers may cache files for
    long and still load all files of a new version.
    """
    api = html.escape(f"{prefix}/api")
    addresses = {
        name.replace("-", "_").replace(".", "_"): f"{api}/docs/{name}?{asset.etag}"
        for name, asset in load_assets().items()
    }
    return template().substitute(addresses, description=f"{api}/openapi.json")


@functools.cache
def template() -> Template:
    """The page's HTML with placeholders for URLs."""
    return Template((HERE / "docs.html").read_text(encoding="utf-8"))
