"""The two engines: their pools of connections, how sessions are set up, and what is retried.

One reads, and commits each statement by itself; the other has transactions. Any
driver of MySQL or MariaDB will do: its URL names it.
"""

import logging
import time
from typing import Any

import sqlalchemy
from pyramid_retry import mark_error_retryable
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ..settings import PREFIX, Settings, SettingsError
from ..telemetry import request_context

log = logging.getLogger(__name__)
# At DEBUG, SQLAlchemy writes the rows that it reads, which hold images and hashes of passwords.
logging.getLogger("sqlalchemy.engine.Engine").addFilter(
    lambda record: record.levelno > logging.DEBUG
)

# Seconds after which an idle connection is made anew, well below the eight
# hours after which a server closes it, and the minutes of a firewall's timeout.
POOL_RECYCLE = 280
# Seconds to wait for a connection of the pool. Short, since whoever waits holds a thread:
# when the database hangs, those that need none must still find one.
POOL_WAIT = 2
# A client would rather read 503 than wait for another one's lock.
LOCK_WAIT_SECONDS = 3
# Of what is promised (docs/reliability.md), left to a machine that is busy, where the
# threads of all who have waited come to their end at once.
SPARE_SECONDS = 1
SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
# A request's statements see what others have committed, and take no gap
# locks, which are what most deadlocks are made of.
READ_COMMITTED = "READ COMMITTED"

# MySQL's error numbers.
DUPLICATE_KEY, LOCK_WAIT_TIMEOUT, DEADLOCK = 1062, 1205, 1213
# A prepared statement that the server could not prepare anew as fast as the tables changed.
STALE_STATEMENT = 1615
# What another attempt may well not meet.
PASSING = (LOCK_WAIT_TIMEOUT, DEADLOCK, STALE_STATEMENT)

# What the server reports, MySQL's and MariaDB's together (from 1000 on, but for 2000 to
# 2999); all else a client library says itself: no connection, or no more.
SERVER_ERRORS = {*range(1000, 2000), *range(3000, 5000)}
# What a server reports that is full (1467: it has no new id to give), shutting down,
# read-only or closed to us, whose lock or deadlock outlasted all attempts, or that was
# told to stop a statement.
UNAVAILABLE = {
    *(1021, 1030, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1049, 1053, 1077, 1105, 1114),
    *(1129, 1130, 1142, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1206, 1213, 1226, 1290),
    *(1317, 1467, 1615, 1792, 1836, 1927, 1969, 3024, 3032, 3100, 3572, 4031),
}

# The driver that sends values beside the SQL; others write up to two characters for a byte.
BINARY_DRIVER = "mariadbconnector"
# Of `Connection.info`: when the statement at work began; the id that the last one has told.
BEGUN, LAST_ID = "ar_targets.begun", "ar_targets.last_id"


