"""The settings: documented as they are, refused in one line, and no secret in our files."""

import configparser
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from ar_targets import settings
from ar_targets.application import main
from ar_targets.settings import ENV_PREFIX, MIN_JWT_KEY_BYTES, PREFIX, Settings, SettingsError

ROOT = Path(__file__).parents[2]
SPECS = {field.name: field for field in fields(Settings)}
NEEDED = {
    PREFIX + "database_url": "mysql+pymysql://user:hunter22@db.example:3306/ar",
    PREFIX + "jwt_keys": "k" * MIN_JWT_KEY_BYTES,
}


def load(environ=None, **ini):
    return settings.load(
        NEEDED | {PREFIX + name: text for name, text in ini.items()}, environ or {}
    )


def refusal(environ=None, **ini):
    """The one line that is left of a start."""
    with pytest.raises(SettingsError) as caught:
        load(environ, **ini)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert "hunter22" not in line
    return line


def documented():
    """The rows of README's table of settings, by name."""
    rows = re.findall(r"^\|\s*`(?:ar_targets\.)?(\w+)`\s*\|(.*)\|\s*$", readme(), re.MULTILINE)
    return dict(rows)


def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SPECS)
def test_readme_has_every_setting_with_its_default(name):
    assert name in documented()
    default = SPECS[name].metadata["default"]
    if default:
        assert f"`{default}`" in documented()[name]


def test_readme_has_no_setting_that_does_not_exist():
    for name in re.findall(r"\bar_targets\.(\w+)` *\|", readme()):
        assert name in SPECS
    for name in re.findall(rf"\b{ENV_PREFIX}([A-Z_]+[A-Z])\b", readme()):
        known = {spec.upper() for spec in SPECS}
        assert name in {"TEST_DATABASE_URL"} | known | {f"{spec}_FILE" for spec in known}


def test_defaults_can_be_used():
    loaded = load()
    for name, spec in SPECS.items():
        assert spec.metadata["meaning"]
        if (default := spec.metadata["default"]) is not None:
            assert getattr(loaded, name) == spec.metadata["parse"](default)


def test_the_contracts_defaults():
    loaded = load()
    assert loaded.login_token_ttl == 12 * 3600
    assert loaded.project_token_ttl == 14 * 24 * 3600
    assert loaded.project_token_max_ttl == 365 * 24 * 3600
    assert loaded.image_max_bytes == 10 * 2**20
    assert loaded.image_max_pixels == 50_000_000
    assert loaded.user_access == "open"
    assert loaded.cors_origins == frozenset()


WRONG = [
    ("database_url", "not a url"),
    ("database_url", "sqlite:///x.db"),
    ("database_url", "postgresql://user:hunter22@host/ar"),
    ("database_url", "mysql+pymysql://user:hunter22@host"),
    ("database_url", "mysql+pymysql://user:hunter22@host:port/ar"),
    ("jwt_keys", "short"),
    ("jwt_keys", "k" * (MIN_JWT_KEY_BYTES - 1)),
    ("jwt_keys", "k" * MIN_JWT_KEY_BYTES + " hunter22"),
    ("user_access", "closed"),
    ("user_access", "Open"),
    ("login_failures", "ten"),
    ("login_failures", "10 per fortnight"),
    ("login_failures", "off"),
    ("login_failures_per_address", "none"),
    ("user_change_rate", "often"),
    ("login_failure_storage", "memory"),
    ("trusted_proxy", "proxy"),
    ("trusted_proxy", "10.0.0.0/8"),
    ("trusted_proxy", "10.0.0.1 10.0.0.2"),
    ("purge_schedule", "hourly"),
    ("purge_schedule", "61 * * * *"),
    ("purge_schedule", "0 0 31 2 *"),
    ("backup_schedule", "daily"),
    ("backup_keep", "0"),
    ("backup_keys", "yes"),
    ("workers", "0"),
    ("workers", "many"),
    ("purge_deleted_after", "-1"),
    ("purge_deleted_after", "36501"),
    ("cors_origins", "app.example.org"),
    ("cors_origins", "https://app.example.org/"),
    ("cors_origins", "https://*.example.org"),
    ("metrics_networks", "everywhere"),
    ("metrics_networks", "10.0.0.1/8"),
    ("metrics_networks", "127.0.0.1 none"),
    ("vision_url", "127.0.0.1:6544"),
    ("vision_url", "http://user:hunter22@vision"),
    ("vision_url", "http://vision/path"),
    ("vision_key", "hunter22"),
    ("vision_key", "hunter22 " * 8),
    ("vision_listen", "6544"),
    ("vision_requests", "0"),
    ("vision_processes", "0"),
    ("vision_memory", "2g"),
    ("vision_timeout", "0"),
    ("slow_query_ms", "-1"),
    ("slow_query_ms", "0.5"),
    ("slow_query_ms", "never"),
    *(
        (name, wrong)
        for name in (
            "database_pool_size",
            "database_timeout",
            "login_token_ttl",
            "project_token_ttl",
            "project_token_max_ttl",
            "image_max_bytes",
            "image_max_pixels",
        )
        for wrong in ("0", "-1", "1.5", "1e3", "many", "٣", "1 2", "9" * 18, "9" * 30)
    ),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_is_refused_by_name(name, text):
    assert refusal(**{name: text}).startswith(f"{PREFIX}{name}: ")


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_of_the_environment_is_refused_by_its_name(name, text):
    variable = ENV_PREFIX + name.upper()
    assert refusal({variable: text}).startswith(f"{variable}: ")


def test_settings_that_do_not_go_together():
    assert "project_token_ttl" in refusal(project_token_ttl="100", project_token_max_ttl="99")
    load(project_token_ttl="100", project_token_max_ttl="100")
    assert "backup_directory" in refusal(backup_schedule="0 3 * * *")
    load(backup_schedule="0 3 * * *", backup_directory="/var/backups")
    assert "vision_key" in refusal(vision_url="http://vision:6544")
    load(vision_url="http://vision:6544", vision_key="v" * MIN_JWT_KEY_BYTES)


@pytest.mark.parametrize("name", ["database_url", "jwt_keys"])
@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_what_is_needed_is_asked_for(name, text):
    line = refusal(**{name: text})
    assert name in line
    missing = {key: value for key, value in NEEDED.items() if key != PREFIX + name}
    with pytest.raises(SettingsError, match=name) as caught:
        settings.load(missing, {})
    assert ENV_PREFIX + name.upper() in str(caught.value)


@pytest.mark.parametrize("name", ["image_max_byte", "JWT_KEYS", "user-access", ""])
def test_an_unknown_setting_is_refused(name):
    assert refusal(**{name: "1"}).startswith(f"{PREFIX}{name}: ")


def test_settings_of_others_are_left_alone():
    settings.load(NEEDED | {"pyramid.reload_templates": "true", "use": "egg:ar_targets"}, {})


def test_the_environment_wins(tmp_path):
    assert load({"AR_TARGETS_LOGIN_TOKEN_TTL": "7"}, login_token_ttl="8").login_token_ttl == 7
    file = tmp_path / "ttl"
    file.write_text("9\n")
    from_file = {"AR_TARGETS_LOGIN_TOKEN_TTL_FILE": str(file)}
    assert load(from_file, login_token_ttl="8").login_token_ttl == 9
    both = from_file | {"AR_TARGETS_LOGIN_TOKEN_TTL": "7"}
    assert load(both).login_token_ttl == 7


def test_an_empty_variable_is_none():
    assert load({"AR_TARGETS_LOGIN_TOKEN_TTL": ""}, login_token_ttl="8").login_token_ttl == 8
    assert load({"AR_TARGETS_LOGIN_TOKEN_TTL_FILE": ""}).login_token_ttl == 43200


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"nonsense"])
def test_a_file_that_cannot_be_used(tmp_path, content):
    file = tmp_path / "ttl"
    if content is not None:
        file.write_bytes(content)
    line = refusal({"AR_TARGETS_LOGIN_TOKEN_TTL_FILE": str(file)})
    assert line.startswith("AR_TARGETS_LOGIN_TOKEN_TTL_FILE: ")


