"""A transaction as zope.sqlalchemy ends it, without the session that it expects."""

from time import perf_counter

from sqlalchemy.engine import Connection

from .telemetry.trace import Trace


class Unit:
    """What a request writes, on a connection of SQLAlchemy's Core.

    A session would map objects, of which there are none here, and make up a
    fifth of the CPU of a small write by that. This is the part of one, and of its
    transaction, that zope.sqlalchemy's data manager uses.
    """

    twophase = False

    def __init__(self, connection: Connection, noted: Trace) -> None:
        self.connection, self._trace = connection, noted
        self._transaction = connection.begin()

    def get_transaction(self) -> "Unit":
        """This is its own transaction."""
        return self

    def flush(self) -> None:
        """Nothing is held back."""

    def commit(self) -> None:
        """Commit; the time is noted like a statement's, but it does not count as one."""
        begun = perf_counter()
        self._transaction.commit()
        self._trace.asked("COMMIT", perf_counter() - begun, counts=False)

    def close(self) -> None:
        """Roll back what was not committed."""
        self._transaction.close()