def make_engine(settings: Settings, *, impatient: bool = False) -> Engine:
    """The engine for transactions. It connects when it is first used.

    ``impatient`` gives up on a statement that takes long, since a client waits
    for it; scripts and migrations have time.
    """
    return _make(settings, settings.database_pool_size // 2, READ_COMMITTED, impatient=impatient)


def make_read_engine(settings: Settings) -> Engine:
    """The engine for requests that only read: each statement is by itself.

    So there is nothing to end behind it, which would be another round trip.
    """
    size = settings.database_pool_size - settings.database_pool_size // 2
    return _make(settings, size, "AUTOCOMMIT", impatient=True, skip_autocommit_rollback=True)


def _make(
    settings: Settings, size: int, isolation: str, *, impatient: bool, **options: Any
) -> Engine:
    timeouts = {"connect_timeout": settings.database_timeout}
    if impatient:
        timeouts |= dict.fromkeys(("read_timeout", "write_timeout"), statement_seconds(settings))
    engine = sqlalchemy.create_engine(
        settings.database_url,
        isolation_level=isolation,
        pool_size=max(1, size),
        max_overflow=0,
        pool_timeout=min(POOL_WAIT, settings.database_timeout),
        pool_recycle=POOL_RECYCLE,
        pool_use_lifo=True,
        # SQLAlchemy ends what it has begun before it gives a connection back, and drops
        # one where that has failed (`_Failure`): to roll back once more would be a round
        # trip for nothing.
        pool_reset_on_return=None,
        # Passwords' hashes and images have no place in an error's text.
        hide_parameters=True,
        connect_args=timeouts,
        **options,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _Failure(statement_seconds(settings)))
    return engine


def statement_seconds(settings: Settings) -> int:
    """Seconds that a statement may take, waiting for a lock included.

    After the longest wait for a connection these are ``database_timeout`` and the wait for a
    lock, but for a spare second: PyMySQL takes as long for the greeting of a server that has
    hung.
    """
    return LOCK_WAIT_SECONDS + max(1, settings.database_timeout - POOL_WAIT - SPARE_SECONDS)


def _prepare(connection: Any, _record: object) -> None:
    """Set up the session of a new connection."""
    cursor = connection.cursor()
    cursor.execute(
        f"SET time_zone = '+00:00', sql_mode = '{SQL_MODE}', "
        f"innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}"
    )
    cursor.close()


def _begin(connection: Connection, *_: object) -> None:
    """Note when a statement began."""
    connection.info[BEGUN] = time.perf_counter()


def _end(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
    """Note in the request's context how long it took; and its id, which results of UPDATE lack."""
    request_context.current.get().asked(statement, time.perf_counter() - connection.info[BEGUN])
    connection.info[LAST_ID] = cursor.lastrowid


class _Failure:
    """What an error of the database means for the request; called by SQLAlchemy."""

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def __call__(self, context: ExceptionContext) -> None:
        """Note how long a failed statement took, and let pyramid_retry run a request again."""
        seconds = 0.0
        if context.statement is not None and context.connection is not None:
            seconds = time.perf_counter() - context.connection.info[BEGUN]
            request_context.current.get().asked(context.statement, seconds)
        if is_from_client(context.original_exception, context.sqlalchemy_exception):
            # SQLAlchemy does not know all that client libraries say of a lost connection.
            context.is_disconnect = True
        lost = context.is_disconnect and context.statement is not None
        if context.statement is None:
            # A COMMIT or ROLLBACK has failed. SQLAlchemy takes the transaction for ended, which
            # it need not be: the server ends it when the connection is closed.
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False
        if is_retryable(context.original_exception, lost=lost, hung=seconds >= self._longest):
            mark_error_retryable(context.sqlalchemy_exception)


def is_retryable(error: BaseException, *, lost: bool, hung: bool) -> bool:
    """Whether a request that met this error did nothing wrong, and nothing at all.

    The whole transaction of a deadlock's victim is rolled back, by the server;
    that of a request which did not get a lock in time, by us; and that of a
    connection which turns out to have been ``lost``, unless that was while committing:
    then nobody knows, and the client must look. A server that has ``hung`` is not
    asked again: the client has waited enough.
    """
    if lost:
        return not hung
    return error_number(error) in PASSING


def is_from_client(error: BaseException | None, explained: Exception | None) -> bool:
    """Whether the client's library says that there is no connection, or no more."""
    named = isinstance(explained, OperationalError | InterfaceError)
    return named and error_number(error) not in SERVER_ERRORS


def is_unavailability(error: DBAPIError) -> bool:
    """Whether the database could not answer, as opposed to a statement that is wrong."""
    if error.connection_invalidated or is_from_client(error.orig, error):
        return True
    return error_number(error.orig) in UNAVAILABLE


def error_number(error: BaseException | None) -> int | None:
    """MySQL's number of a driver's error, where it has one."""
    if error is None:
        return None
    # MariaDB's connector has it as an attribute, the others as the first argument.
    number = getattr(error, "errno", error.args[0] if error.args else None)
    return number if isinstance(number, int) else None


def error_text(error: BaseException | None) -> str:
    """The server's own words in a driver's error."""
    return str(error.args[-1]) if error is not None and error.args else ""


def server_variable(engine: Engine, name: str) -> Any:
    """A variable of the database server, as a new session has it."""
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT @@{name}").scalar_one()


def check_packet_size(engine: Engine, settings: Settings) -> None:
    """Hold the server's largest packet against the largest image.

    1 MiB is left for what travels with it. Raises SettingsError where the server
    would refuse an image that we promise to take. A database that cannot be
    reached yet is no error: requests are answered 503 until it is there.
    """
    share = 1 if engine.dialect.driver == BINARY_DRIVER else 2
    needed = share * settings.image_max_bytes + 2**20
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
