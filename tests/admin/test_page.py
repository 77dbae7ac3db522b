"""Messages: what was done, on the page that a change leads to."""

import random
import string

import pytest

from ar_targets.models.project import NAME_MAX, Project

from ..panel import names

# Of a cookie with its name and attributes; browsers drop a larger one (RFC 6265, 6.1).
COOKIE_MAX = 4096
# Each of these takes six bytes or more in the cookie, and none is like another.
ALPHABETS = {"latin": string.ascii_letters, "han": "".join(map(chr, range(0x4E00, 0x9FA5)))}


@pytest.fixture(params=ALPHABETS)
def deleted(stage, owner, request):
    """As many projects as an action is for, whose names have been taken meanwhile."""
    dice = random.Random(7)
    made = []
    for _ in range(50):
        name = "".join(dice.choices(ALPHABETS[request.param], k=NAME_MAX))
        made.append(stage.project(owner, name).id)
        stage.delete(Project, made[-1])
        stage.project(owner, name)
    return made


def test_many_messages_do_not_burst_the_cookie(panel, deleted):
    response = panel.act("trash/project", "restore", *deleted)
    assert len(response.headers["Set-Cookie"]) < COOKIE_MAX
    said = panel.said(response)
    assert "taken meanwhile" in said
    assert "more to say than fits here" in said
    # Another request says again what happens.
    assert "taken meanwhile" in panel.said(panel.act("trash/project", "restore", deleted[0]))


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_undo_of_many_rows_does_not_burst_it(panel, stage, owner, alphabet):
    dice = random.Random(7)
    made = [
        stage.project(owner, "".join(dice.choices(ALPHABETS[alphabet], k=NAME_MAX))).id
        for _ in range(50)
    ]
    response = panel.act("project", "delete", *made)
    assert len(response.headers["Set-Cookie"]) < COOKIE_MAX
    page = response.follow()
    assert len(page.html.select("form.message [name=rowid]")) == 50
    undo = next(one for one in page.forms.values() if one.action == "/admin/trash/project/action/")
    assert "50 projects: restored." in panel.said(undo.submit("action"))
    # One row is called by its name, as far as there is room.
    one = panel.act("project", "delete", made[0])
    assert len(one.headers["Set-Cookie"]) < COOKIE_MAX
    assert "…" in panel.said(one)
    assert len(names(panel.get("/admin/project/"))) == 49
