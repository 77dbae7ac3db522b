"""What the ways to a host say about us holds."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ar_targets.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
SETTINGS = {ENV_PREFIX + field.name.upper() for field in fields(Settings)}
FILES = [
    ROOT / "docker-compose.yaml",
    ROOT / ".env.example",
    *(ROOT / "docs/deploy").rglob("*.*"),
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
    assert not re.search(r"(?:PASSWORD|KEYS)(?:: +|=)(?!\$\{)[^\s#]", text)


def test_the_database_publishes_no_port():
    database = COMPOSE.partition("\n  database:\n")[2].partition("\n\n  # ")[0]
    assert "image: mysql:8.4" in database
    assert "ports:" not in database
