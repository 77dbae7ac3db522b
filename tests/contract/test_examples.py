"""The examples, and the session in docs/client.md, do what they say: each is run as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..actors import PASSWORD
from ..conftest import INI
from ..live import Wire, live
from ..pictures import CHINA, FLOWER, drawn

DOCS = INI.parent / "docs"
EXAMPLES = DOCS / "examples"


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    with live(database_url, tmp_path_factory.mktemp("live")) as made:
        yield made


@pytest.fixture
def example(server, project, write_token):
    """Runs an example with the project's token."""

    def example(*command, token=write_token.token, project_id=project.id, url=server.url):
        program, *arguments = command
        line = [*program, url, str(project_id), *map(str, arguments)]
        environment = os.environ | {"AR_TARGETS_TOKEN": token}
        return subprocess.run(
            line, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return example


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "china.jpg").write_bytes(CHINA)
    (folder / "flower.jpg").write_bytes(FLOWER)
    return folder


CURL = ["sh", EXAMPLES / "curl.sh"]
CLIENT = [sys.executable, EXAMPLES / "with_client.py"]
REQUESTS = [sys.executable, EXAMPLES / "with_requests.py"]
UPLOAD = [sys.executable, EXAMPLES / "upload_with_requests.py"]


def test_every_example_is_named():
    named = set(re.findall(r"\]\(([\w.]+)\)", (EXAMPLES / "README.md").read_text()))
    assert named == {file.name for file in EXAMPLES.iterdir()} - {"README.md"}


def test_curl(example, server, photos, tmp_path):
    done = example(CURL, photos / "china.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"made http://\S+/imagetarget/\d+\n", done.stdout)
    assert "fetched the same bytes" in done.stdout
    (photos / "broken.jpg").write_bytes(CHINA[:5000])
    done = example(CURL, photos / "broken.jpg")
    assert done.returncode == 1
    assert "truncated" in json.loads(done.stderr.splitlines()[-1])["errors"][0]["description"]


def test_with_our_client(example, photos):
    (photos / "broken.jpg").write_bytes(CHINA[:5000])
    done = example(CLIENT, photos)
    assert done.returncode == 1
    assert re.search(r"broken\.jpg failed .*truncated", done.stdout)
    assert len(re.findall(r"640×427 whole", done.stdout)) == 2
    (photos / "broken.jpg").unlink()
    done = example(CLIENT, photos)
    assert (done.returncode, done.stderr) == (0, "")
    assert "china.jpg done before" in done.stdout
    assert len(re.findall(r"640×427 whole", done.stdout)) == 2


def test_with_requests(example, app, stage, project, write_token, read_token, tmp_path):
    made = [stage.target(project, drawn(size=(n, 8))) for n in range(1, 53)]
    folder = tmp_path / "images"
    done = example(REQUESTS, folder, token=read_token.token)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("fetched") == len(made)
    app.delete(made[0].path, headers=write_token.headers)
    (folder / f"{made[1].id}.jpg").write_bytes(b"damaged")
    done = example(REQUESTS, folder, token=read_token.token)
    assert done.stdout.count("fetched") == 1
    assert done.stdout.count("unchanged") == len(made) - 2
    assert f"{made[0].id}.jpg removed" in done.stdout
    done = example(REQUESTS, folder, token="nonsense")
    assert done.returncode == 1
    assert "Authorization" in done.stderr


def test_an_upload_with_requests(example, server, app, project, write_token, photos):
    wire = Wire(server)
    cuts = ["after", None, "before"]
    wire.cut = lambda _: cuts.pop(0) if cuts else None
    files = [photos / "china.jpg", photos / "flower.jpg"]
    try:
        done = example(UPLOAD, *files, url=wire.url)
    finally:
        wire.close()
    assert (done.returncode, done.stderr) == (0, "")
    listed = app.get(project.targets, headers=write_token.headers).json["items"]
    assert [t["name"] for t in listed] == ["china", "flower"]
    assert done.stdout.split()[1::2] == [str(t["id"]) for t in listed]
    assert len(wire.requests) == 4
    done = example(UPLOAD, files[0])
    assert done.returncode == 1
    assert "body name" in done.stderr or "querystring name" in done.stderr


def test_the_session_of_the_clients_page(server, rows_removed, photos, tmp_path):
    session = (DOCS / "client.md").read_text().partition("## A session")[2]
    script = re.search(r"```sh\n(.*?)```", session, re.DOTALL)[1]
    assert "http://127.0.0.1:6543" in script
    environment = os.environ | {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "PASSWORD": PASSWORD,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    listed = "ar-targets target list --project Park --json"
    done = subprocess.run(
        ["bash", "-e", "-c", script.replace("http://127.0.0.1:6543", server.url) + listed],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    park = json.loads(done.stdout[done.stdout.rindex("[{") :])
    assert [target["description"] for target in park] == ["a gate"] * 2
    assert {target["name"] for target in park} == {"china", "flower"}
    assert {target["physical_width"] for target in park} == {0.3}
    assert sorted(target["size"] for target in park) == sorted([len(CHINA), len(FLOWER)])
