"""What all lists and forms of the panel share: paging, filters, counts, CSV files, actions."""

from urllib.parse import quote

import pytest

from ar_targets.admin import noun_view
from ar_targets.admin.noun_view import NounView
from ar_targets.models.project import Project
from ar_targets.models.target import Target
from ar_targets.models.user import User

from ..panel import exported, logged_in, names, row_form, shown_count
from ..tables import project as projects
from ..tables import user as users

LISTS = (
    *("user", "project", "token", "target", "member", "audit"),
    *("trash/user", "trash/project", "trash/target"),
)
USERS, TARGETS = "/admin/user/", "/admin/target/"
TOO_DEEP = "A list shows 10,000 rows at most: narrow it by a filter."


@pytest.fixture
def crowd(stage, monkeypatch):
    """Users on pages of three."""
    monkeypatch.setattr(NounView, "page_size", 3)
    return [stage.user(f"u{number:02}").login for number in range(8)]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?sort=0",
        "?sort=0&desc=1",
        "?sort=1",
        "?sort=2",
        "?sort=2&desc=1",
        "?flt0_login_begins_with=u",
        "?flt1_role_is=user",
        "?flt0_login_begins_with=u&flt1_role_is=user",
    ],
)
def test_there_and_back(panel, crowd, query):
    """Each row is on one page, in both directions, and filters and order go along."""
    pages = [panel.get(USERS + query)]
    while pages[-1].html.select_one("[rel=next]"):
        pages.append(panel.get(pages[-1].html.select_one("[rel=next]")["href"]))
    forth = [names(page) for page in pages]
    everybody = [name for page in forth for name in page]
    assert sorted({*everybody} - {"ada"}) == crowd
    assert len(everybody) == len({*everybody})
    if "sort=0" in query:
        assert everybody == sorted(everybody, reverse="desc" in query)
    elif not query.startswith("?flt0"):
        # By the time of their creation, the latest first where nothing else is asked for.
        expected = ["ada", *crowd] if query == "?sort=2" else [*crowd[::-1], "ada"]
        assert everybody == [name for name in expected if name != "ada" or "flt1" not in query]
    page, back = pages[-1], [forth[-1]]
    while page.html.select_one("[rel=prev]"):
        page = panel.get(page.html.select_one("[rel=prev]")["href"])
        back.append(names(page))
    assert back[::-1] == forth


def test_a_list_ends_at_ten_thousand_rows(panel, owner):
    assert NounView.export_max_rows == 10_000
    last = panel.get(f"{USERS}?page=199")
    assert TOO_DEEP not in last
    assert "No user is found." in last
    for page in (200, 201, 10**12):
        deep = panel.get(f"{USERS}?page={page}")
        assert TOO_DEEP in deep
        assert names(deep) == []
    assert names(panel.get(f"{USERS}?page=-1")) == ["olga", "ada"]


def test_no_row_below_the_last_page(panel, crowd, monkeypatch):
    monkeypatch.setattr(noun_view, "DEEPEST", 6)
    monkeypatch.setattr(NounView, "export_max_rows", 6)
    assert [len(names(panel.get(f"{USERS}?page={page}"))) for page in range(4)] == [3, 3, 0, 0]
    assert "narrow it by a filter" in panel.get(f"{USERS}?page=2")
    assert len(exported(panel.get(f"{USERS}export/csv/"))) == 6


def test_the_first_rows_of_many_projects(app, stage, owner, project, monkeypatch):
    """A list of what is in several projects reads no more rows than it may show."""
    second = stage.project(owner, "second")
    for number in range(4):
        stage.target(second if number % 2 else project, name=f"t{number}")
    panel = logged_in(app, "olga")
    created = 5
    oldest = f"{TARGETS}?sort={created}"
    assert names(panel.get(TARGETS)) == ["t3", "t2", "t1", "t0"]
    assert names(panel.get(oldest)) == ["t0", "t1", "t2", "t3"]
    monkeypatch.setattr(NounView, "page_size", 1)
    monkeypatch.setattr(noun_view, "DEEPEST", 3)
    for place, both in enumerate([("t3", "t0"), ("t2", "t1"), ("t1", "t2")]):
        shown = [
            names(panel.get(url)) for url in (f"{TARGETS}?page={place}", f"{oldest}&page={place}")
        ]
        assert shown == [[name] for name in both]
    assert names(panel.get(f"{TARGETS}?page=3")) == []


