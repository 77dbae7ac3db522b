"""Lists: pages, their order, their links, and what a page costs."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from ar_targets import clock
from ar_targets.db.base import fold

from ..client import faults
from ..tables import project as project_table
from ..tables import target as target_table
from ..tables import token as token_table
from ..tables import user as user_table


class List:
    """One of the four lists, and a way to fill it."""

    def __init__(self, stage, path, headers, row):
        self.stage, self.path, self.headers, self.row = stage, path, headers, row

    def fill(self, count):
        """Add rows."""
        table = self.row(0)[0]
        now = clock.now()
        rows = [self.row(n)[1] | {"created_at": now, "updated_at": now} for n in range(count)]
        with self.stage.engine.begin() as connection:
            connection.execute(table.insert(), rows)

    def get(self, app, query="", status=200):
        return app.get(self.path + query, headers=self.headers, status=status)

    def ids(self, app):
        """All ids, page after page."""
        found, following = [], f"{self.path}?limit=200"
        while following:
            page = app.get(following, headers=self.headers).json
            found += [item["id"] for item in page["items"]]
            following = page["next"]
        return found


@pytest.fixture
def users(stage):
    return List(
        stage,
        "/api/user",
        {},
        lambda n: (
            user_table,
            {"login": f"u{n}", "login_key": fold(f"u{n}"), "password_hash": "-"},
        ),
    )


@pytest.fixture
def projects(stage, owner):
    return List(
        stage,
        "/api/project",
        owner.headers,
        lambda n: (
            project_table,
            {"owner_id": owner.id, "name": f"p{n}", "name_key": fold(f"p{n}")},
        ),
    )


@pytest.fixture
def tokens(stage, owner, project):
    values = {"project_id": project.id, "access": "read", "description": "", "ttl": 1}
    return List(
        stage,
        project.tokens,
        owner.headers,
        lambda n: (token_table, values | {"jti": f"{n:032}", "expires_at": clock.now()}),
    )


@pytest.fixture
def targets(stage, project, read_token):
    values = {"project_id": project.id, "description": "", "width": 1, "height": 1, "size": 1}
    values |= {"sha256": "0" * 64, "image": b"\xff"}
    return List(stage, project.targets, read_token.headers, lambda _: (target_table, values))


@pytest.fixture(params=["users", "projects", "tokens", "targets"])
def listing(request):
    return request.getfixturevalue(request.param)


def test_an_empty_list(app, owner):
    answer = app.get("/api/project", headers=owner.headers)
    assert answer.json == {"items": [], "next": None}
    assert "Link" not in answer.headers


def test_every_row_once_in_the_order_of_ids(app, listing):
    before = listing.ids(app)
    listing.fill(7)
    everything = listing.ids(app)
    assert len(everything) == len(before) + 7
    assert everything == sorted(set(everything))
    found, query = [], "?limit=3"
    while True:
        answer = listing.get(app, query)
        assert answer.json.keys() == {"items", "next"}
        found += [item["id"] for item in answer.json["items"]]
        if answer.json["next"] is None:
            break
        assert len(answer.json["items"]) == 3
        assert answer.headers["Link"] == f'<{answer.json["next"]}>; rel="next"'
        assert answer.json["next"].startswith(f"http://localhost{listing.path}?")
        query = "?" + urlsplit(answer.json["next"]).query
        assert parse_qs(query[1:])["limit"] == ["3"]
    assert "Link" not in answer.headers
    assert found == everything


def test_a_full_last_page_has_no_next(app, listing):
    listing.fill(6)
    count = len(listing.ids(app))
    assert listing.get(app, f"?limit={count}").json["next"] is None
    assert listing.get(app, f"?limit={count - 1}").json["next"] is not None


def test_the_limit(app, listing):
    listing.fill(210)
    assert len(listing.get(app).json["items"]) == 50
    for limit in (1, 50, 199, 200):
        assert len(listing.get(app, f"?limit={limit}").json["items"]) == limit


@pytest.mark.parametrize(
    "limit",
    ["0", "201", "-1", "", "x", "1.0", "1e1", "%2B5", "05", "%205", "5%20", "%D9%A3", "9" * 30],
)
def test_bad_limits(app, listing, limit):
    assert faults(listing.get(app, f"?limit={limit}", 400)) == {"limit": "querystring"}


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "1", "-1", "YWZ0ZXIgMQ=", "YWZ0ZXIgMQ%3D%3D", "YWZ0ZXIgMA", "YWZ0ZXIgMDE",
     "YmVmb3JlIDE", "YWZ0ZXIgLTE", "%00", "%C3%A9", "YWZ0ZXIgMQ%0A", "A" * 5000, "_-_-"],
)  # fmt: skip
def test_cursors_that_are_not_ours(app, listing, cursor):
    assert faults(listing.get(app, f"?cursor={cursor}", 400)) == {"cursor": "querystring"}


def test_both_faults_in_one_answer(app, users):
    refused = users.get(app, "?limit=0&cursor=x", 400)
    assert faults(refused) == {"limit": "querystring", "cursor": "querystring"}


@pytest.mark.parametrize(
    "query", ["?page=2", "?sort=-id&x", "?LIMIT=0", "?&&", "?=", "?limi=%C3%A9"]
)
def test_unknown_parameters_are_ignored(app, listing, query):
    assert listing.get(app, query).json == listing.get(app).json


def test_a_query_that_is_not_utf8(app, listing):
    listing.get(app, "?limit=%ff", 400)
    listing.get(app, "?x=%ff", (200, 400))


def test_rows_that_come_and_go_meanwhile(app, stage, owner):
    made = [stage.project(owner, f"p{n}") for n in range(6)]
    page = app.get("/api/project?limit=3", headers=owner.headers).json
    for gone in (made[0], made[2], made[4]):
        app.delete(gone.path, headers=owner.headers)
    new = stage.project(owner, "new")
    rest = app.get(page["next"], headers=owner.headers).json
    assert [item["id"] for item in rest["items"]] == [made[3].id, made[5].id, new.id]


def test_links_are_absolute_as_the_client_reached_us(app, projects):
    projects.fill(2)
    environ = {"HTTP_HOST": "ar.example.org:8443", "wsgi.url_scheme": "https"}
    answer = app.get("/api/project/?limit=1", headers=projects.headers, extra_environ=environ)
    assert answer.json["next"].startswith("https://ar.example.org:8443/api/project?")


def test_cursors_of_one_page_size_serve_another(app, projects):
    projects.fill(5)
    query = parse_qs(urlsplit(projects.get(app, "?limit=2").json["next"]).query)
    rest = projects.get(app, f"?cursor={query['cursor'][0]}").json["items"]
    assert [item["id"] for item in rest] == projects.ids(app)[2:]


def rows_read(engine):
    """The rows that a pool's only connection has read so far, as its server counts them."""
    with engine.connect() as connection:
        counters = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
        return sum(int(value) for _, value in counters)


def test_the_last_page_costs_what_the_first_does(make_app, listing):
    listing.fill(2000)
    app = make_app(database_pool_size=1)
    engine = app.registry.engine
    with engine.begin() as connection:
        for table in (user_table, project_table, token_table, target_table):
            connection.exec_driver_sql(f"ANALYZE TABLE `{table.name}`").all()
    costs, following = [], f"{listing.path}?limit=200"
    while following:
        before = rows_read(engine)
        following = app.get(following, headers=listing.headers).json["next"]
        costs.append(rows_read(engine) - before)
    assert len(costs) >= 10
    assert max(costs) < 220
