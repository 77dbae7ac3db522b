"""``ar_targets_init``: writes the ini files where there are none. tests/packaging goes on."""

import pytest

from ar_targets.scripts import init

from ..conftest import INI, PRODUCTION


def test_writes_both_and_says_how_to_go_on(tmp_path, capsys):
    directory = tmp_path / "a new" / "folder"
    assert init.main([str(directory)]) == 0
    assert {file.name for file in directory.iterdir()} == {INI.name, PRODUCTION.name}
    for original in (INI, PRODUCTION):
        written = directory / original.name
        assert written.read_bytes() == original.read_bytes()
        assert not written.is_symlink()
    assert f"ar_targets_initdb '{directory}/production.ini'\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", init.NAMES)
def test_does_not_overwrite(tmp_path, capsys, name):
    there = tmp_path / name
    there.write_text("mine")
    assert init.main([str(tmp_path)]) == 1
    assert capsys.readouterr() == ("", f"{there} is there already; nothing was written\n")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


def test_writes_through_no_link(tmp_path, capsys):
    (tmp_path / "production.ini").symlink_to(tmp_path / "elsewhere")
    assert init.main([str(tmp_path)]) == 1
    assert "production.ini is there already" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_directorys_place(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert init.main([str(tmp_path / "file" / "below")]) == 1
    assert capsys.readouterr().err == f"cannot write to {tmp_path}/file/below: Not a directory\n"
