"""One request's way to the database, ``request.db``, and one script's.

Reads are single statements that need no transaction. The first write of a
request begins one, which pyramid_tm ends; scripts use `in_transaction`.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Any, TypeVar

import sqlalchemy.exc
import transaction
import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid_retry import IRetryableError, mark_error_retryable
from sqlalchemy import CursorResult, Executable
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from . import wire
from .actor import SCRIPT, Actor, actor_of
from .engine import (
    BEGIN,
    BEGINS_ITSELF,
    UNKNOWN_STATEMENT,
    check_packet_size,
    error_number,
    is_retryable,
    make_engine,
    timed_out,
)
from .settings import Settings
from .telemetry import trace
from .unit import Unit
from .wire import column, pipeline
from .wire.pipeline import Answer, Step

# How often a request is run at most, where `engine.is_retryable` allows another time.
ATTEMPTS = 3
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Done = TypeVar("Done")


class Database:
    """One request's or script's way to the database, on one connection of the pool.

    What is fetched is read at once, outside of any transaction. The first write
    begins one, which the transaction manager commits or aborts. Each statement
    that writes says itself which live rows it needs, so nothing rests on what
    was read before.
    """

    def __init__(
        self,
        engine: Engine,
        manager: Callable[[], transaction.TransactionManager],
        actor: Callable[[], Actor] | None = None,
    ) -> None:
        """``manager`` is asked for when something is written.

        ``actor`` tells the audit trail who is at work; without one there is no trail.
        """
        self._engine, self._manager, self.actor = engine, manager, actor
        self._connection: Connection | None = None
        self._unit: Unit | None = None
        self._trace = trace.current.get()

    def fetch(self, statement: str, parameters: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """The rows of a SELECT in the driver's own SQL; raises SQLAlchemy's errors."""

        def read(driver: Any) -> Sequence[tuple[Any, ...]]:
            cursor = driver.cursor()
            cursor.execute(statement, parameters)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return rows

        return self._ask(statement, read)

    def values(self, statement: str, parameters: Mapping[str, object]) -> list[bytes]:
        """As `fetch`, for one column of text or bytes; its values, as bytes.

        For what may be large, too: PyMySQL keeps the last rows of `fetch` while
        the connection waits in the pool.
        """
        return self._ask(statement, lambda driver: column.read(driver, statement, parameters))

    def pairs(
        self, statement: str, parameters: Mapping[str, object]
    ) -> list[tuple[bytes, bytes | None]]:
        """As `values`, for two columns; the second may be NULL."""
        return self._ask(statement, lambda driver: column.read_pairs(driver, statement, parameters))

    def run(
        self, statement: str, parameters: Mapping[str, object], then: Step | None = None
    ) -> Answer:
        """Execute an INSERT or UPDATE in the manager's transaction.

        ``then`` comes after it, in the same round trip. It must do nothing where
        that has found no row: ``ROW_COUNT()`` tells, and ``LAST_INSERT_ID()``
        which row it has made. Returns what the first has found, and the id it
        gave. Raises SQLAlchemy's errors.
        """
        begins = False
        if self._unit is None:
            begins = wire.understands(driver_of(self._connected()))
            self._join(begins_itself=begins)
        steps = [Step(statement, parameters)]
        if begins:
            steps.insert(0, Step(BEGIN))
        if then is not None:
            steps.append(then)
            # Its time is that of the first.
            self._trace.statements += 1
        return self._ask(statement, lambda driver: pipeline.execute(driver, steps))[begins]

    def run_alone(self, statement: str, parameters: Mapping[str, object]) -> Answer:
        """Execute one INSERT, UPDATE or DELETE that stays, whatever becomes of the request.

        Only before the first `run`, whose transaction it would else be part of.
        Returns and raises what `run` does.
        """
        if self._unit is not None:
            raise RuntimeError("a transaction has begun")
        step = Step(statement, parameters)
        return self._ask(statement, lambda driver: pipeline.execute(driver, [step]))[0]

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute in the manager's transaction."""
        unit, begun = self._unit or self._join(), perf_counter()
        try:
            return unit.connection.execute(statement, parameters)
        finally:
            self._trace.asked(statement, perf_counter() - begun)

    def close(self) -> None:
        """Give the connection back. The transaction has ended by then, or never begun.

        A statement that comes later takes another connection.
        """
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        """The connection, taken when it is first needed."""
        if self._connection is None:
            begun = perf_counter()
            try:
                self._connection = self._engine.connect()
            finally:
                self._trace.waited(perf_counter() - begun)
        return self._connection

    def _join(self, *, begins_itself: bool = False) -> Unit:
        """Have the manager end, with its transaction, what is written from now on.

        ``begins_itself``: the first statement brings its `BEGIN` along.
        """
        connection = self._connected()
        connection.info[BEGINS_ITSELF] = begins_itself
        self._unit = Unit(connection, self._trace)
        zope.sqlalchemy.mark_changed(self._unit, self._manager())
        return self._unit

    def _ask(self, statement: str, work: Callable[[Any], Done]) -> Done:
        """What ``work`` returns for the driver's connection; notes how long it took."""
        mine, begun = self._connected(), perf_counter()
        try:
            return work(driver_of(mine))
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._explained(error, mine, statement) from error
        finally:
            self._trace.asked(statement, perf_counter() - begun)

    def _explained(self, error: Any, mine: Connection, statement: str) -> DBAPIError:
        """The SQLAlchemy error for a driver's, and the consequences that SQLAlchemy draws."""
        dead = self._engine.dialect.is_disconnect(error, driver_of(mine), None)
        # Our session is another one's then.
        dead = dead or error_number(error) == UNKNOWN_STATEMENT
        if dead:
            mine.invalidate(error)
            if not timed_out(error):
                # The others in its pool have most likely died with it.
                self._engine.dispose()
            if self._unit is None:
                self.close()
        kind = getattr(sqlalchemy.exc, type(error).__name__, DBAPIError)
        explained: DBAPIError = kind(
            statement, None, error, hide_parameters=True, connection_invalidated=dead
        )
        if is_retryable(error, disconnected=dead):
            mark_error_retryable(explained)
        return explained


