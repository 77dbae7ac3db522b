"""A client of the admin panel: keeps its cookie, sends CSRF tokens, checks every response."""

import re
from typing import Any

import webtest

from ar_targets.admin.authentication import HEADERS

from .actors import PASSWORD

FORBIDDEN = re.compile(
    r"Traceback|File \"/|sqlalchemy|pymysql|\bSELECT\b|\bINSERT\b|\$argon2|password_hash|jinja"
)
# What a Content-Security-Policy would stop: scripts and styles that are part of a page.
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:")
# What would ask another host.
FOREIGN = re.compile(r"(?:src|href|action)=\"(?:https?:)?//(?!localhost(?::80)?/)")


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
        page = self.get("/admin/user/new/" if "ar_targets_admin" in self.cookies else LOGIN)
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

    def said(self, response) -> str:
        """The messages on the page that a change leads to."""
        page = response.follow()
        return " ".join(tag.get_text(" ", strip=True) for tag in page.html.select(".message"))


LOGIN = "/admin/login/"


def check(response) -> None:
    """What holds for every response of the panel."""
    for name, value in HEADERS.items():
        assert response.headers[name] == value, (name, response)
    assert response.headers["Cache-Control"]
    if response.content_type == "text/html":
        assert response.headers["Cache-Control"] == "no-store"
        assert not FORBIDDEN.search(response.text)
        assert not INLINE.search(response.text)
        assert not FOREIGN.search(response.text)


def names(response) -> list[str]:
    """The names in a list, from top to bottom."""
    return [tag.get_text(strip=True) for tag in response.html.select("tbody .name")]


def wrong(response) -> dict[str, str]:
    """What a page says beside its fields, and above them."""
    tags = response.html.select(".wrong")
    notes = {tag["id"].removeprefix("wrong-"): tag.get_text() for tag in tags}
    whole = response.html.select_one(".message.danger")
    return notes | ({"": whole.get_text()} if whole else {})
