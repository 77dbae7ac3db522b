"""Every command, for people and as JSON, and the exit codes."""

import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import time

import pytest
from click.testing import CliRunner

from ar_targets_client.cli.main import cli
from ar_targets_client.display import plain

from ..actors import PASSWORD
from ..pictures import CHINA, FLOWER, base64_of, drawn
from .imposter import PROJECT, TARGETS, TOKEN, as_json, record
from .terminal import COMMAND, CTRL_C, at_terminal


@pytest.fixture
def photos(tmp_path):
    """Two photographs, and one between them that is broken."""
    files = [tmp_path / name for name in ("china.jpg", "broken.jpg", "flower.jpg")]
    for file, data in zip(files, (CHINA, CHINA[:9999], FLOWER), strict=True):
        file.write_bytes(data)
    return files


def test_from_nothing_to_a_target(run, photos, tmp_path):
    assert run("user", "add", "ann", "--password-stdin", stdin=PASSWORD).code == 0
    assert run("login", "ann", "--password-stdin", stdin=PASSWORD).code == 0
    assert run("project", "add", "Zoo").code == 0
    done = run("target", "list", "--project", "zoo")
    assert done.code == 1
    assert "ar-targets token add --keep zoo" in done.err
    done = run("token", "add", "--keep", "zoo", "--ttl", "1h", "--description", "phone")
    assert "is kept for the targets of project Zoo" in done.err
    done = run("target", "add", "-p", "Zoo", "--description", "a gate", photos[0])
    assert (done.code, done.err) == (0, "1 image: 1 added.\n")
    listed = run("target", "list", "-p", "ZOO", "--json").json
    assert [(t["description"], t["name"]) for t in listed] == [("a gate", "china")]
    number = listed[0]["id"]
    out = tmp_path / "got.jpg"
    assert run("target", "get", "-p", "Zoo", number, "-o", out).code == 0
    assert out.read_bytes() == CHINA
    changed = run("target", "update", "-p", "Zoo", number, "--image", photos[2], "--json").json
    assert (changed["description"], changed["size"]) == ("a gate", len(FLOWER))
    assert run("target", "rm", "-p", "Zoo", number).code == 0
    assert run("target", "restore", "-p", "Zoo", number).err == f"Restored target {number}.\n"
    assert run("target", "rm", "-p", "Zoo", number).code == 0
    assert run("target", "list", "-p", "Zoo", "--json").json == []
    [gone] = run("target", "list", "-p", "Zoo", "--deleted", "--json").json
    assert (gone["id"], gone["name"]) == (number, "china")
    assert gone["deleted_at"] >= gone["created_at"]
    assert "deleted" in run("target", "list", "-p", "Zoo", "--deleted").out
    status = run("status")
    assert "ann" in status.out
    assert "Zoo" in status.out
    token_id = run("status", "--json").json["projects"][0]["id"]
    assert run("token", "rm", "Zoo", token_id).code == 0
    assert run("status", "--json").json["projects"] == []
    project_id = run("project", "get", "Zoo", "--json").json["id"]
    assert run("project", "rm", "Zoo", "--yes").code == 0
    assert run("project", "list", "--json").json == []
    [gone] = run("project", "list", "--deleted", "--json").json
    assert (gone["id"], gone["name"]) == (project_id, "Zoo")
    assert gone["deleted_at"][:4] in run("project", "list", "--deleted").out
    assert run("project", "restore", project_id, "--json").json["name"] == "Zoo"


def test_projects(as_user, project, other_project):
    listed = as_user("project", "list", "--json").json
    assert [(p["id"], p["name"]) for p in listed] == [(project.id, "Zoo")]
    assert "Zoo" in as_user("project", "list").out
    assert as_user("project", "get", "zoo", "--json").json == listed[0]
    assert as_user("project", "rename", "Zoo", "Park", "--json").json["name"] == "Park"
    assert as_user("project", "get", project.id, "--json").json["name"] == "Park"
    done = as_user("project", "get", "Museum")
    assert done.code == 1
    assert "you have no project 'Museum'" in done.err
    assert as_user("project", "get", other_project.id).code == 4
    assert as_user("project", "add", "park").code == 1
    done = as_user("project", "rm", "Park")
    assert done.code == 2
    assert "--yes" in done.err


