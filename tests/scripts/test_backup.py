"""The backup of docs/operations.md: out by the dump tool, and back into an empty database."""

import hashlib
import re
import shlex
import shutil
import subprocess

import pytest
from sqlalchemy import create_engine, make_url, text

from ..conftest import INI, build
from ..pictures import CHINA, FLOWER
from ..throwaway import on_server_of

OPERATIONS = INI.parent / "docs" / "operations.md"
TABLES = ("user", "project", "token", "target", "audit")
MIB = 2**20


def tools(url):
    """The dump tool and the client of the server's own vendor."""
    engine = create_engine(url)
    with engine.connect() as connection:
        is_mariadb = "MariaDB" in connection.scalar(text("SELECT VERSION()"))
    engine.dispose()
    names = ("mariadb-dump", "mariadb") if is_mariadb else ("mysqldump", "mysql")
    found = [shutil.which(name) for name in names]
    if None in found or ("MariaDB" in version(found[0])) != is_mariadb:
        pytest.skip(f"needs the server's own {' and '.join(names)}")
    return found


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def address(url):
    """How the database's own tools are told where a database is."""
    made = make_url(url)
    if socket := made.query.get("unix_socket"):
        where = [f"--socket={socket}"]
    else:
        where = [f"--host={made.host}", f"--port={made.port or 3306}", "--protocol=tcp"]
    return [*where, f"--user={made.username}", f"--password={made.password or ''}"], made.database


def documented_options(program):
    """What the docs give to the dump tool; one option is MySQL's alone."""
    pattern = r"mysqldump (--single-transaction .*?) ar_targets"
    (found,) = re.findall(pattern, OPERATIONS.read_text(), re.DOTALL)
    options = shlex.split(found.replace("\\\n", " "))
    assert "--set-gtid-purged=OFF" in options
    if "mariadb" in program:
        options.remove("--set-gtid-purged=OFF")
    return options


def contents(url):
    """Rows of each table, and the checksums of the images, made by the database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        counts = {
            table: connection.scalar(text(f"SELECT COUNT(*) FROM `{table}`")) for table in TABLES
        }
        images = connection.execute(
            text("SELECT id, sha256, SHA2(image, 256) FROM target ORDER BY id")
        ).all()
    engine.dispose()
    assert all(stored == computed for _, stored, computed in images)
    return counts, [tuple(row) for row in images]


def test_round_trip(database_url, stage, owner, project, write_token, tmp_path):
    pictures = [CHINA, FLOWER, CHINA + bytes(10 * MIB - len(CHINA))]
    kept = [stage.target(project, data=picture) for picture in pictures]
    before = contents(database_url)
    dump = tmp_path / "dump.sql"
    dumper, client = tools(database_url)
    where, name = address(database_url)
    with dump.open("wb") as stream:
        command = [dumper, *where, *documented_options(dumper), name]
        subprocess.run(command, stdout=stream, check=True)
    with on_server_of(database_url) as empty:
        where, name = address(empty)
        with dump.open("rb") as stream:
            command = [client, *where, "--max-allowed-packet=64M", name]
            subprocess.run(command, stdin=stream, check=True)
        assert contents(empty) == before
        app = build(empty)
        for picture, target in zip(pictures, kept, strict=True):
            image = app.call("GET", target.image, who=write_token, status=200).body
            assert hashlib.sha256(image).digest() == hashlib.sha256(picture).digest()
        app.call("POST", "/api/project", {"name": "after"}, who=owner, status=201)
        app.call("POST", "/api/project", {"name": project.name}, who=owner, status=409)
        app.get("/health/ready", status=200)
        app.registry.engine.dispose()
