"""The files of ``/api/docs``: Swagger UI as its package ships it, and our few lines around it.

All are in memory. Nothing comes from another host.
"""

import functools
import hashlib
import html
from importlib.metadata import distribution
from pathlib import Path
from string import Template
from typing import NamedTuple

HERE = Path(__file__).parent
# The package's folder is looked up, not imported: that would import its web framework.
BUNDLE = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))

JAVASCRIPT, CSS, PNG = "text/javascript", "text/css", "image/png"
# Name → where it is, and its media type.
ASSETS = {
    "docs.css": (HERE, CSS),
    "docs.js": (HERE, JAVASCRIPT),
    "favicon-32x32.png": (BUNDLE, PNG),
    "swagger-ui-bundle.js": (BUNDLE, JAVASCRIPT),
    "swagger-ui.css": (BUNDLE, CSS),
}


class Asset(NamedTuple):
    """A file that the page loads."""

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
    """The HTML, for a server that is mounted at ``prefix``.

    The tag of each file is in its address, so that browsers may keep it for
    long, and still load a new version's files all together.
    """
    api = html.escape(f"{prefix}/api")
    addresses = {
        name.replace("-", "_").replace(".", "_"): f"{api}/docs/{name}?{asset.etag}"
        for name, asset in load_assets().items()
    }
    return template().substitute(addresses, description=f"{api}/openapi.json")


@functools.cache
def template() -> Template:
    """The page with places for addresses."""
    return Template((HERE / "docs.html").read_text(encoding="utf-8"))
