"""Text that is SQL, or a parameter, or would end one: kept as it is, wherever text is taken."""

import pytest

from ..actors import PASSWORD
from ..pictures import base64_of, drawn
from ..tables import user as table

TEXTS = [
    "Robert'); DROP TABLE user; -- ",
    "' OR '1'='1",
    '" OR ""="',
    "`user`.`login`",
    "\\",
    "\\' OR 1=1 -- ",
    "%s %(id)s %(new_name)s %%",
    ":id ? $1 {} {0}",
    "/*! SLEEP(9) */ # --",
    "\x1a\b\t\r\n\x7f",
    "\u02bc OR 1=1",
    "¿\uff07 OR 1=1",
    '{"a":[null]}',
    "<script>alert(1)</script>",
    "\u202etxt.exe",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_as_it_was(app, stage, owner, project, write_token, text):
    user = app.post_json("/api/user", {"login": text, "password": PASSWORD + text}, status=201)
    assert app.get(user.headers["Location"]).json["login"] == text
    app.post_json("/api/login", {"login": text, "password": PASSWORD}, status=401)
    app.post_json("/api/login", {"login": text, "password": PASSWORD + text}, status=200)
    # Names are trimmed: the ends are ours.
    named = app.patch_json(project.path, {"name": f"<{text}>"}, headers=owner.headers)
    assert app.get(project.path, headers=owner.headers).json["name"] == f"<{text}>"
    assert named.json["name"] == f"<{text}>"
    token = app.post_json(project.tokens, {"description": text}, headers=owner.headers)
    assert token.json["description"] == text
    # A long one goes another way to the database.
    for description in (text, (text * 20_000)[:20_000]):
        body = {"image": base64_of(drawn()), "description": description}
        made = app.post_json(project.targets, body, headers=write_token.headers).json
        path = f"{project.targets}/{made['id']}"
        read = app.get(path, headers=write_token.headers).json
        assert read["description"] == description
    assert len(stage.rows(table)) == 2


@pytest.mark.parametrize("text", ["1'", "1 OR 1=1", "1;--", "1)", "0x1", "1%00", "1%27", "%2e%2e"])
def test_no_path_or_query_becomes_sql(app, owner, project, text):
    for path in (f"/api/user/{text}", f"/api/project/{text}", f"{project.tokens}/{text}"):
        app.get(path, headers=owner.headers, status=404)
    for query in (f"limit={text}", f"cursor={text}", f"cursor=1-{text}"):
        app.get(f"/api/project?{query}", headers=owner.headers, status=400)
    tag = {"If-Match": f'"{text}"', **owner.headers}
    app.patch_json(project.path, {"name": "x"}, headers=tag, status=412)
