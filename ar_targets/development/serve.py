"""``ar_targets_serve``: start everything with one command, without any setup.

If the ini file and the environment do not set them, it provides a private
database server, a key for the JWTs, and ``ar_targets_vision`` with its key; what is
kept is in ``var`` beside the ini file. Then it runs the migrations, and the web server until a
signal arrives.
``make serve`` calls it.
"""

import argparse
import configparser
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import plaster

from ar_targets.address import addresses
from ar_targets.development import process
from ar_targets.development.database import DatabaseUnavailable, PrivateDatabase
from ar_targets.development.supplied import (
    DIRECTORY,
    database_directory,
    is_set,
    key_file,
    vision_key_file,
)
from ar_targets.settings import ENV_PREFIX
from ar_targets.version import VERSION

SERVER_STOP_SECONDS = 10.0
# Of the first administrator.
LOGIN = "admin"

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ServeError(Exception):
    """Why the server cannot start, in one line."""


class Stopped(Exception):  # noqa: N818  # it is no error
    """A signal has arrived; raised by the check of `stop_on_signals`."""


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal arrives.

    The exit status is 0 after a signal, 1 after an error of ours, else that of
    the subprocess that ended.
    """
    arguments = _parse(argv)
    directory = arguments.dir or arguments.ini.absolute().parent / DIRECTORY
    with stop_on_signals() as check:
        try:
            return serve(arguments.ini, directory, check)
        except Stopped:
            return 0
        except (ServeError, DatabaseUnavailable, PermissionError) as error:
            say(str(error))
            return 1


def serve(ini: Path, directory: Path, check: process.Check) -> int:
    """Start everything in order; on exit, stop everything in reverse order."""
    app, server = settings(ini, "app:main"), settings(ini, "server:main")
    urls = free_urls(server)
    environment = dict(os.environ)
    is_private = not is_set("database_url", app)
    with ExitStack() as stack:
        if is_private:
            place = database_directory(directory)
            database = PrivateDatabase(place, check=check)
            say(f"Database: a private server, its data and log in {place}")
            stack.enter_context(database).create_database("ar_targets")
            environment[ENV_PREFIX + "DATABASE_URL"] = database.url()
        if not is_set("jwt_keys", app):
            environment[ENV_PREFIX + "JWT_KEYS"] = key(key_file(directory))
            say(f"Key for the tokens: {key_file(directory)}")
        is_blind = not is_set("vision_url", app)
        if is_blind:
            environment |= vision_settings(vision_key_file(directory))
        if code := run("ar_targets.scripts.initdb", ini, environment, check):
            return code
        if is_blind:
            stack.enter_context(beside("ar_targets.scripts.vision", ini, environment))
            say(f"Vision: {environment[ENV_PREFIX + 'VISION_URL']}")
        stack.enter_context(beside("ar_targets.scripts.worker", ini, environment))
        if is_private:
            say(administrator(ini, environment))
            check()
        say(f"Server: {' '.join(urls)} (Ctrl-C stops it)")
        say(f"Docs:   {urls[0]}/api/docs")
        say(f"Panel:  {urls[0]}/admin/")
        return run("pyramid.scripts.pserve", ini, environment, check)


def administrator(ini: Path, environment: Mapping[str, str]) -> str:
    """Create the first administrator; the line to print, with the password that was made up."""
    password = secrets.token_urlsafe(12)
    command = [sys.executable, "-m", "ar_targets.scripts.admin", str(ini), "first", LOGIN]
    # In its own session, so that Ctrl-C does not reach it.
    done = subprocess.run(  # noqa: S603
        command,
        env=environment,
        input=password,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise ServeError(done.stderr.strip() or "No administrator could be created.")
    if done.stdout.startswith("created"):
        return f"Administrator: {LOGIN}, password {password} (it is shown only now)"
    return f"Administrator: as before; ar_targets_admin {ini.name} password LOGIN sets a password"


def vision_settings(file: Path) -> dict[str, str]:
    """Settings for ``ar_targets_vision``, on a free port, and for those who ask it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    made = {"VISION_KEY": key(file), "VISION_LISTEN": listen, "VISION_URL": f"http://{listen}"}
    return {ENV_PREFIX + name: text for name, text in made.items()}


def beside(
    module: str, ini: Path, environment: Mapping[str, str]
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Run a Python module with the ini file beside the server."""
    command = [sys.executable, "-m", module, str(ini)]
    return process.running(command, env=environment, stop_seconds=SERVER_STOP_SECONDS)


def run(module: str, ini: Path, environment: Mapping[str, str], check: process.Check) -> int:
    """Run a Python module with the ini file as its argument; its exit status."""
    command = [sys.executable, "-m", module, str(ini)]
    with process.running(command, env=environment, stop_seconds=SERVER_STOP_SECONDS) as program:
        return process.wait(program, check)


def settings(ini: Path, section: str) -> Mapping[str, Any]:
    """A section of the ini file, read as the application reads it."""
    if not ini.is_file():
        raise ServeError(f"There is no file {ini}; name the ini file: ar_targets_serve INI")
    try:
        found: Mapping[str, Any] = plaster.get_settings(str(ini), section)
    except (configparser.Error, plaster.PlasterError) as error:
        raise ServeError(f"{ini} cannot be read: {' '.join(str(error).split())}") from None
    return found


def free_urls(server: Mapping[str, Any]) -> list[str]:
    """The URLs that will be served. Raises ServeError if a port is in use."""
    places = addresses(server)
    for place in places:
        if place.is_taken():
            raise ServeError(
                f"Port {place.port} is taken by another program: stop that one, or change "
                "`listen` in [server:main] of the ini file."
            )
    return [place.url for place in places]


def key(path: Path) -> str:
    """The key in a file, created on the first start; readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_EXCL: only one of two concurrent starts creates the key, and no symbolic link is followed.
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
    found = path.read_text(encoding="ascii").strip()
    if not found:
        raise ServeError(f"{path} is empty: delete it, and the next start makes a new key.")
    return found


@contextmanager
def stop_on_signals() -> Iterator[process.Check]:
    """Turn signals into a check that raises Stopped.

    A signal handler that raised could do so after a subprocess was started and
    before the code that stops it is reached.
    """
    received: list[int] = []

    def check() -> None:
        if received:
            raise Stopped

    # nohup starts a program with SIGHUP ignored, to outlive its terminal.
    listened_to = [sign for sign in STOP_SIGNALS if signal.getsignal(sign) != signal.SIG_IGN]
    before = {sign: signal.signal(sign, lambda n, _: received.append(n)) for sign in listened_to}
    try:
        yield check
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def say(text: str) -> None:
    """Print on standard error, if the terminal still exists."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ar_targets_serve",
        description="Serve ar_targets, with a private database where none is set.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    parser.add_argument(
        "ini", nargs="?", type=Path, default=Path("development.ini"), help="default: %(default)s"
    )
    parser.add_argument(
        "--dir",
        type=Path,
        help="where the private database and the key are kept; default: var, beside the ini file",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
