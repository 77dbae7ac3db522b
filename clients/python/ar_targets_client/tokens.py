"""``/api/project/<id>/jwt``."""

from collections.abc import Iterator

from .records import Token
from .single import Single
from .transport import Transport


class Tokens(Single[Token]):
    """The tokens of one project: all of them for its owner, its own for a member."""

    record = Token
    project_id: int

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        self.project_id = project_id
        self.path = f"/project/{project_id}/jwt"

    def create(
        self,
        *,
        ttl: int | None = None,
        access: str = "write",
        description: str = "",
        idempotency_key: str | None = None,
    ) -> Token:
        """Create a token, valid for ``ttl`` seconds; None for the server's default.

        Calls with the same ``idempotency_key`` and arguments create one, within 24 hours.
        """
        given = {"access": access, "description": description} | ({"ttl": ttl} if ttl else {})
        return self._create(given, idempotency_key)

    def list(self) -> Iterator[Token]:
        """All tokens, including expired and revoked ones until the server purges them."""
        return self._list()

    def extend(self, token_id: int, ttl: int, *, etag: str | None = None) -> Token:
        """Set the expiry to ``ttl`` seconds from now."""
        return self._update(token_id, {"ttl": ttl}, etag)
