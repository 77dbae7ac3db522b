"""What happens to statements: which of them are struck, and how."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .statement import Statement

When = Callable[[Statement], bool]


@dataclass(frozen=True)
class Refuse:
    """The server never hears of the statement; the client is told of an error."""

    number: int
    state: str
    text: str
    # What a server does at the same time: it rolls the transaction back, or ends the connection.
    rolls_back: bool = False
    closes: bool = False


@dataclass(frozen=True)
class Cut:
    """Both connections end, without an answer; before or after the server has executed it."""

    executed: bool


@dataclass(frozen=True)
class Delay:
    """The answer comes so much later."""

    seconds: float


Way = Refuse | Cut | Delay

LOCK_WAIT = Refuse(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction")
DEADLOCK = Refuse(
    1213,
    "40001",
    "Deadlock found when trying to get lock; try restarting transaction",
    rolls_back=True,
)
# MySQL's Group Replication: another node has changed the same rows.
CONFLICT = Refuse(
    3101,
    "40000",
    "Plugin instructed the server to rollback the current transaction.",
    rolls_back=True,
)
# Galera: a node that is not in the majority. Its sessions stay open, and their transaction is lost.
NOT_READY = Refuse(
    1047, "08S01", "WSREP has not yet prepared node for application use", rolls_back=True
)
# MySQL: a primary that no longer is one.
READ_ONLY = Refuse(
    1290,
    "HY000",
    "The MySQL server is running with the --super-read-only option so it cannot execute this "
    "statement",
)
INTERRUPTED = Refuse(1317, "70100", "Query execution was interrupted")
KILLED = Refuse(1927, "70100", "Connection was killed", closes=True)
CUT_BEFORE = Cut(executed=False)
CUT_AFTER = Cut(executed=True)


def verb(*verbs: str) -> When:
    """Statements that begin with one of these words."""
    return lambda statement: statement.verb in verbs


def nth(number: int) -> When:
    """The so-manieth statement from now on, the first is 1; what sets up a session aside."""
    seen = 0

    def when(statement: Statement) -> bool:
        nonlocal seen
        seen += not statement.sets_up
        return seen == number and not statement.sets_up

    return when


def like(other: Statement) -> When:
    """Statements that differ from another in their values at most."""
    return lambda statement: statement.shape == other.shape


@dataclass
class Fault:
    """A way that strikes some statements, ``times`` at most; None: all of them."""

    when: When
    way: Way
    times: int | None = 1
    # Those that were struck.
    statements: list[Statement] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, statement: Statement) -> bool:
        """Whether this one is struck, which is noted."""
        with self._lock:
            if self.times is not None and len(self.statements) >= self.times:
                return False
            struck = self.when(statement)
            if struck:
                self.statements.append(statement)
            return struck
