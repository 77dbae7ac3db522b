"""The two engines: connection pools, session set-up, timeouts, and which errors are retried.

The read engine commits each statement by itself (autocommit); the other has transactions. Any
driver for MySQL or MariaDB works: the database URL names it.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy
from pyramid_retry import mark_error_retryable
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ..settings import OTHER_FIELDS, PREFIX, Settings, SettingsError
from ..telemetry import request_context
from . import tls
from .retry import LONGEST_RETRYING

log = logging.getLogger(__name__)
# At DEBUG, SQLAlchemy logs the rows that it reads, which contain images and password hashes.
logging.getLogger("sqlalchemy.engine.Engine").addFilter(
    lambda record: record.levelno > logging.DEBUG
)

# Seconds after which a connection is replaced, well below the eight hours after which a server
# closes an idle one, and the minutes of a firewall's timeout.
POOL_RECYCLE = 280
# Seconds to wait for a connection of the pool. Short, since a waiting request holds a thread:
# when the database hangs, requests that need no connection must still find one.
POOL_WAIT = 2
# Timeout of lock waits. Short: a client prefers a 503 to a long wait.
LOCK_WAIT_SECONDS = 3
# Margin within the promised response time (docs/reliability.md) for a busy machine, where all
# waiting threads finish at once.
SPARE_SECONDS = 1
SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
# Statements see what others have committed, and take no gap locks, the cause of most deadlocks.
READ_COMMITTED = "READ COMMITTED"

# Per kind of cluster, the session variable with which a statement waits until its node has applied
# what was committed on the others before: without it, a caller may not see what it has just
# written. Galera's 7 is for reads (1), UPDATE and DELETE (2), INSERT (4); BEFORE is for all.
CONSISTENCY = {
    "none": "",
    "galera": ", wsrep_sync_wait = 7",
    "group_replication": ", group_replication_consistency = 'BEFORE'",
}

# MySQL's error numbers.
DUPLICATE_KEY, LOCK_WAIT_TIMEOUT, DEADLOCK = 1062, 1205, 1213
# A prepared statement could not be prepared again, because its tables changed too often.
STALE_STATEMENT = 1615
# Another node of a cluster has changed the same rows: Group Replication's, at COMMIT. Galera
# reports a deadlock.
CONFLICT = 3101
# Transient errors, after which the transaction is retried.
PASSING = (LOCK_WAIT_TIMEOUT, DEADLOCK, STALE_STATEMENT, CONFLICT)
# This node of a cluster cannot serve, another one may: Galera's is not in the majority (1047),
# Group Replication's is no longer the primary (1290, 1836: read-only), or no member (3796, 3797).
WRONG_NODE = {1047, 1290, 1836, 3796, 3797}
# The server lacks a session variable, or does not allow to set it.
UNKNOWN_VARIABLE, PRIVILEGE_NEEDED = 1193, 1227

# Errors that the server reports, MySQL's and MariaDB's together (1000 to 4999, except 2000 to
# 2999). All others come from the client library: there is no connection, or it is lost.
SERVER_ERRORS = {*range(1000, 2000), *range(3000, 5000)}
# Server errors that mean "unavailable": a resource is exhausted (1467: no new id), the server is
# shutting down, read-only or denies access, a lock wait or deadlock remains after all attempts,
# or the statement was killed.
UNAVAILABLE = {
    *(1021, 1030, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1049, 1053, 1077, 1105, 1114),
    *(1129, 1130, 1142, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1206, 1213, 1226, 1317),
    *(1467, 1615, 1792, 1927, 1969, 3024, 3032, 3098, 3100, 3101, 3572, 4031),
    *WRONG_NODE,
    *(UNKNOWN_VARIABLE, PRIVILEGE_NEEDED),
}

# The driver that sends parameters apart from the SQL; others escape them into it, with up to two
# characters for a byte.
BINARY_DRIVER = "mariadbconnector"
# Keys of `Connection.info`: start time of the current statement; generated id of the last one.
BEGUN, LAST_ID = "ar_targets.begun", "ar_targets.last_id"


def make_engine(settings: Settings, *, impatient: bool = False) -> Engine:
    """The engine for transactions. It connects when it is first used.

    ``impatient`` sets read and write timeouts, for requests, whose clients wait; scripts and
    migrations have none.
    """
    return _make(settings, settings.database_pool_size // 2, impatient=impatient)


def make_read_engine(settings: Settings) -> Engine:
    """The engine for requests that only read, in autocommit mode.

    There is no transaction to end, which saves a round trip.
    """
    size = settings.database_pool_size - settings.database_pool_size // 2
    return _make(
        settings, size, impatient=True, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True
    )


def _make(settings: Settings, size: int, *, impatient: bool, **options: Any) -> Engine:
    timeouts = {"connect_timeout": settings.database_timeout}
    if impatient:
        timeouts |= dict.fromkeys(("read_timeout", "write_timeout"), statement_seconds(settings))
    engine = sqlalchemy.create_engine(
        tls.for_driver(settings.database_url),
        pool_size=max(1, size),
        max_overflow=0,
        pool_timeout=min(POOL_WAIT, settings.database_timeout),
        pool_recycle=POOL_RECYCLE,
        pool_use_lifo=True,
        # SQLAlchemy ends a transaction before it returns the connection, and invalidates the
        # connection where that has failed (`_Failure`): another rollback would only cost a round
        # trip.
        pool_reset_on_return=None,
        # Password hashes and images must not appear in error messages.
        hide_parameters=True,
        connect_args=timeouts,
        **options,
    )
    event.listen(engine, "connect", _preparation(settings.database_cluster))
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _Failure(statement_seconds(settings)))
    return engine


def statement_seconds(settings: Settings) -> int:
    """Timeout of a statement in seconds, including its wait for a lock.

    With the longest wait for a connection it adds up to ``database_timeout`` and the lock wait
    timeout, less `SPARE_SECONDS`: PyMySQL waits as long for the greeting of a server that hangs.
    """
    return LOCK_WAIT_SECONDS + max(1, settings.database_timeout - POOL_WAIT - SPARE_SECONDS)


def _preparation(cluster: str) -> Callable[[Any, object], None]:
    """What sets up the session of a new connection, on a server alone or a node of a cluster.

    The isolation level is set here, since SQLAlchemy leaves its cursor open where that fails; see
    `_Failure`.
    """
    variables = (
        f"SET time_zone = '+00:00', sql_mode = '{SQL_MODE}', "
        f"innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}{CONSISTENCY[cluster]}"
    )

    def prepare(connection: Any, _record: object) -> None:
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {READ_COMMITTED}")
            cursor.execute(variables)

    return prepare


def _begin(connection: Connection, *_: object) -> None:
    """Store the start time of a statement."""
    connection.info[BEGUN] = time.perf_counter()


def _end(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
    """Record the statement's duration, and its generated id, which results of UPDATE lack."""
    request_context.current.get().asked(statement, time.perf_counter() - connection.info[BEGUN])
    connection.info[LAST_ID] = cursor.lastrowid


