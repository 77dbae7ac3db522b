"""What a viewer of the panel may see and do: the role in a project, and the rows in sight.

An administrator sees and does everything. Everybody else sees projects that they own or are a
member of. What a role may do is that of the API: an editor could make a token that writes, a
viewer one that reads.
"""

from enum import IntEnum
from typing import NamedTuple

import flask
from sqlalchemy import ColumnElement, Select, case, literal, select, true
from sqlalchemy.orm import InstrumentedAttribute

from ..auth.policy import user_principal
from ..models.audit import Audit
from ..models.member import Member
from ..models.project import Project
from ..models.token import Token
from .context import sessions

Column = ColumnElement[int] | InstrumentedAttribute[int]


class Role(IntEnum):
    """The role in a project; each includes those before it."""

    VIEWER = 1
    EDITOR = 2
    OWNER = 3
    ADMINISTRATOR = 4


class Viewer(NamedTuple):
    """The user of the panel's session."""

    id: int
    login: str
    is_admin: bool

    @property
    def principal(self) -> str:
        """The name in the audit trail."""
        return user_principal(self.id)


def viewer() -> Viewer:
    """Who is logged in; `authentication.check` has turned away all others."""
    found: Viewer = flask.g.viewer
    return found


def role_in(project_id: int) -> Role | None:
    """The viewer's role in a live project; None without one, or where there is no such project."""
    role = case(
        (literal(viewer().is_admin), literal(Role.ADMINISTRATOR.value)),
        (Project.owner_id == viewer().id, literal(Role.OWNER.value)),
        (Member.role == "editor", literal(Role.EDITOR.value)),
        (Member.role == "viewer", literal(Role.VIEWER.value)),
    )
    statement = (
        select(role)
        .select_from(Project)
        .outerjoin(
            Member, (Member.project_id == Project.id) & (Member.user_id == literal(viewer().id))
        )
        .where(Project.id == project_id, Project.alive())
    )
    found = sessions.execute(statement).scalar()
    return None if found is None else Role(found)


def has_role(project_id: int, least: Role) -> bool:
    """Whether the viewer has at least that role in a live project."""
    role = role_in(project_id)
    return role is not None and role >= least


def own_projects() -> Select[int]:
    """The ids of the viewer's own live projects."""
    return select(Project.id).where(Project.owner_id == viewer().id, Project.alive())


def shared_projects(*roles: str) -> Select[int]:
    """The ids of live projects that are shared with the viewer, in these roles or in any."""
    shared = select(Member.project_id).join(Project, Project.id == Member.project_id)
    shared = shared.where(Member.user_id == viewer().id, Project.alive())
    return shared.where(Member.role.in_(roles)) if roles else shared


def projects_in_sight(*roles: str) -> Select[int]:
    """The ids of the viewer's own live projects, and of those shared in these roles or in any.

    The union is a table of its own: as a plain subquery it would run for each row.
    """
    ids = own_projects().union(shared_projects(*roles)).subquery("projects_in_sight")
    return select(ids.c[0])


def in_sight(column: Column) -> ColumnElement[bool]:
    """The condition that a project's id is one that the viewer sees."""
    return true() if viewer().is_admin else column.in_(projects_in_sight())


def writable(column: Column) -> ColumnElement[bool]:
    """The condition that a project's id is one whose targets the viewer may change."""
    return true() if viewer().is_admin else column.in_(projects_in_sight("editor"))


def tokens_in_sight() -> ColumnElement[bool]:
    """The condition that the viewer sees a token: of the own projects all, else the own ones."""
    if viewer().is_admin:
        return true()
    of_own = select(Token.id).where(Token.project_id.in_(own_projects()))
    made = (
        select(Token.id)
        .join(Member, (Member.project_id == Token.project_id) & (Member.user_id == viewer().id))
        .where(Token.created_by == viewer().id)
    )
    ids = of_own.union(made).subquery("tokens_in_sight")
    return Token.id.in_(select(ids.c[0]))


def entries_in_sight() -> ColumnElement[bool]:
    """The condition that the viewer sees an entry of the audit trail: the own ones."""
    return true() if viewer().is_admin else Audit.actor == viewer().principal
