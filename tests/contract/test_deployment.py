"""What the ways to a host say about us holds."""

import os
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from ar_targets.images.base64_jpeg import largest_body
from ar_targets.settings import ENV_PREFIX, MIN_JWT_KEY_BYTES, PREFIX, Settings, load

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
SETTINGS = {ENV_PREFIX + field.name.upper() for field in fields(Settings)}
NGINX = ROOT / "docs/deploy/nginx"
FILES = [
    ROOT / "docker-compose.yaml",
    ROOT / ".env.example",
    *(path for path in (ROOT / "docs/deploy").rglob("*.*") if path.is_file()),
]


def test_the_compose_file_hands_on_every_setting():
    named = set(re.findall(r"^  (AR_TARGETS_[A-Z_]+?)(?:_FILE)?:", COMPOSE, re.MULTILINE))
    assert named == SETTINGS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_names_a_setting_that_does_not_exist(file):
    named = re.findall(r"\bAR_TARGETS_[A-Z_]+[A-Z]", file.read_text(encoding="utf-8"))
    assert {name.removesuffix("_FILE") for name in named} <= SETTINGS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_holds_a_secret(file):
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"(?:PASSWORD|KEYS?)(?:: +|=)(?!\$\{)[^\s#]", text)


def test_the_database_publishes_no_port():
    database = COMPOSE.partition("\n  database:\n")[2].partition("\n\n  # ")[0]
    assert "image: mysql:8.4" in database
    assert "ports:" not in database


def test_the_files_that_the_compose_file_mounts_are_there():
    mounted = [ROOT / name for name in re.findall(r"- \./(\S+?):", COMPOSE)]
    assert mounted
    assert [file for file in mounted if not file.exists()] == []
    # The image passes over those that cannot be executed.
    assert all(os.access(file, os.X_OK) for file in mounted if file.suffix == ".sh")


def test_the_servers_for_pictures_are_those_that_the_balancer_knows():
    text = (ROOT / "docs/deploy/vision/docker-compose.yaml").read_text()
    mounted = re.findall(r"\./(docs\S+?):", text)
    assert [(ROOT / name).exists() for name in mounted] == [True]
    known = re.findall(r"^    server (\S+) \1:6544$", (ROOT / mounted[0]).read_text(), re.MULTILINE)
    services = re.findall(r"^  (\w+):", text, re.MULTILINE)
    assert services == [*known, "vision"]


def test_the_images_context_is_what_the_dockerfile_copies():
    """That this is enough to build the package is for tests/packaging to show."""
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert {name for line in lines for name in line.split()} == set(allowed)


def start_proxy(directory: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run what the proxy's container runs before nginx."""
    return subprocess.run(
        [NGINX / "compose/start.sh", directory],
        env={"PATH": "/usr/bin:/bin"} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_proxy_speaks_plain_http_without_a_domain(tmp_path):
    assert start_proxy(tmp_path, DOMAIN="", ACME_DIRECTORY="").returncode == 0
    assert {file.name for file in tmp_path.iterdir()} == {"http.conf", "resolver.conf"}
    assert re.fullmatch(
        r"resolver (\S+ )+valid=1s ipv6=off;\n", (tmp_path / "resolver.conf").read_text()
    )


def test_the_proxy_obtains_a_certificate_for_a_domain(tmp_path):
    assert start_proxy(tmp_path).returncode == 0
    assert start_proxy(tmp_path, DOMAIN="ar.example.org").returncode == 0
    names = {"https.conf", "main.acme", "resolver.conf"}
    assert {file.name for file in tmp_path.iterdir()} == names
    text = (tmp_path / "https.conf").read_text()
    assert "server_name ar.example.org;" in text
    assert "uri https://acme-v02.api.letsencrypt.org/directory;" in text
    assert not re.search("@[A-Z]", text)


@pytest.mark.parametrize("name", ["DOMAIN", "ACME_DIRECTORY"])
def test_the_proxy_takes_no_configuration_for_a_name(tmp_path, name):
    done = start_proxy(tmp_path, **{"DOMAIN": "a.example", name: "a.example; daemon on"})
    assert done.returncode == 1
    assert name in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_both_ways_to_https_have_the_same_tls():
    """From the protocols on; nginx of the image takes HTTP/2 as an option of its own."""
    first = re.compile("^    ssl_protocols.*", re.MULTILINE | re.DOTALL)
    texts = [(NGINX / name).read_text() for name in ("conf.d/https.conf", "compose/https.conf")]
    assert len({first.search(text).group() for text in texts}) == 1


def test_the_proxies_take_every_body_that_the_application_speaks_about():
    """It reads twice the largest body, to say what is wrong with it (`http.large_body`)."""
    needed = {"database_url": "mysql+pymysql://ar@db/ar", "jwt_keys": "k" * MIN_JWT_KEY_BYTES}
    settings = load({PREFIX + name: text for name, text in needed.items()}, {})
    for name in ("nginx/ar_targets/server.inc", "kubernetes/ingress.yaml"):
        text = (ROOT / "docs/deploy" / name).read_text(encoding="utf-8")
        (mebibytes,) = re.findall(r"(?:client_max_body_size |proxy-body-size: )(\d+)m\b", text)
        assert int(mebibytes) * 2**20 > 2 * largest_body(settings)
