"""The body of a project, and the query of their list."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ..models.project import NAME_MAX
from .body import Body, Boolean, Field, Text, TrimmedLength, trim
from .query import Query


class ProjectBody(Body):
    """``name``, without the white space around it."""

    read_only: ClassVar[frozenset[str]] = Body.read_only | {"deleted_at", "role"}

    name = Field(Text(), preparer=trim, validator=TrimmedLength(1, NAME_MAX))


class ProjectQuery(Query):
    """Which projects a list holds, instead of the caller's own live ones.

    The deleted ones, or those that others share with the caller.
    """

    deleted = Field(Boolean(), missing=False)
    member = Field(Boolean(), missing=False)

    def load_texts(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """As for all queries; the two exclude each other, as only owners see deleted projects."""
        fields, wrong = super().load_texts(data)
        if fields.get("deleted") and fields.get("member"):
            wrong["member"] = "it cannot be combined with deleted: only owners restore projects"
        return fields, wrong
