"""``database://``: keeps counts of the limits library in the application's own database.

So all processes and machines on one database count together, with nothing
else to run. Importing this module makes the scheme known to the library.
"""

import hashlib
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta

import transaction
from limits.storage import MovingWindowSupport, Storage
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from . import clock
from .database import Database
from .models import attempt

SCHEME = "database"


class DatabaseStorage(Storage, MovingWindowSupport):
    """Counts in a moving window, each by one statement that commits itself.

    It does no more of the library's interface than that window needs. It takes
    a connection of the pool for each statement: a caller holds none meanwhile.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  # as the library declares it

    def __init__(self, uri: str, *, engine: Engine) -> None:
        super().__init__(uri)
        self._engine = engine

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the database raises; the exception views know it."""
        return DBAPIError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one more, unless ``limit`` were counted within the last ``expiry`` seconds."""
        if amount != 1:
            raise NotImplementedError("attempts are counted one by one")
        now = time.time()
        parameters = {
            "id": _id(key),
            "allowed": limit,
            "moment": attempt.pack(now),
            "since": attempt.pack(now - expiry),
            "expires_at": clock.now() + timedelta(seconds=expiry),
        }
        return self._run(attempt.ACQUIRE, parameters) == 0

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest that still counts was, and how many count."""
        now = time.time()
        with closing(self._open()) as db:
            packed = db.values(attempt.READ, {"id": _id(key)})
        moments = attempt.unpack(packed[0])[-limit:] if packed else []
        counting = [moment for moment in moments if moment > now - expiry]
        return (counting[0], len(counting)) if counting else (now, 0)

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._run(attempt.FORGET, {"id": _id(key)})

    def check(self) -> bool:
        """Whether the database answers; raises where it does not."""
        with closing(self._open()) as db:
            return bool(db.fetch("SELECT 1", {}))

    def reset(self) -> int | None:
        """Forget all keys: for an operator, not for us."""
        raise NotImplementedError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Part of other strategies."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Part of other strategies."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Part of other strategies."""
        raise NotImplementedError

    def _open(self) -> Database:
        return Database(self._engine, lambda: transaction.TransactionManager(explicit=True))

    def _run(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Execute a statement; the number that it sends back."""
        with closing(self._open()) as db:
            return db.run_alone(statement, parameters)[1]


def _id(key: str) -> bytes:
    """The library's key, which names the limit as well, as the row's id."""
    return hashlib.sha256(key.encode()).digest()
