"""Builds a distribution, and installs it into an environment of its own."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def call(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints. It inherits no setting of ours, and no path to the checkout."""
    bare = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=bare | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, target: Path) -> Path:
    """Build an sdist, and from that alone a wheel, which is returned."""
    # Not isolated: setuptools, at the version of the lock file, is here.
    command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source)
    call(*command, cwd=target.parent)
    (wheel,) = target.glob("*.whl")
    return wheel


def files_of_sdist(directory: Path) -> set[str]:
    """The files in an sdist, without the folder around them."""
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        assert all(member.isfile() or member.isdir() for member in opened)
        return {member.name.partition("/")[2] for member in opened if member.isfile()}


def files_of_wheel(wheel: Path) -> set[str]:
    """The files in a wheel, without its metadata."""
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}


def install(wheel: Path, environment: Path, lock: str) -> Path:
    """Install a wheel and what it needs, at the versions of a lock file; the folder of programs."""
    call(sys.executable, "-m", "venv", "--without-pip", environment, cwd=wheel.parent)
    programs = environment / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-compile")
    call(*pip, "--constraint", ROOT / lock, wheel, cwd=wheel.parent)
    return programs


def distributions(programs: Path) -> set[str]:
    """The names of all distributions in an environment."""
    code = (
        "from importlib.metadata import distributions as d;"
        "print(*{found.name.lower().replace('_', '-') for found in d()})"
    )
    return set(call(programs / "python", "-c", code, cwd=programs).split())