@pytest.mark.parametrize(("said", "code", "left"), [("n\n", 1, 1), (CTRL_C, 130, 1), ("y\n", 0, 0)])
def test_a_deletion_is_asked_about(as_user, server, owner, project, said, code, left):
    environment = {"AR_TARGETS_SERVER": server.url, "AR_TARGETS_TOKEN": owner.token}
    ended, _ = at_terminal(["project", "rm", "Zoo"], [("[y/N]:", said)], environment)
    assert ended == code
    assert len(as_user("project", "list", "--json").json) == left


def test_a_table_on_a_terminal(server, owner, stage):
    stage.project(owner, "long " * 50)
    environment = {"AR_TARGETS_SERVER": server.url, "AR_TARGETS_TOKEN": owner.token}
    code, shown = at_terminal(["project", "list"], [], environment)
    assert code == 0
    assert "long long" in shown
    assert "…" in shown


def test_a_progress_bar_on_a_terminal(server, project, write_token, photos):
    environment = {
        "AR_TARGETS_SERVER": server.url,
        "AR_TARGETS_TOKEN": write_token.token,
        "AR_TARGETS_PROJECT": str(project.id),
        "TERM": "xterm",
    }
    code, shown = at_terminal(["target", "add", *map(str, photos)], [], environment)
    assert code == 3
    assert "/3" in shown
    assert "truncated" in shown


def test_tokens(as_user, project):
    made = as_user("token", "add", "Zoo", "--ttl", "2m", "--json").json
    assert (made["access"], made["ttl"]) == ("read", 120)
    number = made["id"]
    assert as_user("token", "get", "Zoo", number, "--json").json["token"] == made["token"]
    assert made["token"] in as_user("token", "get", "Zoo", number).out
    assert made["token"] not in as_user("token", "list", "Zoo").out
    assert as_user("token", "extend", "Zoo", number, "30d", "--json").json["ttl"] == 30 * 86400
    assert as_user("token", "keep", "Zoo", number).code == 0
    assert as_user("token", "rm", "Zoo", number).code == 0
    assert [t["valid"] for t in as_user("token", "list", "Zoo", "--json").json] == [False]
    assert as_user("token", "extend", "Zoo", number, "30d").code == 1
    assert as_user("token", "extend", "Zoo", number, "a while").code == 2


@pytest.mark.parametrize(
    ("options", "access"),
    [
        ([], "read"),
        (["--keep"], "write"),
        (["--access", "write"], "write"),
        (["--keep", "--access", "read"], "read"),
        (["--read-only", "--keep"], "read"),
    ],
    ids=" ".join,
)
def test_the_access_of_a_new_token(as_user, project, options, access):
    """What is shipped in apps can be read by anybody who has one: read-only if nothing is said."""
    assert as_user("token", "add", "Zoo", *options, "--json").json["access"] == access


def test_a_kept_token_follows_its_projects_name(run, owner, project):
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    run("token", "add", "--keep", project.id)
    run("project", "rename", "Zoo", "Park")
    run("logout", AR_TARGETS_SERVER="http://elsewhere.example")
    assert run("target", "list", "-p", "Park", "--json").json == []
    assert run("project", "rm", "Park", "--yes").code == 0
    assert run("status", "--json").json["projects"] == []


def test_users(run, owner, stranger):
    assert [u["login"] for u in run("user", "list", "--json").json] == ["olga", "stefan"]
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    new = "another good one"
    done = run("user", "password", "OLGA", "--password-stdin", stdin=new)
    assert done.code == 0
    assert run("login", "olga", "--password-stdin", stdin=new).code == 0
    done = run("user", "password", "olga", "--password-stdin", stdin=new)
    assert "your login has ended" in done.err
    assert run("project", "list").code == 1
    assert run("user", "rm", "stefan").code == 2
    assert run("user", "rm", "stefan", "--yes").code == 0
    done = run("user", "rm", "stefan", "--yes")
    assert done.code == 1
    assert "there is no user 'stefan'" in done.err
    done = run("user", "add", "otto", "--password-stdin", stdin="short")
    assert done.code == 1
    assert "password: it must have 8 to 128 characters" in done.err


