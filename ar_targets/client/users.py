"""``/api/user``."""

from collections.abc import Iterator

from .records import User
from .single import Single


class Users(Single[User]):
    """The users that the caller may see."""

    path = "/user"
    record = User

    def create(self, login: str, password: str) -> User:
        """A new user. Two of one login cannot be: a creation that was cut is safe to repeat."""
        return self._create({"login": login, "password": password}, repeatable=True)

    def list(self) -> Iterator[User]:
        """All of them."""
        return self._list()

    def update(
        self,
        user_id: int,
        *,
        login: str | None = None,
        password: str | None = None,
        etag: str | None = None,
    ) -> User:
        """Set what is given; a password ends the user's tokens."""
        return self._update(user_id, {"login": login, "password": password}, etag)
