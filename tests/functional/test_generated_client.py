"""A client that is made from the API's description does the whole job on a real server."""

import base64
import importlib
import subprocess
import sys
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from ..actors import PASSWORD
from ..live import live
from ..pictures import CHINA, FLOWER, base64_of

NAME = "made_client"
# The generator has no name of its own for pictures: they are bytes.
CONFIGURATION = """\
post_hooks: []
content_type_overrides:
  image/jpeg: application/octet-stream
  image/png: application/octet-stream
"""
OPERATIONS = {
    "users": ["create_user", "read_user", "change_user", "delete_user"],
    "login": ["log_in"],
    "projects": ["create_project", "list_projects", "replace_project", "delete_project"],
    "project_tokens": ["create_token", "list_tokens", "replace_token", "revoke_token"],
    "image_targets": [
        *("create_target", "list_targets", "read_target", "change_target", "delete_target"),
        "read_image",
    ],
}


@pytest.fixture(scope="module")
def address(database_url, tmp_path_factory):
    with live(database_url, tmp_path_factory.mktemp("live")) as server:
        yield server.url


@pytest.fixture(scope="module")
def made(address, tmp_path_factory):
    """The generated package: its operations, its models, and clients with and without a token."""
    directory = tmp_path_factory.mktemp("client")
    described = httpx.get(f"{address}/api/openapi.json")
    (directory / "openapi.json").write_bytes(described.content)
    (directory / "config.yaml").write_text(CONFIGURATION)
    generator = Path(sys.executable).with_name("openapi-python-client")
    command = [generator, "generate", "--path", "openapi.json", "--config", "config.yaml"]
    options = ["--output-path", NAME, "--meta", "none", "--fail-on-warning"]
    subprocess.run([*command, *options], cwd=directory, check=True)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as open_clients:
        patch.syspath_prepend(str(directory))
        package = importlib.import_module(NAME)

        def keep(client):
            open_clients.callback(client.get_httpx_client().close)
            return client

        yield SimpleNamespace(
            models=importlib.import_module(f"{NAME}.models"),
            nobody=keep(package.Client(base_url=address)),
            holder=lambda token: keep(package.AuthenticatedClient(address, token=token)),
            **{
                operation: importlib.import_module(f"{NAME}.api.{tag}.{operation}").sync_detailed
                for tag, operations in OPERATIONS.items()
                for operation in operations
            },
        )
        for loaded in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[loaded]


def good(response, status=HTTPStatus.OK):
    """What a response holds."""
    assert response.status_code == status, response.content
    return response.parsed


@pytest.mark.usefixtures("rows_removed")
def test_the_whole_job(made):
    models = made.models
    body = models.UserBody(login="ann", password=PASSWORD)
    user = good(made.create_user(client=made.nobody, body=body), 201)
    login = good(made.log_in(client=made.nobody, body=models.LoginBody("ann", PASSWORD)))
    ann = made.holder(login.token)

    project = good(made.create_project(client=ann, body=models.ProjectBody("Zoo")), 201)
    wanted = models.TokenBody(ttl=60, description="phone app")
    token = good(made.create_token(project.id, client=ann, body=wanted), 201)
    assert (token.valid, token.access.value, token.ttl) == (True, "write", 60)
    assert token.expires_at - token.created_at == token.expires_at.resolution * 60_000_000
    app = made.holder(token.token)

    upload = models.TargetBody(image=base64_of(CHINA), description="a gate")
    target = good(made.create_target(project.id, client=app, body=upload), 201)
    assert (target.width, target.height, target.size) == (640, 427, len(CHINA))
    read = good(made.read_target(project.id, target.id, client=app))
    assert base64.b64decode(read.image) == CHINA
    image = good(made.read_image(project.id, target.id, client=app))
    assert image.payload.read() == CHINA
    part = made.read_image(project.id, target.id, client=app, range_="bytes=0-9")
    assert good(part, 206).payload.read() == CHINA[:10]

    change = models.TargetPatch(image=base64_of(FLOWER))
    tag = made.read_target(project.id, target.id, client=app).headers["ETag"]
    changed = made.change_target(project.id, target.id, client=app, body=change, if_match=tag)
    assert (good(changed).size, good(changed).description) == (len(FLOWER), "a gate")
    late = made.change_target(project.id, target.id, client=app, body=change, if_match=tag)
    assert good(late, 412).errors[0].name == "If-Match"
    assert [one.id for one in good(made.list_targets(project.id, client=app)).items] == [target.id]

    longer = models.TokenTtlBody(ttl=3600)
    extended = good(made.replace_token(project.id, token.id, client=ann, body=longer))
    assert extended.token == token.token
    assert extended.expires_at > token.expires_at
    listed = good(made.list_tokens(project.id, client=ann, limit=1))
    assert ([one.ttl for one in listed.items], listed.next_) == ([3600], None)

    good(made.delete_target(project.id, target.id, client=app), 204)
    good(made.revoke_token(project.id, token.id, client=ann), 204)
    refused = good(made.list_targets(project.id, client=app), 401)
    assert refused.errors[0].name == "Authorization"

    renamed = models.ProjectBody("Aquarium")
    assert good(made.replace_project(project.id, client=ann, body=renamed)).name == "Aquarium"
    assert [one.name for one in good(made.list_projects(client=ann)).items] == ["Aquarium"]
    good(made.delete_project(project.id, client=ann), 204)
    good(made.delete_user(user.id, client=ann), 204)
    assert good(made.read_user(user.id, client=made.nobody), 404).errors


def test_errors_are_told_apart(made):
    body = made.models.UserBody(login="", password="short")
    wrong = good(made.create_user(client=made.nobody, body=body), 400)
    assert {fault.name for fault in wrong.errors} == {"login", "password"}
    body = made.models.LoginBody("nobody", "wrong password")
    assert good(made.log_in(client=made.nobody, body=body), 401).status == "error"
