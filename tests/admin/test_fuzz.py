"""Every page and form of the panel with odd values, as each role: nothing answers 5xx.

A crawl from the dashboard finds pages and forms by themselves; each is asked for with odd values
in one parameter or field at a time, all of them in turn.
"""

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from ..panel import Panel
from .test_roles import LOGINS, ROLES, scene  # noqa: F401  # a fixture

ODD = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "٣",
    "9" * 19,
    "9" * 30,
    "ü" * 300,
    "x" * 5000,
    "\0",
    "a\r\nSet-Cookie: b=c",
    "'\"<script>{{7*7}}%s%",
    "../../etc/passwd",
    "//evil.example/",
    "😀",
    "\\",
    "%",
    "null",
    "[]",
]
# As bytes that are no UTF-8; the last is half a character.
ODD_BYTES = ["%ff%fe", "%ed%a0%80"]
# Parameters that pages understand, whether a link has them or not.
KNOWN = ("page", "page_size", "sort", "desc", "search", "id", "url", "look", "name", "query")
KNOWN += ("limit", "offset", "flt0_name_begins_with", "flt1_id_is", "flt0_project_is", "project")
KNOWN += ("endpoint", "_scheme", "_external", "_method", "export_type", "name", "values")
KNOWN += ("flt3_by_is", "flt1_state_is", "owner", "download", "next", "flt_", "flt0_0", "modal")
KNOWN += ("flt2_rating_is",)
# A way out, and what ends the crawl's own session.
LEFT_OUT = ("/admin/login/out/", "/admin/account/password/")


def shape(url: str) -> tuple[str, tuple[str, ...]]:
    """What makes two addresses the same page: without ids and values."""
    parts = urlsplit(url)
    path = re.sub(r"[0-9a-f]{64}|\d+", "N", parts.path)
    return path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))


def inside(url: str) -> bool:
    return url.startswith("/admin/") and not url.startswith("/admin/assets/")


class Crawl:
    """The pages and forms that a caller can reach, each shape once."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.pages: dict[object, str] = {}
        self.forms: dict[object, tuple[str, list[tuple[str, str]]]] = {}

    def run(self) -> None:
        waiting = ["/admin/", "/admin/login/"]
        while waiting:
            url = waiting.pop()
            if not inside(url) or shape(url) in self.pages:
                continue
            self.pages[shape(url)] = url
            response = self.panel.get(url, expect_errors=True)
            assert response.status_int < 500, url
            if response.location:
                waiting.append(response.location.removeprefix("http://localhost"))
            if response.content_type != "text/html":
                continue
            html = response.html
            waiting += [tag["href"] for tag in html.select("a[href]")]
            waiting += [tag["src"] for tag in html.select("img[src]")]
            waiting += [tag["href"] for tag in html.select("image[href]")]
            for form in html.select("form[method=post]"):
                self.note(form, url)

    def note(self, form, url: str) -> None:
        action = form.get("action") or url
        fields = []
        for tag in form.select("input[name], textarea[name], select[name], button[name]"):
            if tag["name"] != "csrf_token" and tag.get("type") != "file":
                value = tag.get("value") or tag.get_text() or ""
                fields.append((tag["name"], value))
        key = (shape(action), tuple(name for name, _ in fields))
        self.forms.setdefault(key, (action, fields))


@pytest.fixture(params=ROLES)
def caller(app, scene, request):  # noqa: F811
    panel = Panel(app.app)
    if request.param != "nobody":
        panel.log_in(LOGINS[request.param])
    return panel


def test_nothing_answers_500(caller):
    crawl = Crawl(caller)
    crawl.run()
    assert crawl.pages
    token = caller.csrf()
    failed = []

    def note(what, response):
        if response.status_int >= 500:
            failed.append((response.status, what))

    for number, url in enumerate(crawl.pages.values()):
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        # Each parameter meets each value on some page; all of both on all would take minutes.
        for place, name in enumerate([*given, *KNOWN[number % 4 :: 4]]):
            odd = [*map(quote, ODD), *ODD_BYTES][(number * 7 + place) % (len(ODD) + 2)]
            query = urlencode({key: value for key, value in given.items() if key != name})
            asked = f"{parts.path}?{query}&{name}={odd}"
            note(asked, caller.get(asked, expect_errors=True))
    for number, (action, fields) in enumerate(crawl.forms.values()):
        if action.startswith(LEFT_OUT):
            continue
        for place, (name, _) in enumerate([*fields, ("rowid", ""), ("url", "")]):
            for turn in range(2):
                odd = ODD[(number * 5 + place + turn * 7) % len(ODD)]
                sent = [(key, value) for key, value in fields if key != name]
                sent += [(name, odd), ("csrf_token", token)]
                note((action, name, odd), caller.post(action, sent, expect_errors=True, status="*"))
        note(action, caller.post(action, {}, status="*"))
        note(
            action, caller.post(action, "csrf_token=" + token + "&rowid=%ff&action=%00", status="*")
        )
    assert failed == []
