"""``/api/project/<id>/member``."""

from collections.abc import Iterator

from .claims import user_of
from .errors import ClientError
from .records import Member
from .single import Single
from .transport import Transport


class Members(Single[Member]):
    """With whom one project is shared: for its owner, and for a member to leave."""

    record = Member

    def __init__(self, transport: Transport, project_id: int) -> None:
        super().__init__(transport)
        # The records do not name the project: `project_id` stays None.
        self.path = f"/project/{project_id}/member"

    def add(self, login: str, role: str, *, idempotency_key: str | None = None) -> Member:
        """Share the project with a user, whose ``role`` is ``editor`` or ``viewer``.

        Raises NotFoundError if there is no user with that login, ConflictError if it is a
        member's or the owner's. Calls with the same ``idempotency_key`` and arguments have the
        same answer, within 24 hours.
        """
        return self._create({"login": login, "role": role}, idempotency_key)

    def list(self) -> Iterator[Member]:
        """All members, by the ids of the users."""
        return self._list()

    def change_role(self, user_id: int, role: str, *, etag: str | None = None) -> Member:
        """Give a member another role; a lower one revokes the tokens that it does not allow."""
        return self._update(user_id, {"role": role}, etag)

    def remove(self, user_id: int, *, etag: str | None = None) -> None:
        """End a membership, and revoke the member's tokens."""
        self.delete(user_id, etag=etag)

    def leave(self) -> None:
        """End the caller's own membership. Raises ClientError if the token is no user's."""
        user_id = user_of(self.transport.token or "")
        if user_id is None:
            raise ClientError("only users leave a project: the token is none of a user")
        self.delete(user_id)
