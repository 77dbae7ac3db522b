"""``/api/project``."""

from collections.abc import Iterator

from .records import Project
from .single import Single


class Projects(Single[Project]):
    """The projects of the user who is logged in, and those that others share."""

    path = "/project"
    record = Project

    def create(self, name: str) -> Project:
        """Create a project. Names are unique, so it is retried after a lost connection."""
        return self._create({"name": name}, repeatable=True)

    def list(self, *, deleted: bool = False, member: bool = False) -> Iterator[Project]:
        """All projects of the user.

        With ``deleted`` the deleted ones that can be restored, with ``member`` those that others
        share with the user, who has a ``role`` in them.
        """
        given = {"deleted": deleted, "member": member}
        return self._list({name: "true" for name, wanted in given.items() if wanted})

    def update(self, project_id: int, *, name: str, etag: str | None = None) -> Project:
        """Rename a project."""
        return self._update(project_id, {"name": name}, etag)

    def restore(self, project_id: int) -> Project:
        """Restore a deleted project with the tokens and targets that it had.

        Raises NotFoundError if it is purged, ConflictError if its name is taken meanwhile.
        """
        return self._restore(project_id)
