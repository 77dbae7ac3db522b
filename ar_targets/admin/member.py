"""``/admin/member/``: with whom projects are shared."""

from typing import Any, ClassVar

from sqlalchemy.orm import Query, contains_eager
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from ..db.session import Database
from ..models import member as members
from ..models import membership
from ..models import project as projects
from ..models import user as users
from ..models.member import Member, MemberRecord
from ..models.project import Project
from ..models.user import User
from .context import sessions
from .form import NounForm, Refusal, changed
from .list_filter import NamedFilter
from .lookup import LoginLoader, ProjectLoader, project_for, project_id_of, user_id_of
from .noun_view import NounView
from .page import action, done
from .role import Role, in_sight, viewer

ROLES = (
    ("viewer", "viewer: sees targets, makes tokens that read"),
    ("editor", "editor: changes targets, makes tokens that write"),
)


class MemberForm(NounForm):
    """A new member."""

    project = StringField(
        "Project",
        render_kw={"data-lookup": "project", "autocomplete": "off", "required": True},
    )
    login = StringField(
        "Login",
        render_kw={
            "data-lookup": "login",
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "required": True,
        },
    )
    role = SelectField("Role", choices=[SelectChoice(*one) for one in ROLES])


class RoleForm(NounForm):
    """Another role."""

    role = SelectField("Role", choices=[SelectChoice(*one) for one in ROLES])


class MemberView(NounView):
    """Members of one's own projects, and one's own memberships."""

    title, singular = "Members", "member"
    empty = "Nobody is a member."
    form = MemberForm
    can_view_details = False
    can_delete = False
    column_list = ("user", "project", "role", "created_at")
    column_export_list = ("project.name", "user.login", "role", "created_at")
    column_labels: ClassVar[dict[str, str]] = {
        "user": "Login",
        "user.login": "Login",
        "project.name": "Project",
        "created_at": "Since",
    }
    column_sortable_list = (("created_at", ("id",)),)
    column_formatters: ClassVar[dict[str, Any]] = {
        "user": lambda view, _context, row, _name: view.member_link(row),
        "project": lambda view, _context, row, _name: view.project_link(row.project),
    }
    column_filters = (
        NamedFilter(Member.project_id, "Project", "project", project_id_of),
        NamedFilter(Member.user_id, "Login", "login", user_id_of),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {
        "project": ProjectLoader("project"),
        "login": LoginLoader("login"),
    }

    def rows(self) -> Query[Any]:
        """Members of live projects that are the viewer's, and the viewer's memberships."""
        found = (
            sessions.query(Member)
            .outerjoin(Member.project)
            .outerjoin(Member.user)
            .options(
                contains_eager(Member.project).load_only(Project.name, Project.owner_id),
                contains_eager(Member.user).load_only(User.login),
            )
            .filter(Project.alive(), User.alive())
        )
        if viewer().is_admin:
            return found
        mine = (Project.owner_id == viewer().id) | (Member.user_id == viewer().id)
        return found.filter(in_sight(Member.project_id), mine)

    def may_change(self, row: Member) -> bool:
        """Whether the viewer may change the role: the project's owner."""
        return viewer().is_admin or row.project.owner_id == viewer().id

    def create_model(self, form: MemberForm) -> Any:
        """Add a member to a project of the viewer's."""

        def work(database: Database) -> MemberRecord:
            wrong: dict[str, str] = {}
            status, project_id = 400, 0
            try:
                name = form.project.data or ""
                project_id = project_for(name, Role.OWNER, "only its owner shares it")
            except Refusal as refused:
                status, wrong = refused.status, refused.wrong
            user_id = user_id_of(form.login.data or "")
            if user_id is None:
                wrong["login"] = "there is no user with this login"
            if wrong or user_id is None:
                raise Refusal(status, wrong)
            if user_id == changed(projects.find(database, project_id)).owner_id:
                raise Refusal(409, {"login": "this is the owner, who may do all that members may"})
            user = changed(users.find(database, user_id))
            return changed(membership.create(database, project_id, user, form.role.data))

        record = self.attempt(form, work)
        return self.get_one(str(record.row_id)) if record else False

    def get_edit_form(self) -> type[RoleForm]:
        """The only thing to change is the role."""
        return RoleForm

    def update_model(self, form: RoleForm, model: Member) -> bool:
        """Change the role; a lower one revokes the tokens that it does not allow."""

        def work(database: Database) -> MemberRecord:
            record = changed(members.find(database, model.project_id, model.user_id))
            revision = form.expected_revision
            return changed(membership.change_role(database, record, form.role.data, revision))

        return self.attempt(form, work) is not None

    def get_save_return_url(self, model: Member, is_created: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002
        """The project's page."""
        return str(self.get_url("project.details_view", id=model.project_id))

    @action("remove", "Remove", "End these memberships? Tokens that the members made are revoked.")
    def action_remove(self, ids: list[str]) -> None:
        """End memberships, and revoke the tokens that these members have made; anyone may leave."""
        mine = self.permitted(
            self.several(ids),
            lambda row: row.user_id == viewer().id or self.may_change(row),
            "only the owner of the project ends this",
        )
        gone = self.each(mine, lambda database, row: changed(remove(database, row)))
        if gone:
            done(f"{self.called(gone)}: no longer a member; the tokens are revoked.")

    def member_link(self, row: Member) -> Any:
        """The login, with a link to the role's form."""
        url = self.get_url(".edit_view", id=row.id)
        return self.anchor(url, row.user.login) if self.may_change(row) else row.user.login

    def label(self, row: Member) -> str:
        """The login."""
        login: str = row.user.login
        return login


def remove(database: Database, row: Member) -> bool:
    """End a membership."""
    record = members.find(database, row.project_id, row.user_id)
    return record is not None and membership.end(database, record)
