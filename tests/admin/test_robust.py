"""What people and scanners send to the panel that no page of it would: never an answer of 500."""

from urllib.parse import quote

import pytest
import webtest

from ..actors import PASSWORD

LISTS = (
    *("user", "project", "token", "target", "audit"),
    *("trash/user", "trash/project", "trash/target"),
)
ODD = ["", "-1", "1.5", "٣", "²", "1e9", "9" * 30, "\0", "ü" * 300, "secret", "None", "%"]


@pytest.mark.parametrize("host", ["a..b", ".", "[", "a" * 300, "\xfc", "a:b:c", "a b", "a:", "x/y"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/x", "/api/project", "/"])
def test_a_host_that_is_none(app, host, path):
    # It is refused before it is known whose the path is.
    answer = webtest.TestApp(app.app).get(path, headers={"Host": host}, status=400)
    assert answer.json["errors"][0]["name"] == "Host"


@pytest.mark.parametrize(
    "host",
    ["ar.example.org", "AR.example.org.", "127.0.0.1:6543", "[::1]:80", "a_b", "localhost:1"],
)
def test_hosts_that_are_good(app, host):
    webtest.TestApp(app.app).get("/admin/login/", headers={"Host": host}, status=200)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize("noun", LISTS)
def test_places_and_orders_that_nobody_made(panel, project, noun, odd):
    for name in ("page", "sort", "desc", "page_size"):
        panel.get(f"/admin/{noun}/?{name}={quote(odd)}", status=200)
        panel.get(f"/admin/{noun}/export/csv/?{name}={quote(odd)}", status=200)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize("noun", LISTS)
def test_rows_that_nobody_made(panel, project, noun, odd):
    for page in ("details", "edit"):
        panel.get(f"/admin/{noun}/{page}/?id={quote(odd)}", status=302)
    panel.send(f"/admin/{noun}/action/", action="delete", rowid=odd, status=302)
    panel.send(f"/admin/{noun}/delete/", id=odd, status=302)


@pytest.mark.parametrize("path", ["0", "-1", "1.5", "x", "9" * 30, "%00", "..", "1/2"])
def test_paths_that_lead_nowhere(panel, target, path):
    digest = "0" * 64
    for each in (
        f"target/upload/{path}/",
        f"target/{path}/image/{digest}.jpg",
        f"target/{path}/thumbnail/{digest}.jpg",
        f"trash/target/{path}/thumbnail/{digest}.jpg",
    ):
        answer = panel.get(f"/admin/{each}", status="*")
        assert answer.status_int in (404, 405), each
        answer = panel.send(f"/admin/{each}", status="*")
        assert answer.status_int in (404, 405), each


@pytest.mark.parametrize(
    "back",
    ["/admin/\r\nX: y", "/admin/user/?flt0_login_begins_with=\r\n", "/admin/\n", "/admin/\0"],
)
def test_a_line_break_in_next(visitor, administrator, back):
    fields = {"login": "ada", "password": PASSWORD}
    answer = visitor.send(f"/admin/login/?next={quote(back)}", status=303, **fields)
    assert answer.headers["Location"].endswith("/admin/")


@pytest.mark.parametrize(
    "name",
    ["endpoint", "self", "_scheme", "_external", "_anchor", "_method", "export_type", "view"],
)
def test_parameters_that_urls_are_made_with(panel, stage, project, name):
    """Flask-Admin hands all parameters of a list on to Flask's ``url_for``."""
    stage.target(project)
    for path in ("target/", "target/?look=gallery&x=1", "project/", "trash/target/", "audit/"):
        separator = "&" if "?" in path else "?"
        response = panel.get(f"/admin/{path}{separator}{name}=x", expect_errors=True)
        assert response.status_int == (200 if name == "view" else 400), (path, name)
