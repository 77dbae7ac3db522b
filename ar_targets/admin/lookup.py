"""Logins and names of projects: what is offered while one types, and whom a typed one names."""

from typing import Any

from flask_admin.model.ajax import AjaxModelLoader
from sqlalchemy import ColumnElement, select, true

from ..db.base import fold
from ..models import user as users
from ..models.project import NAME_MAX, Project
from ..models.user import NO_ADMIN, User
from .context import db, sessions, settings
from .form import Refusal
from .role import Role, in_sight, role_in, viewer

# Maximum offers, and maximum characters of what was typed.
OFFERED = 10
TYPED_MAX = 255


class PrefixLoader(AjaxModelLoader):  # type: ignore[misc]
    """Texts that begin with what was typed."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {})

    def format(self, model: str | None) -> tuple[str, str] | None:
        """The pair that Flask-Admin sends: the text is its own key."""
        return None if model is None else (model, model)

    def get_one(self, pk: str) -> str:
        """The text itself."""
        return pk

    def get_list(
        self,
        query: str | None,
        offset: int | None = 0,  # noqa: ARG002  # Flask-Admin's arguments
        limit: int = OFFERED,  # noqa: ARG002
    ) -> list[str]:
        """The first texts that begin with ``query``, which may be missing."""
        typed = (query or "").strip()[:TYPED_MAX]
        return list(sessions.execute(self.statement(typed)).scalars()) if typed else []

    def statement(self, typed: str) -> Any:
        """The statement that finds them."""
        raise NotImplementedError


class LoginLoader(PrefixLoader):
    """Logins of users, to those whom the API would list them: see the setting ``user_access``."""

    def statement(self, typed: str) -> Any:
        """Live users, and no administrators but for administrators."""
        shown: ColumnElement[bool] = true() if viewer().is_admin else NO_ADMIN
        if not viewer().is_admin and settings().user_access != "open":
            shown = User.id == viewer().id
        starts = User.login.startswith(typed, autoescape=True)
        found = select(User.login).where(User.alive(), starts, shown)
        return found.order_by(User.login).limit(OFFERED)


class ProjectLoader(PrefixLoader):
    """Names of projects in sight."""

    def statement(self, typed: str) -> Any:
        """Live projects."""
        starts = Project.name.startswith(typed, autoescape=True)
        found = select(Project.name).where(Project.alive(), starts, in_sight(Project.id))
        return found.order_by(Project.name).limit(OFFERED)


def user_id_of(login: str) -> int | None:
    """The id of the live user with that login."""
    found = users.credentials(db(), login) if login else None
    return found and found.id


def project_named(name: str) -> tuple[int, Role]:
    """The id of the project in sight with that name, and the viewer's role. Raises Refusal."""
    found = sessions.query(Project.id).filter(
        Project.live_name_key == fold(name.strip()[:NAME_MAX]), in_sight(Project.id)
    )
    project_id = found.scalar()
    role = role_in(project_id) if project_id else None
    if role is None:
        raise Refusal(400, {"project": "there is no project with this name"})
    return project_id, role


def project_for(name: str, least: Role, told: str) -> int:
    """The id of the project in sight with that name, if the viewer has at least that role in it.

    Raises Refusal: 400 where there is none, 403, with the message ``told``, without the role.
    """
    project_id, role = project_named(name)
    if role < least:
        raise Refusal(403, {"project": told})
    return project_id


def project_id_of(name: str) -> int | None:
    """As `project_named`, for a filter: None where there is none."""
    try:
        return project_named(name)[0]
    except Refusal:
        return None
