"""Log messages that have fields; `logs` writes them."""


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
