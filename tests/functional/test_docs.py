"""``/api/docs``: the page and its files; what a browser makes of them: ``tests/browser``."""

import re

import pytest

DOCS = "/api/docs"
FILES = ["docs.css", "docs.js", "favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css"]


# What docs.js imports; they have no tag in their address.
IMPORTED = ["docs-plugin.js", "docs-tokens.js"]


def addresses(page):
    """All that the page loads or links to."""
    return re.findall(r'(?:href|src|data-description)="([^"]*)"', page.text)


@pytest.mark.parametrize("prefix", ["", "/ar"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_page_names_this_server_alone(app, prefix, slash):
    page = app.get(DOCS + slash, extra_environ={"SCRIPT_NAME": prefix})
    found = addresses(page)
    assert len(found) > len(FILES)
    for address in found:
        assert address.startswith(f"{prefix}/api/")
        assert app.get(address.removeprefix(prefix)).status_int == 200
    assert not re.search(r"(https?:)?//\w", page.text)


def test_a_prefix_cannot_break_out_of_the_page(app):
    page = app.get(DOCS, extra_environ={"SCRIPT_NAME": '/"><script>'})
    assert "<script>" not in page


def test_the_page_may_load_from_this_server_alone(app):
    page = app.get(DOCS)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    assert not re.search(r"<script>|<style|style=| on\w+=", page.text)


@pytest.mark.parametrize("name", FILES)
def test_files_are_kept_where_their_address_has_their_tag(app, name):
    [address] = [one for one in addresses(app.get(DOCS)) if f"/{name}?" in one]
    kept = app.get(address)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    asked = app.get(f"{DOCS}/{name}")
    assert asked.headers["Cache-Control"] == "no-cache"
    assert asked.body == kept.body
    tag = {"If-None-Match": kept.headers["ETag"]}
    app.get(address, headers=tag, status=304)
    assert app.head(address).headers["ETag"] == kept.headers["ETag"]


def test_what_the_script_imports_is_there(app):
    script = app.get(f"{DOCS}/docs.js").text
    assert re.findall(r'from "\./([^"]+)"', script) == IMPORTED
    for name in IMPORTED:
        imported = app.get(f"{DOCS}/{name}")
        assert imported.content_type == "text/javascript"
        assert imported.headers["Cache-Control"] == "no-cache"


OTHERS = ["zoo.js", "docs.html", "description.yaml", "../live", "%2e%2e/x", "docs.jsx", "x/docs.js"]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_files_are_no_paths(app, name, method):
    app.call(method, f"{DOCS}/{name}", status=404)


@pytest.mark.parametrize("path", [DOCS, f"{DOCS}/docs.js", "/api/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_they_can_only_be_read(app, path, method):
    app.call(method, path, status=405)
