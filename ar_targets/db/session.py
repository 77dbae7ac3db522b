"""``request.db``: database access for a request, and transactions for scripts.

All statements go through `Database.read` and `Database.write`. The writes of a request are one
transaction, which pyramid_tm ends through zope.sqlalchemy; scripts use `in_transaction`.
"""

import functools
import logging
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid_retry import IRetryableError
from sqlalchemy import CursorResult, Executable, event
from sqlalchemy.engine import Connection, Engine, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from ..settings import Settings
from ..telemetry import request_context
from .engine import LAST_ID, check_server, make_engine, make_read_engine
from .retry import ATTEMPTS, pause

log = logging.getLogger(__name__)

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Done = TypeVar("Done")


class Principal(NamedTuple):
    """The principal of a change, for the audit trail, and where it came from.

    ``name`` is ``user:<id>``, ``token:<id>``, ``anyone`` without a token, or ``script``; ``via``
    is ``api``, ``admin`` for the panel, or ``script``.
    """

    name: str
    via: str
    address: str | None = None
    request_id: str | None = None


SCRIPT = Principal("script", "script")


def principal_of(request: Request, via: str = "api") -> Principal:
    """The principal of a request's caller."""
    name = request.authenticated_userid or "anyone"
    return Principal(name, via, request.remote_addr, request_context.current.get().request_id)


def set_principal(request: Request, name: str, via: str) -> None:
    """Make somebody who has sent no token the principal of the request's changes."""
    database: Database = request.db
    if database.principal is not None:
        principal = principal_of(request, via)._replace(name=name)
        database.principal = lambda: principal


# Sessions that take over the transaction which a read has begun on the connection. They join the
# thread's transaction manager with their first statement, to be committed.
_sessions = sessionmaker(
    join_transaction_mode="control_fully", autoflush=False, expire_on_commit=False
)
zope.sqlalchemy.register(_sessions, "changed")
# Key of `Session.info`: start time of the commit.
BEGUN = "ar_targets.begun"


@event.listens_for(_sessions, "before_commit")
def _commits(session: Session) -> None:
    session.info[BEGUN] = perf_counter()


@event.listens_for(_sessions, "after_commit")
def _committed(session: Session) -> None:
    """Record the duration of a COMMIT, which does not count as a statement."""
    request_context.current.get().asked(
        "COMMIT", perf_counter() - session.info[BEGUN], counts=False
    )


def join_transaction(connection: Connection) -> None:
    """Let this thread's transaction manager commit or roll back what a connection writes."""
    _sessions(bind=connection).connection()


class Database:
    """Executes the statements of one request or script on one connection of a pool.

    Each write checks in its own SQL that the rows it needs are live, so that it does not rely on
    earlier reads.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        begin: Callable[[Connection], object],
        principal: Callable[[], Principal] | None = None,
    ) -> None:
        """``begin`` is called before the first write.

        ``principal`` gives the principal for the audit trail; without it, no entries are written.
        """
        self._connect, self._begin, self.principal = connect, begin, principal
        self._connection: Connection | None = None
        self._begun = False

    def read(self, statement: Executable, **parameters: object) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of a SELECT; raises SQLAlchemy's errors."""
        return self._connected().execute(statement, parameters).all()

    def write(self, statement: Executable, **parameters: object) -> CursorResult[*tuple[Any, ...]]:
        """Execute an INSERT, UPDATE, DELETE or locking SELECT in the transaction.

        Raises SQLAlchemy's errors.
        """
        if not self._begun:
            self._begin(self._connected())
            self._begun = True
        return self._connected().execute(statement, parameters)

    @property
    def last_id(self) -> int:
        """The ``LAST_INSERT_ID()`` of the last statement, without another round trip."""
        number: int = self._connected().info[LAST_ID]
        return number

    def close(self) -> None:
        """Return the connection to the pool.

        The transaction has ended by then, or nothing was written. A later statement takes another
        connection.
        """
        connection, self._connection, self._begun = self._connection, None, False
        if connection is not None:
            try:
                connection.close()
            except DBAPIError as error:
                # Lost since its last statement; remove it from the pool.
                log.info("a connection was lost at its return: %s", error.orig)
                if not connection.closed:
                    connection.invalidate()
                    connection.close()

    def _connected(self) -> Connection:
        """The connection, taken from the pool at first use."""
        if self._connection is None:
            begun = perf_counter()
            try:
                self._connection = self._connect()
            finally:
                request_context.current.get().waited(perf_counter() - begun)
        return self._connection


def includeme(config: Configurator) -> None:
    """Set up pyramid_tm and ``request.db``; `http.execution_policy` sets up pyramid_retry."""
    settings: Settings = config.registry.ar_settings
    config.registry.engine = make_engine(settings, impatient=True)
    config.registry.read_engine = make_read_engine(settings)
    check_server(config.registry.engine, settings)
    config.add_settings(
        {
            # Requests that only read need no transaction.
            "tm.activate_hook": writes,
            # A response with an error status rolls back.
            "tm.commit_veto": "pyramid_tm.default_commit_veto",
            # Otherwise pyramid_tm authenticates every request, those for unknown URLs included.
            "tm.annotate_user": "false",
        }
    )
    config.include("pyramid_tm")
    config.include(".retry")
    config.add_request_method(open_database, "db", reify=True)


def writes(request: Request) -> bool:
    """Whether the method of a request is not a safe one (RFC 9110, 9.2.1)."""
    return request.method not in SAFE_METHODS


def open_database(request: Request) -> Database:
    """``request.db``, closed with the request."""
    registry = request.registry
    leaves_trail = registry.ar_settings.audit_days > 0
    # A weak reference: a cycle would keep the body of each upload until the garbage collector
    # runs.
    principal = functools.partial(principal_of, weakref.proxy(request)) if leaves_trail else None
    engine: Engine = registry.engine if writes(request) else registry.read_engine
    database = Database(engine.connect, join_transaction, principal)
    request.add_finished_callback(lambda _: database.close())
    return database


@contextmanager
def read_scope(engine: Engine) -> Iterator[Database]:
    """For statements that only read, outside of requests; of an engine in autocommit mode."""
    database = Database(engine.connect, lambda _: None)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def transaction_scope(engine: Engine, principal: Principal = SCRIPT) -> Iterator[Database]:
    """One transaction for a script: committed at the end, rolled back by an exception."""
    with engine.begin() as connection:
        yield Database(lambda: connection, lambda _: None, lambda: principal)


# Opens one transaction.
Scope = Callable[[], AbstractContextManager[Database]]


def in_transaction(scope: Scope, work: Callable[[Database], Done]) -> Done:
    """The result of ``work``, once it is committed; attempted at most `ATTEMPTS` times."""
    for attempt in range(ATTEMPTS - 1):
        try:
            with scope() as db:
                return work(db)
        except DBAPIError as error:
            if not IRetryableError.providedBy(error):
                raise
        pause(attempt)
    with scope() as db:
        return work(db)
