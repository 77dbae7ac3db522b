"""The body of a project."""

from ..models.project import NAME_MAX
from .body import Body, Field, Text, TrimmedLength, trim


class ProjectBody(Body):
    """``name``, white space around it cut off."""

    name = Field(Text(), preparer=trim, validator=TrimmedLength(1, NAME_MAX))
