"""A client of the admin panel: keeps its cookie, sends CSRF tokens, checks every response."""

import csv
import re
from typing import Any

import webtest

from ar_targets.admin.authentication import HEADERS, SECRET_PATH

from .actors import PASSWORD

FORBIDDEN = re.compile(
    r"Traceback|File \"/|sqlalchemy|pymysql|\bSELECT\b|\bINSERT\b|\$argon2|password_hash|jinja"
)
# What a Content-Security-Policy would stop: scripts and styles that are part of a page.
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:")
# What would ask another host.
FOREIGN = re.compile(r"(?:src|href|action)=\"(?:https?:)?//(?!localhost(?::80)?/)")
POLICY = re.compile(
    r"default-src 'none'; script-src 'self' 'nonce-[\w-]{22}'; style-src 'self' 'nonce-[\w-]{22}'; "
    r"img-src 'self' blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    r"base-uri 'none'"
)


class Panel(webtest.TestApp):
    """``panel`` in the tests: nobody, until `log_in`."""

    def do_request(self, req, status=None, expect_errors=None):
        response = super().do_request(req, status, expect_errors)
        check(response)
        return response

    @property
    def registry(self) -> Any:
        """The registry of the Pyramid application."""
        return self.app.registry

    def csrf(self) -> str:
        """The token of the page that anybody sees; it is the session's."""
        page = self.get("/admin/account/" if "ar_targets_admin" in self.cookies else LOGIN)
        page = page.follow() if page.status_int == 303 else page
        return page.html.find("meta", {"name": "csrf-token"})["content"]

    def log_in(self, login: str = "ada", password: str = PASSWORD, status: int = 303):
        """Log in by the form."""
        page = self.get(LOGIN)
        form = page.forms[0]
        form["login"], form["password"] = login, password
        return form.submit(status=status)

    def send(self, path: str, status: int | None = None, files=None, accept="text/html", **fields):
        """POST a form with the session's CSRF token."""
        fields["csrf_token"] = self.csrf()
        headers = {"Accept": accept}
        return self.post(path, fields, headers=headers, upload_files=files, status=status)

    def act(self, view: str, action: str, *ids: int, status: int = 302, **fields):
        """An action on some rows of a list."""
        pairs = [*fields.items(), ("action", action), ("csrf_token", self.csrf())]
        pairs += [("rowid", str(row_id)) for row_id in ids]
        return self.post(f"/admin/{view}/action/", pairs, status=status)

    def said(self, response) -> str:
        """The messages on the page that a change leads to."""
        page = response.follow()
        return " ".join(tag.get_text(" ", strip=True) for tag in page.html.select(".message"))


LOGIN = "/admin/login/"


def check(response) -> None:
    """What holds for every response of the panel."""
    headers = HEADERS
    if response.request.path.startswith(SECRET_PATH):
        headers = headers | {"Referrer-Policy": "no-referrer"}
    for name, value in headers.items():
        assert response.headers[name] == value, (name, response)
    assert POLICY.fullmatch(response.headers["Content-Security-Policy"])
    assert response.headers["Cache-Control"]
    if response.content_type == "text/html":
        assert response.headers["Cache-Control"] == "no-store"
        assert not FORBIDDEN.search(response.text)
        assert not INLINE.search(response.text)
        assert not FOREIGN.search(response.text)


def logged_in(app, login: str) -> Panel:
    """Another browser, in which a user is logged in."""
    panel = Panel(app.app)
    panel.log_in(login)
    return panel


def names(response) -> list[str]:
    """The names in a list, from top to bottom."""
    rows = response.html.select("tbody tr")
    return [row.select_one(".name").get_text(strip=True) for row in rows]


def gallery(response) -> list[str]:
    """The names in a list with pictures alone."""
    return [tag.get_text(strip=True) for tag in response.html.select(".grid a span")]


def shown_count(response) -> str:
    """How many rows a list says that there are."""
    return response.html.select_one("h1 .count").get_text(strip=True)


def row_form(response):
    """The form about a row; each page has others, such as that of the logout."""
    return next(form for form in response.forms.values() if "revision" in form.fields)


def exported(response) -> list[dict[str, str]]:
    """The rows of a CSV file, by their headings."""
    assert response.content_type == "text/csv"
    return list(csv.DictReader(response.text.splitlines(keepends=True)))


def wrong(response) -> dict[str, str]:
    """What a page says beside its fields, and above them."""
    tags = response.html.select(".wrong")
    notes = {tag["id"].removeprefix("wrong-"): tag.get_text() for tag in tags}
    whole = response.html.select_one(".message.danger")
    return notes | ({"": whole.get_text()} if whole else {})
