"""Paging in the panel: every row once, in both directions, and windows for what no index finds."""

import pytest

from ar_targets.admin import listing
from ar_targets.models import keyset

from ..panel import names

LISTS = [
    "?order=id",
    "?order=login",
    "?order=login&reverse=1",
    "?q=u",
    "?role=user",
    "?q=u&role=user",
]


@pytest.fixture
def crowd(stage, monkeypatch):
    """Users with neighbours of the same name but for the case, on pages of three."""
    monkeypatch.setattr(listing.read, "__kwdefaults__", listing.read.__kwdefaults__ | {"rows": 3})
    return [stage.user(f"u{number:02}").login for number in range(8)]


@pytest.mark.parametrize("query", LISTS)
def test_there_and_back(panel, crowd, query):
    pages = [panel.get(f"/admin/user/{query}")]
    while pages[-1].html.select_one("[rel=next]"):
        pages.append(panel.get(pages[-1].html.select_one("[rel=next]")["href"]))
    forth = [names(page) for page in pages]
    everybody = [name for page in forth for name in page]
    assert sorted(set(everybody) - {"ada"}) == crowd
    assert len(everybody) == len(set(everybody))
    back = [forth[-1]]
    page = pages[-1]
    while page.html.select_one("[rel=prev]"):
        page = panel.get(page.html.select_one("[rel=prev]")["href"])
        back.append(names(page))
    assert back[::-1] == forth


def test_windows(panel, stage, project, monkeypatch):
    monkeypatch.setattr(keyset, "WINDOW", 4)
    for number in range(10):
        stage.target(project, description="wanted" if number in (0, 9) else f"other {number}")
    page = panel.get("/admin/target/?q=wanted")
    assert names(page) == ["wanted"]
    assert "Looked through 4 rows" in page
    found, seen = [], 0
    while page.html.select_one("[rel=next]"):
        page = panel.get(page.html.select_one("[rel=next]")["href"])
        found += names(page)
        seen += 1
    assert found == ["wanted"]
    assert seen == 2


def test_windows_by_a_moment(panel, stage, project, monkeypatch):
    monkeypatch.setattr(keyset, "WINDOW", 2)
    made = [stage.app(project, ttl=60 + number) for number in range(5)]
    page = panel.get("/admin/token/?state=valid")
    shown = names(page)
    while page.html.select_one("[rel=next]"):
        page = panel.get(page.html.select_one("[rel=next]")["href"])
        shown += names(page)
    assert shown == [f"Token #{app.id}" for app in made]


def test_more_than_are_counted(panel, stage, monkeypatch):
    monkeypatch.setattr(keyset, "COUNTED", 1)
    assert panel.get("/admin/user/").html.select_one(".count").get_text() == "1"
    stage.user("second")
    assert "more than" in panel.get("/admin/user/").html.select_one(".count").get_text()


@pytest.mark.parametrize(
    "place", ["x", "e30", "WzEsMl0x", "W251bGwsMV0", "W1tdLDFd", "WzEsLTFd", "WzEsMS41XQ", "é"]
)
def test_a_place_that_is_none(panel, place):
    response = panel.get("/admin/user/", {"after": place}, status=400)
    assert "begin at its start" in response


def test_odd_arguments_are_left_out(panel):
    for query in ("?order=password_hash", "?role=king", "?reverse=maybe", "?q=" + "x" * 5000):
        panel.get(f"/admin/user/{query}", status=200)


def test_patterns():
    assert keyset.contains(r"50%_\ ") == r"%50\%\_\\ %"
    assert keyset.starts_with("a") == "a%"
