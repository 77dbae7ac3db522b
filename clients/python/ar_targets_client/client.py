"""The typed client for one server, with one token or none."""

from types import TracebackType
from typing import Self

from .members import Members
from .projects import Projects
from .records import Login
from .retry import Retry
from .targets import Targets
from .tokens import Tokens
from .transport import TIMEOUT, OnWait, Transport
from .users import Users


class Client:
    """``Client("https://ar.example.org", token).targets(1).list()``.

    A user's token gives access to `users`, `projects`, `members` and `tokens`, a project's
    token to the `targets` of its project. Thread-safe.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        retry: Retry | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        on_wait: OnWait | None = None,
    ) -> None:
        self.transport = Transport(server, token, retry=retry, timeout=timeout, on_wait=on_wait)
        self.users = Users(self.transport)
        self.projects = Projects(self.transport)

    def login(self, login: str, password: str) -> Login:
        """Log in; a user token for `with_token`.

        Raises UnauthorizedError or TooManyRequestsError.
        """
        body = {"login": login, "password": password}
        return Login.read(self.transport.send("POST", "/login", body=body).json())

    def with_token(self, token: str) -> "Client":
        """A client with the same settings and another token."""
        mine = self.transport
        return Client(
            mine.server, token, retry=mine.retry, timeout=mine.timeout, on_wait=mine.on_wait
        )

    def tokens(self, project_id: int) -> Tokens:
        """The tokens of a project; needs its owner's token, or a member's for its own."""
        return Tokens(self.transport, project_id)

    def members(self, project_id: int) -> Members:
        """The members of a project; needs its owner's token, or a member's to leave."""
        return Members(self.transport, project_id)

    def targets(self, project_id: int) -> Targets:
        """The targets of a project; needs one of its tokens."""
        return Targets(self.transport, project_id)

    def close(self) -> None:
        """Close the connections."""
        self.transport.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
