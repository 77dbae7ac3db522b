"""``ar_targets_secrets``: made once, kept, and shown to nobody else."""

import pytest
from sqlalchemy import make_url

from ar_targets.scripts import secret
from ar_targets.settings import jwt_keys

KEY = "k" * 32


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """Runs the script on two folders; code, output, error."""
    for name in ("own", "database"):
        (tmp_path / name).mkdir()

    def run(*arguments, **environ):
        with monkeypatch.context() as patch:
            for name, text in environ.items():
                patch.setenv(name, text)
            code = secret.main([str(tmp_path / "own"), str(tmp_path / "database"), *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def files(tmp_path):
    def read():
        return {
            f"{file.parent.name}/{file.name}": file.read_text().strip()
            for folder in ("own", "database")
            for file in (tmp_path / folder).iterdir()
        }

    return read


NAMES = {
    "own/admin_password",
    "own/database_url",
    "own/jwt_keys",
    "own/vision_key",
    "database/password",
    "database/root_password",
}


def test_makes_all_once(call, files):
    code, out, err = call()
    made = files()
    assert (code, err) == (0, "")
    assert made.keys() == NAMES
    assert len(set(made.values())) == len(NAMES)
    assert not any(value in out for value in made.values())
    assert len(jwt_keys(made["own/jwt_keys"])) == 1
    url = make_url(made["own/database_url"])
    assert (url.host, url.username, url.password) == (
        "database",
        "ar_targets",
        made["database/password"],
    )
    assert call("--host", "database")[0] == 0
    assert files() == made


def test_only_the_databases_are_for_others_to_read(call, tmp_path):
    call()
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("*/*")}
    assert {name for name, mode in modes.items() if mode == 0o400} == {
        "admin_password",
        "database_url",
        "jwt_keys",
        "vision_key",
    }
    assert {name for name, mode in modes.items() if mode == 0o444} == {"password", "root_password"}


def test_the_environment_is_taken(call, files):
    call(
        AR_TARGETS_JWT_KEYS=KEY,
        AR_TARGETS_VISION_KEY="v" * 32,
        DATABASE_PASSWORD="p@ss/word",
        DATABASE_ROOT_PASSWORD="r",
        ADMIN_PASSWORD="correct horse",
    )
    made = files()
    assert made["own/jwt_keys"] == KEY
    assert made["own/vision_key"] == "v" * 32
    assert made["own/admin_password"] == "correct horse"
    assert made["database/root_password"] == "r"
    assert make_url(made["own/database_url"]).password == "p@ss/word"


def test_what_the_environment_changes_later(call, files):
    call(DATABASE_PASSWORD="first")
    elsewhere = "mysql+pymysql://u:p@db.example/ar"
    code, _, err = call(AR_TARGETS_JWT_KEYS=KEY, AR_TARGETS_DATABASE_URL=elsewhere)
    assert (code, err) == (0, "")
    assert files()["own/jwt_keys"] == KEY
    assert files()["own/database_url"] == elsewhere
    before = files()
    code, _, err = call(DATABASE_PASSWORD="second")
    assert code == 1
    assert "ALTER USER" in err
    assert "second" not in err
    assert files() == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AR_TARGETS_JWT_KEYS", "short"),
        ("AR_TARGETS_VISION_KEY", "short"),
        ("AR_TARGETS_DATABASE_URL", "sqlite:///hunter22"),
    ],
)
def test_a_value_that_cannot_be_used(call, files, name, text):
    code, _, err = call(**{name: text})
    assert code == 1
    assert err.startswith(f"{name}: ")
    assert text not in err
    assert files() == {}


def test_the_first_password_is_shown_once(call, files):
    call()
    password = files()["own/admin_password"]
    assert call("--show-password") == (0, password + "\n", "")
    code, out, err = call("--show-password")
    assert (code, out) == (1, "")
    assert "ar_targets_admin" in err
    call()
    assert files()["own/admin_password"] == ""


def test_keys_are_rotated(call, files):
    call()
    (old,) = jwt_keys(files()["own/jwt_keys"])
    assert call("--new-key")[0] == 0
    new, second = jwt_keys(files()["own/jwt_keys"])
    assert second == old != new
    call()
    assert jwt_keys(files()["own/jwt_keys"]) == (new, old)
    assert call("--drop-old-keys")[1].startswith("dropped 1 keys")
    assert jwt_keys(files()["own/jwt_keys"]) == (new,)


def test_folders_that_are_not_there(tmp_path, capsys):
    for option in ([], ["--show-password"], ["--new-key"]):
        assert secret.main([str(tmp_path / "a"), str(tmp_path / "b"), *option]) == 1
        assert str(tmp_path) in capsys.readouterr().err
