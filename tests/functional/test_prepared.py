"""Requests whose statements the server has prepared, and what can become of those."""

import struct

import pytest
from pymysql.constants import COMMAND

from ar_targets.models.project import project as project_table
from ar_targets.wire import packet, prepared


@pytest.fixture
def rename(app, owner, project):
    """Renames the project; each of its statements is prepared."""

    def work(name):
        return app.patch_json(project.path, {"name": name}, headers=owner.headers)

    for number in range(3):
        work(f"Zoo {number}")
    return work


def numbers():
    """All prepared statements, with their connections."""
    return [
        (connection, statement.number)
        for connection, known in prepared._known.items()
        if connection.open
        for statement in known.values()
        if statement
    ]


def test_statements_that_the_server_has_lost(rename, stage):
    """As when a proxy goes on with another server, or with another of its connections."""
    lost = numbers()
    assert lost
    for connection, number in lost:
        packet.send(connection, COMMAND.COM_STMT_CLOSE, struct.pack("<I", number))
    assert rename("Park").json["name"] == "Park"
    assert [row["name"] for row in stage.rows(project_table)] == ["Park"]


def test_a_table_that_has_changed(rename, stage):
    with stage.engine.connect() as other:
        for comment in ("changed", ""):
            other.exec_driver_sql(f"ALTER TABLE project COMMENT = '{comment}'")
            assert rename(f"Park {comment}").json["name"] == f"Park {comment}".strip()
