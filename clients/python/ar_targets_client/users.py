"""``/api/user``."""

from collections.abc import Iterator

from .records import User
from .single import Single


class Users(Single[User]):
    """The users that the caller may see."""

    path = "/user"
    record = User

    def create(self, login: str, password: str) -> User:
        """Create a user. Logins are unique, so it is retried after a lost connection."""
        body = {"login": login, "password": password}
        return self._read("POST", self.path, None, body=body)

    def list(self) -> Iterator[User]:
        """All users that the caller may see."""
        return self._list()

    def update(
        self,
        user_id: int,
        *,
        login: str | None = None,
        password: str | None = None,
        etag: str | None = None,
    ) -> User:
        """Set the given fields; a new password ends the user's tokens."""
        given = {"login": login, "password": password}
        return self._update(user_id, {n: v for n, v in given.items() if v is not None}, etag)
