"""A statement on its way to the database."""

import re
from dataclasses import dataclass

LITERAL = re.compile(
    r"(?:_binary|x)?'(?:[^'\\]|\\.|'')*'|\b\d+(?:\.\d+)?\b", re.IGNORECASE | re.DOTALL
)
# What drivers, SQLAlchemy and the application ask or say when they have just connected.
SETS_UP = re.compile(
    r"\s*(SET\b|SHOW\b|COMMIT\b|ROLLBACK\b|SELECT\s+(@@|VERSION\(\)|DATABASE\(\)|CAST\('))",
    re.IGNORECASE,
)
SHOWN = 300


@dataclass(frozen=True)
class Statement:
    """Its SQL, as the client wrote it; ``connection`` is the server's number of the session."""

    connection: int
    text: str
    prepared: bool
    # Whether it belongs to no request, but to a connection that has just been made.
    sets_up: bool

    @property
    def verb(self) -> str:
        """The first word, in capitals."""
        found = re.match(r"\W*(\w+)", self.text)
        return found[1].upper() if found else ""

    @property
    def shape(self) -> str:
        """The SQL without its values: equal for the same statement about other rows."""
        return re.sub(r"\s+", " ", LITERAL.sub("?", self.text)).strip()

    def __str__(self) -> str:
        how = "prepared" if self.prepared else "text"
        shape = self.shape
        cut = "…" if len(shape) > SHOWN else ""
        return f"[{self.connection}, {how}] {shape[:SHOWN]}{cut}"
