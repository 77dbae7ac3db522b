"""What docs/deploy/cluster says of nodes; how they fare under load is for tests/cluster."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "docs/deploy/cluster"
RECOVERED = "77079668-eb7c-11f1-8d60-4a5b3f463bf9:191"


class Loader(yaml.SafeLoader):
    """Knows Compose's tag for what replaces the same key of the other file."""


Loader.add_constructor("!override", lambda loader, node: loader.construct_mapping(node, deep=True))
COMPOSE = yaml.load((CLUSTER / "docker-compose.yaml").read_text(), Loader)


def start(directory: Path, *, founds: bool = False, state: str | None = None) -> list[str]:
    """How the node's start script calls the image's entrypoint."""
    data = directory / "data"
    data.mkdir()
    if state is not None:
        (data / "grastate.dat").write_text(state)
    programs = {
        "docker-entrypoint.sh": 'echo "$@"',
        "mariadbd": f'echo "0 [Note] WSREP: Recovered position: {RECOVERED}" >&2',
    }
    for name, text in programs.items():
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(0o755)
    done = subprocess.run(
        [CLUSTER / "start.sh", "mariadbd", "--wsrep-node-name=node1"],
        env={
            "PATH": f"{directory}:/usr/bin:/bin",
            "DATA": str(data),
            "CLUSTER": str(directory),
            "FOUNDS": "yes" if founds else "",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("mariadbd --wsrep-node-name=node1")
    return done.stdout.split()[2:]


def test_the_first_node_founds_the_cluster_once(tmp_path: Path) -> None:
    assert start(tmp_path, founds=True) == ["--wsrep-new-cluster"]
    assert (tmp_path / "founded").exists()


def test_a_founder_that_lost_its_data_joins(tmp_path: Path) -> None:
    (tmp_path / "founded").touch()
    assert start(tmp_path, founds=True) == []


@pytest.mark.parametrize("last", [False, True])
def test_a_node_begins_again_where_it_was_the_last(tmp_path: Path, last: bool) -> None:
    found = start(tmp_path, state=f"seqno: -1\nsafe_to_bootstrap: {int(last)}\n")
    assert found[0] == f"--wsrep-start-position={RECOVERED}"
    assert found[1:] == (["--wsrep-new-cluster"] if last else [])


def test_all_that_is_mounted_is_there() -> None:
    mounted = re.findall(r"\./(docs\S+?):", (CLUSTER / "docker-compose.yaml").read_text())
    assert mounted
    assert [name for name in mounted if not (ROOT / name).exists()] == []


def test_each_node_is_known_by_its_address() -> None:
    services = COMPOSE["services"]
    nodes = {name: service for name, service in services.items() if name.startswith("node")}
    known = [f"{name}:{node['networks']['back']['ipv4_address']}" for name, node in nodes.items()]
    assert services["database"]["extra_hosts"] == known
    for name, node in nodes.items():
        assert node["extra_hosts"] == known
        assert f"--wsrep-node-name={name}" in node["command"]
        address = node["networks"]["back"]["ipv4_address"]
        assert f"--wsrep-node-address={address}" in node["command"]
    settings = (CLUSTER / "galera.cnf").read_text()
    assert f"gcomm://{','.join(nodes)}\n" in settings
    haproxy = (CLUSTER / "haproxy.cfg").read_text()
    assert re.findall(r"^    server (\S+) \1:3306 check", haproxy, re.MULTILINE) == [*nodes]


def test_every_part_of_ours_knows_that_it_is_a_cluster() -> None:
    first = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    using = {name for name, one in first.items() if "AR_TARGETS_LISTEN" in one["environment"]}
    for name in using:
        environment = COMPOSE["services"][name]["environment"]
        assert environment == {"AR_TARGETS_DATABASE_CLUSTER": "galera"}