def test_keys_of_a_file_one_a_line(tmp_path):
    file = tmp_path / "keys"
    new, old = "n" * MIN_JWT_KEY_BYTES, "o" * MIN_JWT_KEY_BYTES
    file.write_text(f"{new}\n{old}\n")
    assert load({"AR_TARGETS_JWT_KEYS_FILE": str(file)}).jwt_keys == (new, old)


def test_origins_between_white_space():
    loaded = load(cors_origins="https://a.example\n  http://localhost:3000")
    assert loaded.cors_origins == {"https://a.example", "http://localhost:3000"}
    assert load(cors_origins="*").cors_origins == {"*"}


def test_networks_between_white_space():
    loaded = load(metrics_networks="10.0.0.0/8\n 2001:db8::1")
    assert [str(network) for network in loaded.metrics_networks] == [
        "10.0.0.0/8",
        "2001:db8::1/128",
    ]
    assert load(metrics_networks="none").metrics_networks == ()


def test_no_secret_is_shown_by_accident():
    shown = repr(load(vision_key="v" * MIN_JWT_KEY_BYTES))
    assert "hunter22" not in shown
    assert "k" * MIN_JWT_KEY_BYTES not in shown
    assert "v" * MIN_JWT_KEY_BYTES not in shown


def test_the_factory_refuses_too():
    with pytest.raises(SettingsError, match="user_access"):
        main({}, **NEEDED, **{PREFIX + "user_access": "closed"})


def test_the_factory_refuses_images_that_the_database_would(database_url):
    ini = NEEDED | {PREFIX + "database_url": database_url, PREFIX + "image_max_bytes": "200000000"}
    with pytest.raises(SettingsError, match=r"image_max_bytes.*max_allowed_packet"):
        main({}, **ini)


@pytest.mark.parametrize("ini", ["production.ini", "development.ini"])
def test_ini_files_hold_no_secret(ini):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / ini)
    app = dict(parser["app:main"])
    assert app["use"] == "egg:ar_targets"
    for name in ("database_url", "jwt_keys", "vision_key"):
        assert PREFIX + name not in app
    text = (ROOT / ini).read_text()
    assert not re.search(r"://\w*:\w+@|^[^#\n]*(password|secret) *= *\S", text, re.MULTILINE)
    assert {name.removeprefix(PREFIX) for name in app if name.startswith(PREFIX)} <= SPECS.keys()


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "database_url"),
        ({"AR_TARGETS_DATABASE_URL": NEEDED[PREFIX + "database_url"]}, "jwt_keys"),
    ],
)
def test_production_does_not_start_without_its_secrets(environ, missing):
    start = "import sys; from pyramid.scripts.pserve import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", start, str(ROOT / "production.ini")],
        env={"PATH": "/usr/bin:/bin"} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 1
    assert missing in lines[0]
    assert "hunter22" not in lines[0]
