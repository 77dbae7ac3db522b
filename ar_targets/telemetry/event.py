"""Log messages that have fields; `logs` writes them."""

from typing import NamedTuple


class Event:
    """What happened, and its particulars, which JSON keeps apart.

    ``log.info(Event("sent", bytes=7))``. To other formatters it is a text.
    """

    __slots__ = ("fields", "message")

    def __init__(self, message: str, **fields: object) -> None:
        self.message, self.fields = message, fields

    def __str__(self) -> str:
        shown = [f"{name}={value}" for name, value in self.fields.items() if value is not None]
        return " ".join([self.message, *shown])


class Past(NamedTuple):
    """What happened some time ago, in seconds since 1970, and in which request."""

    moment: float
    request_id: str
    event: Event


class Report:
    """Several of the past in one message, each a line of its own."""

    __slots__ = ("lines",)

    def __init__(self, lines: list[Past]) -> None:
        self.lines = lines

    def __str__(self) -> str:
        return "\n".join(str(line.event) for line in self.lines)
