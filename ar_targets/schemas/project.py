"""The body of a project, and the query of their list."""

from typing import ClassVar

from ..models.project import NAME_MAX
from .body import Body, Boolean, Field, Text, TrimmedLength, trim
from .query import Query


class ProjectBody(Body):
    """``name``, without the white space around it."""

    read_only: ClassVar[frozenset[str]] = Body.read_only | {"deleted_at"}

    name = Field(Text(), preparer=trim, validator=TrimmedLength(1, NAME_MAX))


class ProjectQuery(Query):
    """Whether a list holds the deleted projects, instead of the live ones."""

    deleted = Field(Boolean(), missing=False)
