"""The body of a project."""

from ..models.project import NAME_MAX
from .body import Body, Field, Text, TrimmedLength, trim


class ProjectBody(Body):
    """``name``, without the white space around it."""

    name = Field(Text(), preparer=trim, validator=TrimmedLength(1, NAME_MAX))
