"""``database://``: a storage of the limits library in the application's own database.

All processes and machines on one database share the counts, without another service. Importing
this module registers the scheme with the library.
"""

import hashlib
import time
from datetime import timedelta

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from .. import clock
from ..models import login_attempt

SCHEME = "database"


class DatabaseStorage(Storage, MovingWindowSupport):
    """A moving-window storage; each operation is a short transaction of its own.

    It implements only what that strategy needs of the library's interface. Each operation takes a
    connection from the pool, so callers return theirs first.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  # as the library declares it

    def __init__(self, uri: str, *, engine: Engine) -> None:
        super().__init__(uri)
        self._engine = engine

    @property
    def base_exceptions(self) -> type[Exception]:
        """The database's errors, which the exception views handle."""
        return DBAPIError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count one more, unless ``limit`` were counted within the last ``expiry`` seconds.

        Returns whether it was counted.
        """
        if amount != 1:
            raise NotImplementedError("attempts are counted one by one")
        now = time.time()
        parameters = {
            "id": _id(key),
            "allowed": limit,
            "moment": login_attempt.pack(now),
            "since": login_attempt.pack(now - expiry),
            "until": login_attempt.pack(now + expiry),
            "expires_at": clock.now() + timedelta(seconds=expiry),
        }
        with self._engine.begin() as connection:
            connection.execute(login_attempt.ACQUIRE, parameters)
            refused = connection.execute(
                login_attempt.REFUSED, {"attempt_id": _id(key)}
            ).scalar_one()
        return refused == 0

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest entry in the window, and the number of entries in it."""
        now = time.time()
        with self._engine.connect() as connection:
            packed = connection.execute(login_attempt.READ, {"attempt_id": _id(key)}).scalar()
        moments = login_attempt.unpack(packed)[-limit:] if packed else []
        counting = [moment for moment in moments if now - expiry < moment <= now + expiry]
        return (counting[0], len(counting)) if counting else (now, 0)

    def clear(self, key: str) -> None:
        """Delete all entries of a key."""
        with self._engine.begin() as connection:
            connection.execute(login_attempt.FORGET, {"attempt_id": _id(key)})

    def check(self) -> bool:
        """Whether the database answers; raises where it does not."""
        with self._engine.connect() as connection:
            return bool(connection.execute(select(1)).scalar())

    def reset(self) -> int | None:
        """Not supported: the application never clears all keys."""
        raise NotImplementedError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not supported: used by other strategies."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """Not supported: used by other strategies."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """Not supported: used by other strategies."""
        raise NotImplementedError


def _id(key: str) -> bytes:
    """The row's id: a hash of the library's key, which includes the limit."""
    return hashlib.sha256(key.encode()).digest()