def test_counts(app, panel, stage, owner, monkeypatch):
    for name in ("Zoo", "Park"):
        stage.project(owner, name)
    olga = logged_in(app, "olga")
    for each in (panel, olga):
        assert shown_count(each.get("/admin/project/")) == "2"
    monkeypatch.setattr(noun_view, "COUNTED", 1)
    assert shown_count(panel.get("/admin/project/")) == "about 2"
    assert shown_count(olga.get("/admin/project/")) == "more than 1"
    # What a filter finds is not counted: it may be anything between none and all.
    assert panel.get("/admin/project/?flt0_name_begins_with=Z").html.select_one(".count") is None


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("user/?flt1_role_is=king", "king"),
        ("project/?flt2_whose_is=theirs", "theirs"),
        ("token/?flt1_state_is=asleep", "asleep"),
        ("token/?flt2_access_is=admin", "admin"),
        ("audit/?flt0_row_is=nothing", "nothing"),
        ("audit/?flt1_id_is=three", "three"),
        ("audit/?flt1_id_is=-3", "-3"),
        ("audit/?flt2_action_is=dance", "dance"),
    ],
)
def test_filters_that_do_not_exist(panel, owner, project, write_token, query, value):
    plain = panel.get("/admin/" + query.partition("?")[0])
    page = panel.get(f"/admin/{query}", status=200)
    assert page.html.select_one(".message.danger").get_text() == f"Invalid Filter Value: {value}"
    assert len(page.html.select("tbody tr")) >= len(plain.html.select("tbody tr")) > 0
    # It is said once.
    assert panel.get("/admin/account/").html.select(".message") == []


@pytest.mark.parametrize("noun", LISTS)
def test_odd_arguments_are_left_out(panel, project, noun):
    shown = len(panel.get(f"/admin/{noun}/").html.select("tbody tr"))
    for query in (
        *("sort=99", "sort=-1", "sort=x", "desc=x", "page=x", "page_size=100000", "search=x"),
        *("flt_", "flt0", "flt0_secret_is=x", "fltx_=1", "look=mosaic", "modal=1"),
    ):
        page = panel.get(f"/admin/{noun}/?{query}", status=200)
        assert len(page.html.select("tbody tr")) == shown, query


@pytest.mark.parametrize("noun", LISTS)
def test_empty_filters_are_none(panel, project, target, write_token, noun):
    path = f"/admin/{noun}/"
    plain = panel.get(path)
    fields = plain.html.select("form.tools [name^=flt]")
    empty = "&".join(f"{field['name']}=" for field in fields)
    blank = "&".join(f"{field['name']}=%20" for field in fields if field.name == "input")
    for query in (empty, blank):
        page = panel.get(f"{path}?{query}")
        rows = page.html.select("tbody tr")
        assert len(rows) == len(plain.html.select("tbody tr")), query
        assert page.html.select(".message.danger") == []


@pytest.mark.parametrize("text", ["ü" * 300, "😀", "\0", "%", "_", "x" * 3000, "user:1", "'\"\\"])
@pytest.mark.parametrize("noun", LISTS)
def test_filters_that_find_nothing(panel, project, target, write_token, noun, text):
    path = f"/admin/{noun}/"
    for field in panel.get(path).html.select("form.tools input[name^=flt]"):
        page = panel.get(f"{path}?{field['name']}={quote(text)}", status=200)
        assert page.html.select("tbody tr") == [] or page.html.select(".message.danger")


def test_filters_stay_typed(panel, owner):
    page = panel.get(f"{USERS}?flt0_login_begins_with=ol&flt1_role_is=user&sort=0&desc=1&look=x")
    form = page.html.select_one("form.tools")
    assert form.select_one("[name=flt0_login_begins_with]")["value"] == "ol"
    assert form.select_one("[name=flt1_role_is] [selected]")["value"] == "user"
    hidden = {tag["name"]: tag["value"] for tag in form.select("[type=hidden]")}
    assert hidden == {"sort": "0", "desc": "1", "look": "x"}
    everything = page.click("Show all")
    assert names(everything) == ["olga", "ada"]
    assert "Show all" not in everything


SORTED = {
    "user": ["Login", "Created"],
    "project": ["Name", "Created"],
    "token": ["Expires", "Created"],
    "target": ["Created"],
    "audit": ["When"],
    "trash/user": ["Deleted"],
    "trash/project": ["Deleted"],
    "trash/target": ["Deleted"],
}


@pytest.mark.parametrize("noun", SORTED)
def test_headings_that_sort(panel, stage, owner, project, target, write_token, noun):
    for gone in (stage.target(project), stage.target(project)):
        stage.delete(Target, gone.id)
    for name in ("second", "third"):
        stage.delete(Project, stage.project(owner, name).id)
        stage.delete(User, stage.user(name).id)
    stage.app(project)
    stage.project(owner, "fourth")
    stage.target(project)
    page = panel.get(f"/admin/{noun}/")
    headings = page.html.select("th a")
    assert [tag.get_text() for tag in headings] == SORTED[noun]
    for tag in headings:
        once = panel.get(tag["href"])
        twice = once.click(tag.get_text())
        assert len(names(once)) > 1
        assert names(twice) == names(once)[::-1]


