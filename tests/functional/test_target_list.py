"""Lists of targets and projects: filters, order by name, deleted ones, and their pages."""

import hashlib
from urllib.parse import quote

import pytest

from ar_targets.models import Project, Target

from ..client import faults
from ..pictures import CHINA, drawn

SMALL = drawn()
# In the order of code points, folded.
NAMES = ["Ant", "gate", "Gate 2", "GATES", "gatz", "zoo", "Äpfel", "äpfel 2", "門"]


@pytest.fixture
def named(stage, project):
    """Name → id, of targets that were not stored in that order."""
    stage.target(project, SMALL)
    made = {name: stage.target(project, SMALL, name=name).id for name in reversed(NAMES)}
    stage.target(project, SMALL)
    return made


def pages(app, path, who, limit=2):
    """All pages of a list, by their links."""
    following = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while following:
        page = app.call("GET", following, who=who, status=200).json
        yield page
        following = page["next"]


def ids(app, path, who):
    """The ids on all pages of a list."""
    return [item["id"] for page in pages(app, path, who) for item in page["items"]]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("gate", ["gate", "Gate 2", "GATES"]),
        ("GAT", ["gate", "Gate 2", "GATES", "gatz"]),
        ("gate ", ["Gate 2"]),
        ("Ä", ["Äpfel", "äpfel 2"]),
        ("a", ["Ant"]),
        ("%", []),
        ("門", ["門"]),
        ("", NAMES),
    ],
)
def test_by_name_prefix(app, project, write_token, named, prefix, found):
    path = f"{project.targets}?name_prefix={quote(prefix)}"
    assert ids(app, path, write_token) == [named[name] for name in found]


@pytest.mark.parametrize(
    ("name", "found"), [("GATE", ["gate"]), (" gate 2 ", ["Gate 2"]), ("ga", [])]
)
def test_by_name(app, project, write_token, named, name, found):
    path = f"{project.targets}?name={quote(name)}"
    assert ids(app, path, write_token) == [named[one] for one in found]


def test_filters_are_combined(app, stage, project, write_token, other_project):
    stage.target(other_project, CHINA, name="gate 9")
    found = {
        (image, active): stage.target(project, image, name=f"gate {n}", active=active).id
        for n, (image, active) in enumerate(
            [(CHINA, True), (CHINA, False), (SMALL, True), (SMALL, False)]
        )
    }
    sha256 = hashlib.sha256(CHINA).hexdigest()

    def asked(query):
        return ids(app, f"{project.targets}?{query}", write_token)

    both = [found[CHINA, True], found[CHINA, False]]
    assert asked(f"sha256={sha256}") == both
    assert asked(f"sha256={sha256}&active=false") == both[1:]
    assert asked(f"sha256={sha256}&active=true&name_prefix=gate") == both[:1]
    assert asked(f"sha256={sha256}&name=gate%201") == both[1:]
    assert asked(f"sha256={sha256}&name=gate%202") == []
    assert asked("active=true") == [found[CHINA, True], found[SMALL, True]]
    assert asked("name=gate%200&name_prefix=g") == both[:1]
    assert asked("name=gate%200&name_prefix=x") == []
    assert asked(f"sha256={'0' * 64}") == []


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("name=", "name", "1 to 255"),
        ("name=%00", "name", "NUL"),
        ("name=%FF", "name", "lone surrogate"),
        ("name_prefix=" + "x" * 256, "name_prefix", "0 to 255"),
        ("active=yes", "active", "true or false"),
        ("active=", "active", "true or false"),
        ("active=1", "active", "true or false"),
        ("sha256=abc", "sha256", "64 digits"),
        ("sha256=" + "A" * 64, "sha256", "lower-case"),
        ("deleted=", "deleted", "true or false"),
        ("fields=image", "fields", "no 'image'; there are: analysis, metadata"),
        ("fields=metadata,nonsense", "fields", "no 'nonsense'"),
    ],
)
def test_bad_filters(app, project, write_token, query, name, words):
    refused = app.call("GET", f"{project.targets}?{query}", who=write_token, status=400)
    assert faults(refused) == {name: "querystring"}
    assert words in refused.json["errors"][0]["description"]


def test_all_that_is_wrong_in_one_answer(app, project, write_token):
    query = "name=&active=maybe&limit=0&cursor=x&unknown=1"
    refused = app.call("GET", f"{project.targets}?{query}", who=write_token, status=400)
    assert faults(refused).keys() == {"name", "active", "limit", "cursor"}


