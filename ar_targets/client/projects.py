"""``/api/project``."""

from collections.abc import Iterator

from .records import Project
from .single import Single


class Projects(Single[Project]):
    """The projects of the user who is logged in."""

    path = "/project"
    record = Project

    def create(self, name: str) -> Project:
        """A new project. Two of one name cannot be: a creation that was cut is safe to repeat."""
        return self._create({"name": name}, repeatable=True)

    def list(self) -> Iterator[Project]:
        """All of them."""
        return self._list()

    def update(self, project_id: int, *, name: str, etag: str | None = None) -> Project:
        """Rename it."""
        return self._update(project_id, {"name": name}, etag)
