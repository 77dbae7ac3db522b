"""The body of a project."""

from ..models.project import NAME_MAX
from .body import Body, Field, Length, Text


class ProjectBody(Body):
    """``name``, white space around it cut off."""

    name = Field(Text(), preparer=lambda name: name and name.strip(), validator=Length(1, NAME_MAX))
