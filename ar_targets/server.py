"""Starts the production server: ``[server:main] use = egg:ar_targets#granian``.

The server is granian, unmodified; this module only passes it the options of the ini file.
``pserve`` loads the application first, so that an invalid setting ends the start-up with one
line; then the process is replaced by granian's, which loads it in each worker. Limits on slow,
idle and greedy clients are the task of the proxy in front: see docs/deploy/README.md.
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

from .address import SECTION, Address, require_free
from .settings import SettingsError

log = logging.getLogger(__name__)

# Environment variables: the ini file, for the workers; the directory, for prometheus_client.
INI = "AR_TARGETS_INI"
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# A file system in memory. The metrics files are mapped, and have holes: a worker that writes into
# one when the disk is full dies of SIGBUS, and the whole server with it.
MEMORY = "/dev/shm"  # noqa: S108  # the directory in it gets a random name
# More threads than requests running at once: those that wait for a connection of the pool, which
# is far smaller, must leave threads to those that need none.
THREADS = 64
# Graceful shutdown: seconds for running requests, before a worker is killed.
GRACE = 30
# glibc's malloc settings (mallopt(3)). Otherwise an arena for each thread, and a threshold that
# grows with each freed image, keep hundreds of MiB unused. Free memory at an arena's end is kept
# up to a limit, or the system would clear it again for each image.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
}


class Options(NamedTuple):
    """The options of ``[server:main]``."""

    host: str
    port: int
    workers: int
    threads: int


def serve(app: Any, global_conf: Mapping[str, str], **given: str) -> NoReturn:
    """A PasteDeploy server runner. It takes ``listen``, ``workers`` and ``threads``.

    The settings ``listen`` and ``workers`` of the application take precedence. Raises
    SettingsError; an unknown option is only logged as a warning.
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
    # granian would share the port with another program.
    require_free(Address(options.host, options.port))
    app.registry.engine.dispose()
    # The metrics files of all workers are in this directory, which is removed at shutdown.
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="ar_targets-metrics-", dir=memory)
    environment = MALLOC | os.environ | {INI: global_conf["__file__"], METRICS_DIRECTORY: directory}
    arguments = [f"--{name}={value}" for name, value in options._asdict().items()]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", __name__, *arguments], environment)  # noqa: S606


def serve_as_before(app: Any, global_conf: Mapping[str, str], **given: str) -> NoReturn:
    """The entry point ``egg:ar_targets#waitress`` of older ini files: granian, with a warning."""
    log.warning(
        "%s use: egg:ar_targets#waitress is granian now; write egg:ar_targets#granian", SECTION
    )
    serve(app, global_conf, **given)


def read_options(given: Mapping[str, str], listen: str | None, workers: int | None) -> Options:
    """The validated options. Raises SettingsError."""
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
    """An option that is a positive whole number. Raises SettingsError."""
    text = str(given.get(name, default))
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise SettingsError(f"{SECTION} {name}: it must be a whole number from 1 to 9999")
    return int(text)


def is_loopback(host: str) -> bool:
    """Whether an address is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def application() -> Any:
    """The application of one worker, with the ini file's logging; called by granian."""
    from pyramid.paster import get_app, setup_logging  # noqa: PLC0415  # for workers alone

    # A forked worker has its parent's SIGTERM handler, and would ignore the signal while it
    # loads.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    setup_logging(os.environ[INI])
    return get_app(os.environ[INI])


def end_with(parent: int) -> None:
    """End this process when its parent has ended: a parent that is killed cannot stop its workers.

    A remaining worker would share the port with those of the next start.
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
        # Send granian's log to the handlers of the ini file.
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
    )
    server.on_shutdown(lambda: shutil.rmtree(os.environ[METRICS_DIRECTORY], ignore_errors=True))
    server.serve()


if __name__ == "__main__":
    main()
