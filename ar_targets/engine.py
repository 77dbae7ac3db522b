"""The engine: the pool of connections, how their sessions are set up, and what is retried."""

import logging
from typing import Any

import sqlalchemy
from pyramid_retry import mark_error_retryable
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError

from .settings import PREFIX, Settings, SettingsError
from .wire.connection import QuickConnection

log = logging.getLogger(__name__)

# Seconds after which an idle connection is made anew, well below the eight
# hours after which a server closes it, and the minutes of a firewall's patience.
POOL_RECYCLE = 280
# A client would rather read 503 than wait for another one's lock.
LOCK_WAIT_SECONDS = 3
SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
# A request's statements see what others have committed, and take no gap
# locks, which are what most deadlocks are made of.
ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

BEGIN = "BEGIN"
# Of `Connection.info`: who begins the next transaction sends `BEGIN`.
BEGINS_ITSELF = "ar_targets.begins_itself"

# MySQL's error numbers.
DUPLICATE_KEY, LOCK_WAIT_TIMEOUT, DEADLOCK = 1062, 1205, 1213
# A prepared statement that the server could not prepare anew as fast as the tables were
# changed; and one that it does not know: a proxy has gone on with another session.
STALE_STATEMENT, UNKNOWN_STATEMENT = 1615, 1243
# What another attempt may well not meet.
PASSING = (LOCK_WAIT_TIMEOUT, DEADLOCK, STALE_STATEMENT)

# What a client library itself reports: no connection, or no more.
CLIENT_ERRORS = range(2000, 3000)
# What a server reports that is full (1467: it has no new id to give), shutting down,
# read-only or closed to us, whose lock or deadlock outlasted all attempts, or that was
# told to stop a statement.
UNAVAILABLE = {
    *(1021, 1030, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1049, 1053, 1077, 1105, 1114),
    *(1129, 1130, 1142, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1206, 1213, 1226, 1290),
    *(1317, 1467, 1615, 1792, 1836, 1927, 1969, 3024, 3032, 3100, 3572, 4031),
}

# The driver that `wire` speaks for.
UNDERSTOOD = "pymysql"

# The flag in the status that the server sends with each answer (SERVER_STATUS_IN_TRANS).
IN_TRANSACTION = 1


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
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.database_timeout,
        pool_recycle=POOL_RECYCLE,
        pool_use_lifo=True,
        # Passwords' hashes and images have no place in an error's text.
        hide_parameters=True,
        pool_reset_on_return=None,
        connect_args={"charset": "utf8mb4", "autocommit": True} | timeouts,
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "reset", _reset)
    event.listen(engine, "handle_error", _mark_retryable)
    return engine


def is_understood(engine: Engine) -> bool:
    """Whether `wire` speaks for the driver: images go beside the SQL."""
    return engine.dialect.driver == UNDERSTOOD


def _connect(dialect: Dialect, _record: object, address: list[Any], options: dict[str, Any]) -> Any:
    """Connect."""
    make = QuickConnection if dialect.driver == UNDERSTOOD else dialect.connect
    return make(*address, **options)


def _prepare(connection: Any, _record: object) -> None:
    """Set up the session of a new connection."""
    with connection.cursor() as cursor:
        cursor.execute(ISOLATION)
        cursor.execute(
            "SET time_zone = '+00:00', sql_mode = %s, innodb_lock_wait_timeout = %s",
            (SQL_MODE, LOCK_WAIT_SECONDS),
        )


def _begin(connection: Connection) -> None:
    """Begin in so many words: the driver commits each statement that stands alone.

    SQLAlchemy sends it, so that a connection which has died is seen as such;
    unless somebody sends it together with the first statement.
    """
    if not connection.info.pop(BEGINS_ITSELF, False):
        connection.exec_driver_sql(BEGIN)


def in_transaction(connection: Any) -> bool:
    """Whether a transaction is open on a connection of the driver's.

    PyMySQL knows from the last answer, which spares most requests a round trip.
    """
    return bool(getattr(connection, "server_status", IN_TRANSACTION) & IN_TRANSACTION)


def _reset(connection: Any, *_: object) -> None:
    """Roll back what is left open when a connection returns to the pool."""
    if in_transaction(connection):
        connection.rollback()


def _mark_retryable(context: ExceptionContext) -> None:
    """Let pyramid_retry run a request again; see `is_retryable`."""
    committing = context.statement is None
    if is_retryable(
        context.original_exception, disconnected=context.is_disconnect and not committing
    ):
        mark_error_retryable(context.sqlalchemy_exception)


def is_retryable(error: BaseException, *, disconnected: bool) -> bool:
    """Whether a request that met this error did nothing wrong, and nothing at all.

    The whole transaction of a deadlock's victim is rolled back, by the server;
    that of a request which did not get a lock in time, or whose prepared
    statement was stale, by us; and that of a connection which turns out to have
    died, unless it died while committing: then nobody knows, and the client must
    look. A server that has hung is not asked again: the client has waited enough.
    """
    if disconnected:
        return not timed_out(error)
    return error_number(error) in PASSING


def timed_out(error: BaseException) -> bool:
    """Whether PyMySQL gave up waiting for an answer, rather than lost the connection."""
    return "timed out" in str(error)


def is_unavailability(error: DBAPIError) -> bool:
    """Whether the database could not answer, as opposed to a statement that is wrong."""
    number = error_number(error.orig)
    if error.connection_invalidated or isinstance(error, InterfaceError) or number is None:
        return True
    return number in CLIENT_ERRORS or number in UNAVAILABLE


def error_number(error: BaseException | None) -> int | None:
    """MySQL's number of a driver's error, where it has one."""
    number = error.args[0] if error is not None and error.args else None
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

    1 MiB is left for what travels with it; drivers other than PyMySQL, for
    which `prepared` does nothing, may write two characters for a byte. Raises
    SettingsError where the server would refuse an image that we promise to
    take. A database that cannot be reached yet is no error: requests are
    answered 503 until it is there.
    """
    share = 1 if is_understood(engine) else 2
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