class _Failure:
    """SQLAlchemy's ``handle_error`` listener: classifies database errors."""

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def __call__(self, context: ExceptionContext) -> None:
        """Record a failed statement's duration, and mark the error if pyramid_retry may retry."""
        seconds = 0.0
        if context.statement is not None and context.connection is not None:
            seconds = time.perf_counter() - context.connection.info[BEGUN]
            request_context.current.get().asked(context.statement, seconds)
        if (
            is_from_client(context.original_exception, context.sqlalchemy_exception)
            or error_number(context.original_exception) in WRONG_NODE
        ):
            # SQLAlchemy does not know all errors by which client libraries report a lost
            # connection. Nor must one stay in the pool that leads to a node which cannot serve: a
            # new one may lead to another node.
            context.is_disconnect = True
        lost = context.is_disconnect and context.statement is not None
        if context.statement is None:
            # A COMMIT or ROLLBACK has failed. SQLAlchemy considers the transaction ended, but it
            # may still be open on the server, which ends it when the connection is closed.
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False
        again = is_retryable(context.original_exception, lost=lost, hung=seconds >= self._longest)
        if again and request_context.current.get().age() < LONGEST_RETRYING:
            mark_error_retryable(context.sqlalchemy_exception)
        if context.is_disconnect and context.execution_context is not None:
            # SQLAlchemy closes the connection, but not the cursor of the statement that lost it.
            # MariaDB's connector 1.1.14 looks at the connection again when it frees an open
            # cursor, and the connection may have been freed before: the process dies of that.
            with contextlib.suppress(context.dialect.loaded_dbapi.Error):
                context.execution_context.cursor.close()