def test_a_broken_picture_among_good_ones(as_app, photos):
    done = as_app("target", "add", *photos)
    assert done.code == 3
    assert f"{photos[1]}: image: it must be a whole JPEG, but it is truncated" in done.err
    assert "3 images: 2 added, 1 failed." in done.err
    assert str(photos[1]) not in done.out
    rows = as_app("target", "add", *photos, "--skip-existing", "--json")
    assert rows.code == 3
    assert [row["outcome"] for row in rows.json] == ["present", "failed", "present"]
    assert rows.json[0]["id"]
    assert "truncated" in rows.json[1]["reason"]
    assert len(as_app("target", "list", "--json").json) == 2


def test_a_whole_folder(as_app, photos, tmp_path):
    arguments = ("target", "add", tmp_path, "--json", "--journal", tmp_path / "journal")
    assert as_app(*arguments).code == 3
    assert (tmp_path / "journal").exists()
    photos[1].write_bytes(drawn())
    again = as_app(*arguments)
    assert again.code == 0
    outcomes = {row["file"]: row["outcome"] for row in again.json}
    assert outcomes == {
        "broken.jpg": "added",
        "china.jpg": "done before",
        "flower.jpg": "done before",
    }


def test_a_file_beyond_the_servers_limit(as_app, tmp_path):
    # Beyond the first limit it is read and refused; beyond the second it is refused unread.
    for size in (11, 60):
        large = tmp_path / f"{size}.jpg"
        large.write_bytes(CHINA + bytes(size * 2**20))
        done = as_app("target", "add", large, "--json")
        assert done.code == 3, done.err
        assert "413" in done.json[0]["reason"]


def test_the_server_is_away(as_app, wire, photos):
    wire.close()
    done = as_app("target", "add", photos[0], "--server", wire.url, "--retries", "1")
    assert done.code == 5
    assert "cannot be reached" in done.err
    assert "trying again in" in done.err


def test_the_wire_is_cut(as_app, wire, photos):
    wire.cut = lambda line: "before" if line.startswith("POST") else None
    arguments = ("target", "add", photos[0], photos[2], "--server", wire.url, "--retries", 0)
    done = as_app(*arguments)
    assert done.code == 5
    assert "was cut before the answer came" in done.err
    assert f"Not done: {photos[0]} {photos[2]}" in done.err
    assert "--skip-existing" in done.err
    wire.cut = lambda _: None
    assert as_app(*arguments, "--skip-existing").code == 0


def test_a_folder_whose_upload_is_cut(as_app, wire, photos, tmp_path):
    photos[1].unlink()
    wire.cut = lambda line: "after" if line.startswith("POST") else None
    cut = as_app("target", "add", tmp_path, "--server", wire.url, "--retries", 0)
    assert cut.code == 5
    assert "Run the same command again to do the rest." in cut.err
    wire.cut = lambda _: None
    assert as_app("target", "add", tmp_path, "--server", wire.url).code == 0
    assert len(as_app("target", "list", "--json").json) == 2