def test_headings_sort_both_ways(panel, stage):
    for login in ("bert", "anna"):
        stage.user(login)
    page = panel.get(USERS).click("Login")
    assert names(page) == ["ada", "anna", "bert"]
    heading = page.html.select_one("th[aria-sort]")
    assert (heading.get_text(), heading["aria-sort"]) == ("Login", "ascending")
    page = page.click("Login")
    assert names(page) == ["bert", "anna", "ada"]
    assert page.html.select_one("th[aria-sort]")["aria-sort"] == "descending"
    assert names(page.click("Login")) == ["ada", "anna", "bert"]
    assert names(panel.get(USERS).click("Created")) == ["ada", "bert", "anna"]
    # No index has the order of a role.
    assert panel.get(USERS).html.find("a", string="Role") is None
    assert names(panel.get(f"{USERS}?sort=1")) == ["anna", "bert", "ada"]
    # Where a filter sets the order, no heading does.
    narrowed = panel.get(f"{USERS}?flt0_login_begins_with=a")
    assert narrowed.html.select("th a") == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_no_cell_of_an_exported_file_is_a_formula(panel, stage, project, text):
    stage.target(project, description=text)
    (row,) = exported(panel.get(f"{TARGETS}export/csv/"))
    assert row["Description"] == f"'{text}"


@pytest.mark.parametrize("text", ["a=1", "1-1", 'say "hi", twice', "two\nlines", "Grüße 😀"])
def test_other_cells_are_exported_as_they_are(panel, stage, project, text):
    stage.target(project, description=text)
    (row,) = exported(panel.get(f"{TARGETS}export/csv/"))
    assert row["Description"] == text


@pytest.mark.parametrize("noun", LISTS)
def test_every_list_is_exported(panel, stage, owner, project, target, write_token, viewer, noun):
    gone = stage.target(project, name="gone")
    stage.delete(Target, gone.id)
    response = panel.get(f"/admin/{noun}/export/csv/")
    assert response.headers["Content-Disposition"].startswith("attachment;filename=")
    rows = exported(response)
    assert len(rows) == len(panel.get(f"/admin/{noun}/").html.select("tbody tr"))
    assert all(None not in row for row in rows)


def test_an_export_has_the_filters_of_its_list(panel, stage, owner):
    stage.user("oleg")
    page = panel.get(f"{USERS}?flt0_login_begins_with=o").click("CSV")
    assert [row["Login"] for row in exported(page)] == ["oleg", "olga"]


def test_other_formats_are_not_exported(panel):
    for kind in ("xlsx", "json", "html"):
        assert "Permission denied" in panel.said(panel.get(f"{USERS}export/{kind}/", status=302))


def test_an_action_is_for_some_rows_of_a_page(panel, stage, monkeypatch):
    monkeypatch.setattr(NounView, "page_size", 2)
    made = [stage.user(f"u{number}").id for number in range(3)]
    said = panel.said(panel.act("user", "delete", *made, *made))
    assert "2 users: in the trash" in said
    assert sum(row["deleted_at"] is not None for row in stage.rows(users)) == 2


def test_actions_without_rows_and_rows_without_actions(panel, stage, owner):
    for action, ids in (("delete", ()), ("nonsense", (owner.id,)), ("", (owner.id,))):
        panel.act("user", action, *ids)
    for odd in ("x", "-1", "", "9" * 30, "1 OR 1=1", "٣"):
        panel.act("user", "delete", odd)
    assert [row["deleted_at"] for row in stage.rows(users)] == [None, None]


def test_a_row_that_is_refused_keeps_no_other_from_its_action(panel, stage, administrator, owner):
    said = panel.said(panel.act("user", "delete", administrator.id, owner.id))
    assert "ada: this is the last administrator" in said
    assert "olga: in the trash" in said


def test_an_action_leads_back_to_its_list_and_nowhere_else(panel, stage, project):
    back = "/admin/project/?flt0_name_begins_with=Z"
    assert panel.act("project", "delete", url=back).location == f"http://localhost{back}"
    for url in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"):
        led = panel.act("project", "delete", url=url).location
        assert led.startswith("http://localhost/")
        page = panel.get(f"/admin/project/new/?url={quote(url)}", status=200)
        cancel = page.html.find("a", string="Cancel")["href"]
        assert cancel.startswith("/"), cancel
        assert not cancel.startswith(("//", "/\\"))


def test_forms_without_fields(panel, project, stage):
    """A form that lacks all of its fields is refused, and changes nothing."""
    before = stage.rows(projects)
    for path in ("user/new/", "project/new/", "token/new/", "target/new/"):
        panel.send(f"/admin/{path}", status=400)
    assert stage.rows(projects) == before


@pytest.mark.parametrize("noun", ["audit", "trash/project", "trash/target", "trash/user"])
def test_lists_that_only_show(panel, project, noun):
    for page in ("new/", "edit/?id=1", f"edit/?id={project.id}", f"details/?id={project.id}"):
        panel.get(f"/admin/{noun}/{page}", status=302)
        panel.get(f"/admin/{noun}/ajax/lookup/?name=nothing", status=404)
    panel.send(f"/admin/{noun}/delete/", id=str(project.id), status=302)
    panel.send(f"/admin/{noun}/ajax/update/", list_form_pk="1", status=404)


def test_cancel_leads_back(panel, project):
    page = panel.get(f"/admin/project/edit/?id={project.id}")
    assert (
        page.html.find("a", string="Cancel")["href"] == f"/admin/project/details/?id={project.id}"
    )
    assert row_form(page).method.lower() == "post"
    new = panel.get("/admin/project/new/")
    assert new.html.find("a", string="Cancel")["href"] == "/admin/project/"
