"""``/api/project/<id>/jwt``."""

from collections.abc import Iterator

from .records import Token
from .single import Single
from .transport import Transport


class Tokens(Single[Token]):
    """The tokens of one project, for its owner."""

    record = Token
    project_id: int

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        self.project_id = project_id
        self.path = f"/project/{project_id}/jwt"

    def create(
        self, *, ttl: int | None = None, access: str = "write", description: str = ""
    ) -> Token:
        """A new token, for ``ttl`` seconds; the server's default without."""
        given = {"access": access, "description": description} | ({"ttl": ttl} if ttl else {})
        return self._create(given, repeatable=False)

    def list(self) -> Iterator[Token]:
        """All of them, those that are over included until the server purges them."""
        return self._list()

    def extend(self, token_id: int, ttl: int, *, etag: str | None = None) -> Token:
        """Let it expire ``ttl`` seconds from now."""
        return self._update(token_id, {"ttl": ttl}, etag)