def driver_of(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


def includeme(config: Configurator) -> None:
    """Set up pyramid_tm and ``request.db``; `access` sets up pyramid_retry."""
    settings: Settings = config.registry.ar_settings
    engine = make_engine(settings, impatient=True)
    check_packet_size(engine, settings)
    config.registry.engine = engine
    config.add_settings(
        {
            "tm.manager_hook": "pyramid_tm.explicit_manager",
            # What only reads needs no transaction.
            "tm.activate_hook": writes,
            # A view that returns an error status has changed nothing.
            "tm.commit_veto": "pyramid_tm.default_commit_veto",
            # Else every request asks for its user, unknown URLs included.
            "tm.annotate_user": "false",
        }
    )
    config.include("pyramid_tm")
    config.add_request_method(open_database, "db", reify=True)


def writes(request: Request) -> bool:
    """Whether the method of a request is one that may change something."""
    return request.method not in SAFE_METHODS


def open_database(request: Request) -> Database:
    """``request.db``, closed with the request."""
    leaves_trail = request.registry.ar_settings.audit_days > 0
    actor = functools.partial(actor_of, request) if leaves_trail else None
    database = Database(request.registry.engine, lambda: request.tm, actor)
    request.add_finished_callback(lambda _: database.close())
    return database


@contextmanager
def transaction_scope(engine: Engine, actor: Actor = SCRIPT) -> Iterator[Database]:
    """One transaction for a script: committed at the end, aborted by an exception."""
    manager = transaction.TransactionManager(explicit=True)
    database = Database(engine, lambda: manager, lambda: actor)
    try:
        with manager:
            yield database
    finally:
        database.close()


# Opens one transaction.
Scope = Callable[[], AbstractContextManager[Database]]


def in_transaction(scope: Scope, work: Callable[[Database], Done]) -> Done:
    """What a script's work returns, once it is committed; as often tried as a request is."""
    for _ in range(ATTEMPTS - 1):
        try:
            with scope() as db:
                return work(db)
        except DBAPIError as error:
            if not IRetryableError.providedBy(error):
                raise
    with scope() as db:
        return work(db)
