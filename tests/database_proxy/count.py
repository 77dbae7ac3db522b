"""What has passed the proxy in some time."""

from collections import Counter
from dataclasses import dataclass, field

from .statement import Statement


@dataclass
class Count:
    """Round trips, statements and commands; it prints as all that has passed, line by line."""

    # By the server's number of the connection. A round trip: the client has sent something,
    # and the server answers; however many commands were sent before the first answer. What
    # sets up a new connection is left out.
    by_connection: Counter[int] = field(default_factory=Counter)
    # All that were executed, in that order.
    statements: list[Statement] = field(default_factory=list)
    # The names of all commands, those included that nobody answers.
    commands: list[str] = field(default_factory=list)

    @property
    def trips(self) -> int:
        """The round trips on all connections."""
        return self.by_connection.total()

    @property
    def of_request(self) -> list[Statement]:
        """The statements, without those that set up a session."""
        return [statement for statement in self.statements if not statement.sets_up]

    def __str__(self) -> str:
        lines = [f"{self.trips} round trips ({', '.join(self.commands)})"]
        return "\n  ".join(lines + [str(statement) for statement in self.statements])
