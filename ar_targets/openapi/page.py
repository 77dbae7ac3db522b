"""The pages ``/`` and ``/api/docs`` with their files; the latter is Swagger UI from its package.

All are kept in memory. Nothing is loaded from another host.
"""

import functools
import hashlib
import html
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

HERE = Path(__file__).parent
# Located without importing the package, which would import Flask.
BUNDLE = Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))

JAVASCRIPT, CSS, PNG = "text/javascript", "text/css", "image/png"
# File name → its directory and media type.
ASSETS = {
    "docs.css": (HERE, CSS),
    "docs-plugin.js": (HERE, JAVASCRIPT),
    "docs-tokens.js": (HERE, JAVASCRIPT),
    "docs.js": (HERE, JAVASCRIPT),
    "favicon-32x32.png": (BUNDLE, PNG),
    "index.css": (HERE, CSS),
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
    """The HTML of the documentation, for a server whose URL has the path ``prefix``."""
    api = html.escape(f"{prefix}/api")
    return template("docs.html").substitute(
        asset_addresses(api), api=api, description=f"{api}/openapi.json"
    )


def index_page(links: Mapping[str, Any]) -> str:
    """The HTML of the first page, from what `ar_targets.views.index` has found."""
    shown = {name: html.escape(str(value)) for name, value in links.items()}
    state, readiness = (
        ("ready", "This server is ready.")
        if links["ready"]
        else ("unready", "It is not ready: its database cannot be used. See its log.")
    )
    panel = f'<li><a href="{shown["panel"]}">Admin panel</a>, for administrators</li>'
    more = {"state": state, "readiness": readiness, "panel": panel if links["panel"] else ""}
    return template("index.html").substitute(shown | asset_addresses(shown["api"]) | more)


def asset_addresses(api: str) -> dict[str, str]:
    """Placeholder of each file → its URL below ``api``, which is HTML.

    The entity tag of each file is in its URL, so that browsers may cache files for
    long and still load all files of a new version.
    """
    return {
        name.replace("-", "_").replace(".", "_"): f"{api}/docs/{name}?{asset.etag}"
        for name, asset in load_assets().items()
    }


@functools.cache
def template(name: str) -> Template:
    """A page's HTML with placeholders."""
    return Template((HERE / name).read_text(encoding="utf-8"))