def is_retryable(error: BaseException, *, lost: bool, hung: bool) -> bool:
    """Whether a request that met this error has had no effect and can be retried.

    The server rolls back the whole transaction of a deadlock's victim and that of a ``lost``
    connection; we roll back that of a lock wait timeout. If the connection was lost during
    COMMIT, the outcome is unknown: there is no retry, and the client must check. Nor is there one
    for a server that has ``hung``: the client has waited long enough.
    """
    if lost:
        return not hung
    return error_number(error) in PASSING


def is_from_client(error: BaseException | None, explained: Exception | None) -> bool:
    """Whether the client library reports that there is no connection, or that it is lost."""
    named = isinstance(explained, OperationalError | InterfaceError)
    return named and error_number(error) not in SERVER_ERRORS


def is_unavailability(error: DBAPIError) -> bool:
    """Whether the database was unavailable, as opposed to an error in the statement."""
    if error.connection_invalidated or is_from_client(error.orig, error):
        return True
    return error_number(error.orig) in UNAVAILABLE


def error_number(error: BaseException | None) -> int | None:
    """MySQL's error number of a driver's error; None where it has none."""
    if error is None:
        return None
    # MariaDB's connector has it as an attribute, the others as the first argument.
    number = getattr(error, "errno", error.args[0] if error.args else None)
    return number if isinstance(number, int) else None


def error_text(error: BaseException | None) -> str:
    """The server's message in a driver's error."""
    return str(error.args[-1]) if error is not None and error.args else ""


def server_variable(engine: Engine, name: str) -> Any:
    """The value of a database server's variable in a new session."""
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT @@{name}").scalar_one()


def check_server(engine: Engine, settings: Settings) -> None:
    """Check at start-up that the database server can do what the settings say.

    Its ``max_allowed_packet`` must hold the largest image and the other fields of a target, which
    are in the same packet, and it must know the variable of `CONSISTENCY`. Raises SettingsError. A
    database that cannot be reached yet is no error: requests get 503 until it can.
    """
    share = 1 if engine.dialect.driver == BINARY_DRIVER else 2
    needed = share * (settings.image_max_bytes + OTHER_FIELDS)
    try:
        packet = server_variable(engine, "max_allowed_packet")
    except DBAPIError as error:
        if error_number(error.orig) in (UNKNOWN_VARIABLE, PRIVILEGE_NEEDED):
            raise SettingsError(
                f"{PREFIX}database_cluster: the database server does not take "
                f"{settings.database_cluster!r}: {error_text(error.orig)}"
            ) from None
        log.warning("the database cannot be reached yet: %s", error.orig)
        return
    if packet < needed:
        raise SettingsError(
            f"{PREFIX}image_max_bytes: images of {settings.image_max_bytes} bytes need "
            f"max_allowed_packet = {needed} on the database server, which has {packet}; "
            "raise it there (SET GLOBAL max_allowed_packet, and in the server's configuration) "
            "or lower the setting"
        )
