"""``database://``: keeps counts of the limits library in the application's own database.

So all processes and machines on one database count together, with nothing
else to run. Importing this module makes the scheme known to the library.
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
    """Counts in a moving window, each in a short transaction of its own.

    It does no more of the library's interface than that window needs. It takes
    a connection of the pool each time: a caller holds none meanwhile.
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
            "moment": login_attempt.pack(now),
            "since": login_attempt.pack(now - expiry),
            "expires_at": clock.now() + timedelta(seconds=expiry),
        }
        with self._engine.begin() as connection:
            connection.execute(login_attempt.ACQUIRE, parameters)
            refused = connection.execute(
                login_attempt.REFUSED, {"attempt_id": _id(key)}
            ).scalar_one()
        return refused == 0

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest that still counts was, and how many count."""
        now = time.time()
        with self._engine.connect() as connection:
            packed = connection.execute(login_attempt.READ, {"attempt_id": _id(key)}).scalar()
        moments = login_attempt.unpack(packed)[-limit:] if packed else []
        counting = [moment for moment in moments if moment > now - expiry]
        return (counting[0], len(counting)) if counting else (now, 0)

    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._engine.begin() as connection:
            connection.execute(login_attempt.FORGET, {"attempt_id": _id(key)})

    def check(self) -> bool:
        """Whether the database answers; raises where it does not."""
        with self._engine.connect() as connection:
            return bool(connection.execute(select(1)).scalar())

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


def _id(key: str) -> bytes:
    """The library's key, which names the limit as well, as the row's id."""
    return hashlib.sha256(key.encode()).digest()
