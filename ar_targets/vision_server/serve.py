"""Serves the application with waitress, until SIGTERM or SIGINT."""

import signal
from typing import NoReturn

import waitress

from ..address import Address
from ..settings import ENV_PREFIX, PREFIX, Settings, SettingsError
from .application import application

# Threads beyond those that answer questions: for health, metrics, and refusals.
SPARE_THREADS = 4


def serve(settings: Settings) -> None:
    """Run the server in this process. Raises SettingsError."""
    if not settings.vision_key:
        raise SettingsError(
            f"{PREFIX}vision_key: it is not set; set it in the ini file or as "
            f"{ENV_PREFIX}VISION_KEY in the environment"
        )
    host, _, port = settings.vision_listen.rpartition(":")
    host = host.strip("[]")
    if Address(host, int(port)).is_taken():
        raise SettingsError(f"{PREFIX}vision_listen: port {port} is taken by another program")
    signal.signal(signal.SIGTERM, leave)
    waitress.serve(
        application(settings),
        host=host,
        port=int(port),
        threads=settings.vision_requests + SPARE_THREADS,
        max_request_body_size=settings.image_max_bytes + 1,
        ident=None,
    )


def leave(_signal: int, _frame: object) -> NoReturn:
    """The handler of SIGTERM: waitress closes its sockets, and the process ends."""
    raise SystemExit(0)