def test_a_cursor_is_good_for_its_order_alone(app, project, write_token, named):
    by_name = app.call("GET", f"{project.targets}?limit=2&name_prefix=", who=write_token).json
    by_id = app.call("GET", f"{project.targets}?limit=2", who=write_token).json
    cursor = by_name["next"].rpartition("cursor=")[2]
    app.call("GET", f"{project.targets}?cursor={cursor}", who=write_token, status=400)
    cursor = by_id["next"].rpartition("cursor=")[2]
    app.call("GET", f"{project.targets}?name_prefix=&cursor={cursor}", who=write_token, status=400)
    app.call("GET", f"{project.targets}?active=true&cursor={cursor}", who=write_token, status=200)


@pytest.mark.parametrize("cursor", ["1.-", "1.é-", "1.AA==-00000000", "1..-1", f"1.{'A' * 5000}-1"])
def test_cursors_that_nobody_made(app, project, write_token, cursor):
    path = f"{project.targets}?name_prefix=&cursor={quote(cursor)}"
    app.call("GET", path, who=write_token, status=400)


def test_a_name_of_the_longest_key(app, stage, project, write_token):
    longest = "\N{MUSICAL SYMBOL SIXTEENTH NOTE}" * 255
    names = [longest[: 255 - n] + "x" * n for n in range(0, 9, 4)]
    found = [stage.target(project, SMALL, name=name).id for name in names]
    path = f"{project.targets}?name_prefix={quote(longest[:100])}"
    assert sorted(ids(app, path, write_token)) == found


class TestDeleted:
    """``?deleted=true``."""

    def test_targets(self, app, stage, project, write_token, named):
        lost = [named[name] for name in ("gatz", "gate", "zoo")]
        for target_id in lost:
            stage.delete(Target, target_id)
        path = f"{project.targets}?deleted=true"
        assert ids(app, path, write_token) == sorted(lost)
        assert ids(app, f"{path}&name_prefix=gat", write_token) == [named["gate"], named["gatz"]]
        assert ids(app, f"{path}&name=GATE&active=true", write_token) == [named["gate"]]
        assert not set(lost) & set(ids(app, project.targets, write_token))
        item = app.call("GET", path, who=write_token).json["items"][0]
        assert item["deleted_at"] > item["created_at"]
        app.call("GET", item["image_url"], who=write_token, status=404)
        app.call("POST", f"{project.targets}/{item['id']}/restore", who=write_token, status=200)
        assert item["id"] not in ids(app, path, write_token)

    def test_names_of_deleted_ones_may_be_the_same(self, app, stage, project, write_token):
        found = []
        for _ in range(3):
            found.append(stage.target(project, SMALL, name="gate").id)
            stage.delete(Target, found[-1])
        for query in ("name=gate", "name_prefix=", "name_prefix=gate"):
            path = f"{project.targets}?deleted=true&{query}"
            assert ids(app, path, write_token) == found

    def test_projects(self, app, stage, owner, stranger):
        kept = stage.project(owner, "kept").id
        lost = [stage.project(owner, f"lost {n}").id for n in range(5)]
        other = stage.project(stranger, "other").id
        for project_id in (*lost, other):
            stage.delete(Project, project_id)
        assert ids(app, "/api/project?deleted=true", owner) == lost
        assert ids(app, "/api/project?deleted=false", owner) == [kept]
        item = app.call("GET", "/api/project?deleted=true", who=owner).json["items"][0]
        assert item["name"] == "lost 0"
        assert item["deleted_at"]
        assert "deleted_at" not in app.call("GET", "/api/project", who=owner).json["items"][0]
        app.call("POST", f"/api/project/{lost[0]}/restore", who=owner, status=200)
        # What the list showed may be sent back.
        app.call("PUT", f"/api/project/{lost[0]}", item, who=owner, status=200)
        assert ids(app, "/api/project?deleted=true", owner) == lost[1:]
        refused = app.call("GET", "/api/project?deleted=1", who=owner, status=400)
        assert faults(refused) == {"deleted": "querystring"}

    def test_a_read_token_may_look(self, app, stage, project, read_token, target):
        stage.delete(Target, target.id)
        assert ids(app, f"{project.targets}?deleted=true", read_token) == [target.id]


def test_pages_of_metadata_have_a_size(app, stage, project, write_token):
    """Of 2 MiB each, four fit; a page of five has more than is sent at once."""
    text = '"' + "x" * (2 * 2**20 - 2) + '"'
    found = [stage.target(project, SMALL, metadata=text if n != 2 else None).id for n in range(10)]
    sent = list(pages(app, f"{project.targets}?fields=metadata", write_token, 50))
    assert [len(page["items"]) for page in sent] == [5, 4, 1]
    assert [item["id"] for page in sent for item in page["items"]] == found
    assert sent[0]["items"][2]["metadata"] is None
    assert len(sent[0]["items"][0]["metadata"]) == 2 * 2**20 - 2
