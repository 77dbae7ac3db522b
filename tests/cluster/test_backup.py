"""A backup of a node that is not in use, and a restore, which reaches every node."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from ar_targets.db.base import Base

from ..soak.client import Client
from ..soak.shared import Shared
from .experiment import rows
from .node import Node
from .system import System


def backup(system: System, port: int, *arguments: str) -> None:
    """Run the command on what listens at a port."""
    name = "AR_TARGETS_DATABASE_URL"
    environment = system.replicas.environment
    url = make_url(environment[name]).set(port=port).render_as_string(hide_password=False)
    command = [sys.executable, "-m", "ar_targets.scripts.backup", str(system.replicas.ini)]
    subprocess.run([*command, *arguments], env=environment | {name: url}, check=True)


def content(node: Node) -> dict[str, set[tuple[object, str]]]:
    """All rows, but those about backups."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    return {name: rows(node, name) for name in tables if name != "backup_result"}


@pytest.mark.soak
def test_a_restore_reaches_every_node(seed: int, tmp_path: Path) -> None:
    with System() as system:
        client = Client(1, seed, system.port, Shared(), 0)
        client.sign_up()
        client.create_project()
        client.create_token()
        for _ in range(20):
            client.upload()
        assert len(client.projects[0].targets) == 20
        last = system.cluster.nodes[-1]
        backup(system, last.port, "create", str(tmp_path))
        before = content(last)
        client.delete_target()
        client.upload()
        client.caller.close()
        assert client.wrong == []
        system.replicas.stop()
        backup(system, system.haproxy.port, "restore", "--replace", str(tmp_path))
        for node in system.cluster.nodes:
            assert content(node) == before
