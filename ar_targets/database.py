"""The way to the database: engine, sessions, and ``request.db``.

One transaction a request, begun and ended by pyramid_tm; scripts use
`transaction_scope`. The views and models only flush.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
import transaction
import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid_retry import mark_error_retryable
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from zope.sqlalchemy.datamanager import STATUS_ACTIVE, STATUS_CHANGED

from .settings import PREFIX, Settings, SettingsError

log = logging.getLogger(__name__)

# Seconds after which an idle connection is made anew, well below the eight
# hours after which a server closes it, and the minutes of a firewall's patience.
POOL_RECYCLE = 280
# A client would rather read 503 than wait for another one's lock.
LOCK_WAIT_SECONDS = 5
SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
SESSION_VARIABLES = (
    f"SET time_zone = '+00:00', sql_mode = '{SQL_MODE}', "
    f"innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"
)

# MySQL's error numbers.
DUPLICATE_KEY, LOCK_WAIT_TIMEOUT, DEADLOCK, NO_REFERENCED_ROW = 1062, 1205, 1213, 1452

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def make_engine(settings: Settings, *, impatient: bool = False) -> Engine:
    """An engine with its pool. It connects when it is first used.

    ``impatient`` gives up on a statement that takes long, since a client waits
    for it; scripts and migrations have time.
    """
    timeouts = {"connect_timeout": settings.database_timeout}
    if impatient:
        # A statement may rightly wait for a lock and then take as long as a connection may.
        patience = settings.database_timeout + LOCK_WAIT_SECONDS
        timeouts |= {"read_timeout": patience, "write_timeout": patience}
    engine = sqlalchemy.create_engine(
        settings.database_url,
        # A request's statements see what others have committed, and take no gap
        # locks, which are what most deadlocks are made of.
        isolation_level="READ COMMITTED",
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.database_timeout,
        pool_recycle=POOL_RECYCLE,
        pool_use_lifo=True,
        # Passwords' hashes and images have no place in an error's text.
        hide_parameters=True,
        connect_args={"charset": "utf8mb4", "init_command": SESSION_VARIABLES} | timeouts,
    )
    event.listen(engine, "handle_error", _mark_retryable)
    return engine


def _mark_retryable(context: ExceptionContext) -> None:
    """Let pyramid_retry run a request again that did nothing wrong.

    A deadlock's victim and a lock not got in time have been rolled back. So
    has all of a request whose connection turns out to have died, unless it
    died while committing: then nobody knows, and the client must look.
    """
    if error_number(context.original_exception) in (LOCK_WAIT_TIMEOUT, DEADLOCK) or (
        context.is_disconnect and context.statement is not None
    ):
        mark_error_retryable(context.sqlalchemy_exception)


def error_number(error: BaseException | None) -> int | None:
    """MySQL's number of a driver's error, where it has one."""
    number = error.args[0] if error is not None and error.args else None
    return number if isinstance(number, int) else None


def server_variable(engine: Engine, name: str) -> Any:
    """A variable of the database server, as a new session has it."""
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT @@{name}").scalar_one()


def check_packet_size(engine: Engine, settings: Settings) -> None:
    """Hold the server's largest packet against the largest image.

    PyMySQL writes bytes as hexadecimal digits into the statement, two a byte;
    1 MiB is left for the rest of it. Raises SettingsError where the server
    would refuse an image that we promise to take. A database that cannot be
    reached yet is no error: requests are answered 503 until it is there.
    """
    needed = 2 * settings.image_max_bytes + 2**20
    try:
        packet = server_variable(engine, "max_allowed_packet")
    except DBAPIError as error:
        log.warning("the database cannot be reached yet: %s", error.orig)
        return
    if packet < needed:
        raise SettingsError(
            f"{PREFIX}image_max_bytes: images of {settings.image_max_bytes} bytes need "
            f"max_allowed_packet = {needed} on the database server, which has {packet}; "
            "raise it there (SET GLOBAL max_allowed_packet, and in the server's configuration) "
            "or lower the setting"
        )


def includeme(config: Configurator) -> None:
    """Set up pyramid_tm, pyramid_retry and ``request.db``."""
    settings: Settings = config.registry.ar_settings
    engine = make_engine(settings, impatient=True)
    check_packet_size(engine, settings)
    config.registry.engine = engine
    sessions = sessionmaker(engine, expire_on_commit=False, autoflush=False)
    config.add_settings(
        {
            "tm.manager_hook": "pyramid_tm.explicit_manager",
            # A view that returns an error status has changed nothing.
            "tm.commit_veto": "pyramid_tm.default_commit_veto",
            # Else every request asks for its user, unknown URLs included.
            "tm.annotate_user": "false",
            "retry.attempts": "5",
            "retry.activate_hook": body_is_seekable,
        }
    )
    config.include("pyramid_tm")
    config.include("pyramid_retry")
    config.add_request_method(
        lambda request: open_session(
            sessions(), request.tm, writes=request.method not in SAFE_METHODS
        ),
        "db",
        reify=True,
    )


def body_is_seekable(request: Request) -> None:
    """Spare pyramid_retry its copy of the body where the server's own can be read again.

    Waitress keeps a body in memory or, a large one, in a file of its own.
    """
    if hasattr(request.environ["wsgi.input"], "seek"):
        request.is_body_seekable = True


def open_session(
    session: Session, manager: transaction.TransactionManager, *, writes: bool
) -> Session:
    """Tie a session to a transaction. Core statements tell nobody that they write: we do."""
    state = STATUS_CHANGED if writes else STATUS_ACTIVE
    zope.sqlalchemy.register(session, initial_state=state, transaction_manager=manager)
    return session


@contextmanager
def transaction_scope(engine: Engine) -> Iterator[Session]:
    """One transaction for a script: committed at the end, aborted by an exception."""
    manager = transaction.TransactionManager(explicit=True)
    with manager:
        yield open_session(Session(engine, expire_on_commit=False), manager, writes=True)
