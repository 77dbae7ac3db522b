"""``/api/project``."""

from collections.abc import Iterator

from .records import Project, Usage
from .single import Single


class Projects(Single[Project]):
    """The projects of the user who is logged in, and those that others share."""

    path = "/project"
    record = Project

    def create(self, name: str, *, idempotency_key: str | None = None) -> Project:
        """Create a project. Raises ConflictError if its name is taken, or a limit is reached.

        Calls with the same ``idempotency_key`` and arguments create one, within 24 hours.
        """
        return self._create({"name": name}, idempotency_key)

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

    def usage(self, project_id: int) -> Usage:
        """How many targets a project has, how many bytes they take, and the limits of both.

        Members may ask, and any token of the project.
        """
        return Usage.read(self.transport.send("GET", f"{self.path}/{project_id}/usage").json())