def test_a_client_that_is_killed(as_app, server, wire, project, write_token, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.jpg").write_bytes(CHINA + bytes([n]))
    posts = []

    def kill_at_third(line):
        if line.startswith("POST"):
            posts.append(line)
        if len(posts) == 3:
            # The server will do this one, and find nobody to tell.
            process.kill()

    wire.cut = kill_at_third
    arguments = ["target", "add", folder, "--project", str(project.id), "--parallel", "1"]
    environment = {"AR_TARGETS_SERVER": wire.url, "AR_TARGETS_TOKEN": write_token.token}
    process = subprocess.Popen([COMMAND, *arguments], env=os.environ | environment)
    assert process.wait(60) == -signal.SIGKILL
    for _ in range(6000):
        if wire.answered == len(wire.requests):
            break
        time.sleep(0.01)
    wire.cut = lambda _: None
    done = as_app("target", "add", folder, "--server", wire.url, "--json")
    assert done.code == 0
    assert [row["outcome"] for row in done.json] == ["done before"] * 2 + ["added"] * 4
    listed = as_app("target", "list", "--json").json
    assert sorted(t["sha256"] for t in listed) == sorted(
        hashlib.sha256(CHINA + bytes([n])).hexdigest() for n in range(6)
    )
    # Several are added at once: their ids may come in any order.
    assert sorted(row["id"] for row in done.json) == [t["id"] for t in listed]


def test_the_wrong_kind_of_token(as_user, as_app, project, read_token, photos):
    done = as_user("target", "list", "-p", project.id)
    assert done.code == 4
    assert "this token does not allow that (403" in done.err
    assert as_app("project", "list").code == 4
    done = as_app("target", "add", photos[0], AR_TARGETS_TOKEN=read_token.token)
    assert done.code == 4
    done = as_app("target", "list", AR_TARGETS_TOKEN="nonsense")
    assert done.code == 4
    assert "the token is not valid" in done.err


def test_errors_as_json(as_app):
    done = as_app("target", "get", 10**9, "--json")
    assert done.code == 1
    assert done.out == ""
    error = done._replace(out=done.err).json["error"]
    assert error["status"] == 404
    assert error["request_id"]
    assert error["errors"][0]["location"] == "path"


def test_what_to_change(as_app, target):
    number = target.id
    assert as_app("target", "update", number).code == 2
    assert as_app("target", "update", number, "--name", "x", "--no-name").code == 2
    done = as_app("target", "update", number, "--description", "x", "--if-match", '"0-0"')
    assert done.code == 1
    assert "412" in done.err


def test_the_image_alone(server, project, write_token, target, config):
    arguments = ["target", "get", "-p", str(project.id), str(target.id), "-o", "-"]
    environment = {"AR_TARGETS_SERVER": server.url, "AR_TARGETS_TOKEN": write_token.token}
    done = CliRunner().invoke(cli, arguments, env=environment)
    assert (done.exit_code, done.stdout_bytes, done.stderr) == (0, CHINA, "")


def test_an_output_that_cannot_be_written(as_app, target, tmp_path):
    done = as_app("target", "get", target.id, "-o", tmp_path / "nowhere" / "x.jpg")
    assert done.code == 1
    assert "cannot be written" in done.err


def test_an_image_of_another_target(misled, imposter, tmp_path):
    imposter.answers = {f"{TARGETS}/1": [as_json(record(1) | {"image": base64_of(FLOWER)})]}
    done = misled("target", "get", 1, "-o", tmp_path / "x.jpg")
    assert done.is_refusal("does not have its own checksum"), done
    assert not (tmp_path / "x.jpg").exists()


def test_one_target(as_app, target):
    shown = as_app("target", "get", target.id).out
    assert "a gate" in shown
    assert re.search(r"sha256 +[0-9a-f]{64}\b", shown)
    assert "image" not in as_app("target", "get", target.id, "--json").json
    assert len(as_app("target", "list", "--limit", "1", "--json").json) == 1


def test_what_others_wrote_does_not_steer_the_terminal(as_app, stage, project):
    nasty = "[red]x[/red]\x1b]0;title\x07\nline"
    stage.target(project, drawn(), nasty)
    shown = as_app("target", "list").out
    assert plain(nasty) in shown
    assert "\x1b" not in shown
    assert "[red]x[/red]\\x1b]0;title\\x07\\nline" in shown


def test_a_server_does_not_steer_the_terminal(imposter, config):
    """Guards what held before: tables and errors show what a server says, escaped."""
    environment = {
        "AR_TARGETS_SERVER": imposter.url,
        "AR_TARGETS_TOKEN": TOKEN,
        "AR_TARGETS_PROJECT": str(PROJECT),
        "TERM": "xterm",
        "COLUMNS": "200",
    }
    nasty = "[red]:smile:\x1b]0;title\x07\x9b2J\u202e\nline"
    imposter.records = [record(1, description=nasty)]
    code, shown = at_terminal(["target", "list"], [], environment)
    assert code == 0
    assert plain(nasty) in shown
    fault = {"location": nasty, "name": nasty, "description": nasty}
    imposter.answers = {TARGETS: [as_json({"errors": [fault]}, 400)]}
    code, shown = at_terminal(["target", "list"], [], environment)
    assert (code, shown) == (1, f"Error: {plain(nasty)}: {plain(nasty)} (400)\r\n")


def test_all_fields_of_a_target_can_be_changed(as_app, target, tmp_path):
    def changed(*options, **rest):
        done = as_app("target", "update", target.id, *options, "--json", **rest)
        assert done.code == 0, done.err
        return done.json

    metadata, photo = tmp_path / "metadata.json", tmp_path / "x.jpg"
    metadata.write_text('{"ü": [1, null]}', encoding="utf-8")
    photo.write_bytes(FLOWER)
    before = as_app("target", "get", target.id, "--json").json
    new = changed("--name", "gate", "--physical-width", "0.3", "--inactive", "--image", photo)
    assert (new["name"], new["physical_width"], new["active"]) == ("gate", 0.3, False)
    assert (new["size"], new["description"]) == (len(FLOWER), before["description"])
    assert changed("--metadata", metadata)["metadata"] == {"ü": [1, None]}
    assert changed("--metadata", "-", stdin="[2]")["metadata"] == [2]
    new = changed("--active")
    assert (new["name"], new["active"], new["metadata"]) == ("gate", True, [2])
    new = changed("--no-name", "--no-physical-width", "--metadata", "-", stdin="null")
    assert (new["name"], new["physical_width"], new["metadata"]) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is not JSON"), ("[" * 100_000, "is not JSON"), (None, "cannot be read")],
    ids=["cut", "deep", "nothing"],
)
def test_metadata_that_is_none(as_app, target, tmp_path, text, said):
    file = tmp_path / "metadata.json"
    if text is not None:
        file.write_text(text)
    done = as_app("target", "update", target.id, "--metadata", file)
    assert done.code == 2
    assert said in done.err


def test_a_width_that_is_none(as_app, target):
    for width in ("0", "-1", "1000.5", "nan", "wide"):
        done = as_app("target", "update", target.id, "--physical-width", width)
        assert done.code in (1, 2), width
    assert as_app("target", "get", target.id, "--json").json["physical_width"] is None


def test_filters(as_app, stage, project):
    for name, active in (("gate", True), ("Gallery", False), ("lion", True)):
        stage.target(project, drawn(), name=name, active=active, metadata='{"n": 1}')

    def found(*options):
        return [t["name"] for t in as_app("target", "list", "--json", *options).json]

    assert found("--name", "GATE") == ["gate"]
    assert found("--name-prefix", "ga") == ["Gallery", "gate"]
    assert found("--active") == ["gate", "lion"]
    assert found("--inactive") == ["Gallery"]
    assert found("--sha256", hashlib.sha256(drawn()).hexdigest()) == ["gate", "Gallery", "lion"]
    assert found("--sha256", hashlib.sha256(CHINA).hexdigest()) == []
    [one] = as_app("target", "list", "--name", "gate", "--json").json
    assert "metadata" not in one
    [one] = as_app("target", "list", "--name", "gate", "--metadata", "--json").json
    assert one["metadata"] == {"n": 1}
    done = as_app("target", "list", "--sha256", "x")
    assert done.is_refusal("sha256: it must be"), done


def test_a_table_of_targets(as_app, stage, project):
    made = stage.target(project, CHINA, name="gate", physical_width=0.3, active=False)
    head, _, row = as_app("target", "list").out.splitlines()
    assert head.split()[:4] == ["id", "name", "metres", "active"]
    assert row.split()[:4] == [str(made.id), "gate", "0.3", "no"]
    assert "640×427" in row


NAMED = [
    ("gate", "gate.jpg"),
    ("gate.JPG", "gate.JPG"),
    ("../gate", ".._gate.jpg"),
    ("/etc/passwd", "_etc_passwd.jpg"),
    ("C:\\x", "C__x.jpg"),
    ("\x1b[2J\nx", "_[2J_x.jpg"),
    ("..", "...jpg"),
    ("CON", "imagetarget-{id}.jpg"),
    ("ä" * 200, "imagetarget-{id}.jpg"),
    (None, "imagetarget-{id}.jpg"),
]


@pytest.mark.parametrize(("name", "file"), NAMED, ids=itertools.count())
def test_an_image_is_saved_under_its_name(
    as_app, stage, project, tmp_path, monkeypatch, name, file
):
    """And in the folder where one is, whatever the server says that the name is."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    made = stage.target(project, CHINA, name=name)
    expected = file.format(id=made.id)
    done = as_app("target", "get", made.id, "--image")
    assert done.code == 0, done.err
    assert done.err == f"{expected}: {len(CHINA)} bytes\n"
    assert [each.name for each in here.iterdir()] == [expected]
    assert (here / expected).read_bytes() == CHINA
    again = as_app("target", "get", made.id, "--image")
    assert again.is_refusal("is there already"), again
    assert as_app("target", "get", made.id, "--image", "-o", "x").code == 2


def test_an_empty_table(as_app):
    assert as_app("target", "list") == (0, "", "There are none.\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run, shell):
    done = run("completion", shell)
    assert done.code == 0
    assert "_AR_TARGETS_COMPLETE" in done.out


def complete(words, config):
    """What bash would offer for the last word."""
    environment = {
        "_AR_TARGETS_COMPLETE": "bash_complete",
        "COMP_WORDS": f"ar-targets {words}",
        "COMP_CWORD": str(len(words.split(" "))),
        "XDG_CONFIG_HOME": str(config.parents[1]),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_completed_words(run, owner, project, config):
    assert complete("pro", config) == ["project"]
    assert complete("target ex", config) == ["export"]
    assert complete("target list --project Z", config) == []
    run("login", "olga", "--password-stdin", stdin=PASSWORD)
    run("token", "add", "Zoo", "--keep")
    assert complete("target list --project Z", config) == ["Zoo"]
    config.write_text("broken")
    assert complete("target list --project Z", config) == []


@pytest.mark.parametrize(
    "name", ["Z;reboot", "Z$(reboot)", "Z\nplain,Zoo", "Z `reboot`", "Z\x1b[2J", "Z>x", "Z*", "Z|x"]
)
def test_a_name_that_a_shell_would_run_is_not_offered(config, name):
    kept = {"name": name, "id": 1, "token": TOKEN, "expires_at": "2026-11-23T07:03:14.650144Z"}
    others = {"2": kept | {"name": "Zoo"}, "3": kept | {"name": "Zürich-2.1"}}
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"server": "x", "projects": {"x": {"1": kept} | others}}))
    assert complete("target list --project Z", config) == ["Zoo", "Zürich-2.1"]


def commands(group=cli, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", [*commands(), ()], ids=" ".join)
def test_help(path):
    done = CliRunner().invoke(cli, [*path, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 3


def test_help_tells_the_exit_codes():
    lines = CliRunner().invoke(cli, ["--help"]).output.splitlines()
    assert "    3  some of the images failed, the others were done" in lines


def test_version():
    assert re.fullmatch(
        r"ar-targets, version \d+\.\d+\.\d+\n",
        CliRunner().invoke(cli, ["--version"], prog_name="ar-targets").output,
    )


@pytest.mark.parametrize("words", [["zoo"], ["target"], ["target", "list", "--limit", "0"]])
def test_the_command_line_cannot_be_understood(words, config):
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "Usage:" in done.stderr
