"""What all scripts do alike."""

import pytest

from ar_targets.development import serve
from ar_targets.scripts import admin, init, initdb, purge, restore, secret
from ar_targets.scripts.command import run
from ar_targets.version import VERSION

from ..conftest import INI

SCRIPTS = [admin, initdb, purge, restore]


@pytest.mark.parametrize("module", SCRIPTS)
def test_help(module, capsys):
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    assert ended.value.code == 0
    assert "the ini file" in capsys.readouterr().out


def test_an_ini_file_that_is_not_there(capsys):
    assert purge.main(["nowhere.ini"]) == 1
    assert "cannot read nowhere.ini" in capsys.readouterr().err


def test_a_wrong_setting_ends_with_one_line(script, monkeypatch):
    monkeypatch.setenv("AR_TARGETS_IMAGE_MAX_BYTES", "many")
    with pytest.raises(SystemExit) as ended:
        purge.main([str(INI)])
    assert str(ended.value).startswith("AR_TARGETS_IMAGE_MAX_BYTES: it must be a whole number")


def test_the_database_refuses(script, database_url, monkeypatch):
    monkeypatch.setenv("AR_TARGETS_DATABASE_URL", "mysql+pymysql://x:y@127.0.0.1:1/ar_targets")
    done = script(purge.main)
    assert done.code == 1
    assert done.err.startswith("the database refused: (2003")


def test_interrupted(capsys):
    def work():
        raise KeyboardInterrupt

    assert run(work) == 1
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("module", [*SCRIPTS, init, secret, serve])
def test_version(module, capsys):
    with pytest.raises(SystemExit) as ended:
        module.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.endswith(f" {VERSION}\n")
