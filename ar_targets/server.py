"""Starts the production server: ``[server:main] use = egg:ar_targets#granian``.

The server is granian, unmodified; this only hands it what the ini file says.
``pserve`` loads the application first, so that a wrong setting stops the start
with one line; then the process is replaced by granian's, which loads it in each
worker. What slow, silent and greedy clients cost is the proxy's affair in front:
see docs/deploy/README.md.
"""

import argparse
import ipaddress
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from .settings import SettingsError

log = logging.getLogger(__name__)

SECTION = "[server:main]"
# Names the ini file to the workers, and the directory to prometheus_client.
INI = "AR_TARGETS_INI"
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# More threads than requests that are ever at work: who waits for a connection of the
# pool, which is far smaller, leaves a thread to whoever needs none.
THREADS = 64
# Seconds for requests that have begun, before a worker is killed.
GRACE = 30
# glibc's own settings (mallopt(3)). Else an arena for each thread, and a threshold that
# grows with each image that is freed, keep hundreds of MiB that nobody uses. What is free
# at an arena's end is kept up to a limit, or the system clears it anew for each image.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
}


class Options(NamedTuple):
    """What ``[server:main]`` says."""

    host: str
    port: int
    workers: int
    threads: int


def serve(app: Any, global_conf: Mapping[str, str], **given: str) -> NoReturn:
    """A PasteDeploy server runner. It takes ``listen``, ``workers`` and ``threads``.

    The settings ``listen`` and ``workers`` of the application win. Raises
    SettingsError; an option that granian has no use for is named in a warning.
    """
    settings = app.registry.ar_settings
    options = read_options(given, settings.listen, settings.workers)
    if not is_loopback(options.host) and settings.trusted_proxy is None:
        log.warning(
            "listening at %s without ar_targets.trusted_proxy: this server is not for strangers "
            "without a proxy in front, since a client that never reads can stop it",
            options.host,
        )
    if options.workers > 1 and settings.login_failure_storage.startswith("memory:"):
        log.warning(
            "each of %s workers counts failed logins by itself; "
            "ar_targets.login_failure_storage can name a storage that they share",
            options.workers,
        )
    app.registry.engine.dispose()
    # Whoever measures before this process ends finds the files of all workers there.
    directory = tempfile.mkdtemp(prefix="ar_targets-metrics-")
    environment = MALLOC | os.environ | {INI: global_conf["__file__"], METRICS_DIRECTORY: directory}
    arguments = [f"--{name}={value}" for name, value in options._asdict().items()]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", __name__, *arguments], environment)  # noqa: S606


def serve_as_before(app: Any, global_conf: Mapping[str, str], **given: str) -> NoReturn:
    """The name that ini files had for the server when it was made of waitress."""
    log.warning(
        "%s use: egg:ar_targets#waitress is granian now; write egg:ar_targets#granian", SECTION
    )
    serve(app, global_conf, **given)


def read_options(given: Mapping[str, str], listen: str | None, workers: int | None) -> Options:
    """The options, held against what they may be. Raises SettingsError."""
    known = {"listen", "workers", "threads"}
    for name in given.keys() - known:
        log.warning(
            "%s %s: there is no such option any more; it is the proxy's, or granian's",
            SECTION,
            name,
        )
    places = (listen or given.get("listen", "127.0.0.1:6543")).split()
    matches = [re.fullmatch(r"\[?(.*?)\]?:(\d{1,5})", place) for place in places]
    if len(matches) != 1 or matches[0] is None:
        raise SettingsError(f"{SECTION} listen: it must be one address, like 127.0.0.1:6543")
    host, port = matches[0].groups()
    return Options(
        "0.0.0.0" if host in ("", "*") else host,  # noqa: S104  # as it was asked for
        int(port),
        workers or number(given, "workers", 1),
        number(given, "threads", THREADS),
    )


def number(given: Mapping[str, str], name: str, default: int) -> int:
    """An option that counts something. Raises SettingsError."""
    text = str(given.get(name, default))
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise SettingsError(f"{SECTION} {name}: it must be a whole number from 1 to 9999")
    return int(text)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def application() -> Any:
    """The application of one worker, with the ini file's logging."""
    from pyramid.paster import get_app, setup_logging  # noqa: PLC0415  # for workers alone

    # Forked with its parent's handler, a worker that is still loading would not hear of the end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    setup_logging(os.environ[INI])
    return get_app(os.environ[INI])


def end_with(parent: int) -> None:
    """End this process when its parent has ended, which could not ask it to if it was killed.

    A worker that lived on would share the port with those of the next start.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run granian in this process until SIGTERM or SIGINT."""
    from granian import Granian  # noqa: PLC0415  # pserve does not need it
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
    from pyramid.paster import setup_logging  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    for name in ("port", "workers", "threads"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args()
    setup_logging(os.environ[INI])
    server = Granian(
        f"{__package__}.server:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=options.host,
        port=options.port,
        workers=options.workers,
        blocking_threads=options.threads,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        # To the handlers of the ini file.
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
    )
    server.on_shutdown(lambda: shutil.rmtree(os.environ[METRICS_DIRECTORY], ignore_errors=True))
    server.serve()


if __name__ == "__main__":
    main()
