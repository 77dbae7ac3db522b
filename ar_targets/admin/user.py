"""``/admin/user/``: users and administrators, for administrators."""

from typing import Any, ClassVar

from sqlalchemy.orm import Query
from wtforms import BooleanField, PasswordField, StringField

from ..auth import passwords
from ..db.session import Database
from ..models import soft_delete
from ..models import user as users
from ..models.project import Project
from ..models.user import LOGIN_MAX, PASSWORD_MAX, PASSWORD_MIN, User, UserRecord
from ..schemas.user import UserBody
from .context import sessions
from .form import NounForm, changed, load, texts
from .list_filter import ChoiceFilter, Condition, PrefixFilter
from .lookup import LoginLoader
from .noun_view import NounView, badge
from .page import action, undoable

# Projects on a user's own page, which links to the full list.
PROJECTS_SHOWN = 10
# By role, or by login where that is narrowed too.
BY_ROLE = "ix_user_is_admin_deleted_at_id, ix_user_deleted_at_login_id"


class UserForm(NounForm):
    """Login, password and role."""

    login = StringField(
        "Login",
        render_kw={
            "maxlength": LOGIN_MAX,
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "required": True,
        },
    )
    password = PasswordField(
        "Password",
        description=f"{PASSWORD_MIN} to {PASSWORD_MAX} characters",
        render_kw={"autocomplete": "new-password"},
    )
    is_admin = BooleanField("Administrator: sees and changes everything")


class UserView(NounView):
    """All live users."""

    title, singular = "Users", "user"
    empty = "No user is found."
    only_administrators = True
    form = UserForm
    details_template = "user/details.html"
    column_list = ("login", "is_admin", "created_at")
    column_export_list = ("id", "login", "is_admin", "created_at", "updated_at")
    column_labels: ClassVar[dict[str, str]] = {"is_admin": "Role", "created_at": "Created"}
    column_sortable_list = ("login", ("created_at", ("id",)))
    column_formatters: ClassVar[dict[str, Any]] = {
        "login": lambda view, _context, row, _name: view.link(row.id, row.login),
        "is_admin": lambda _view, _context, row, _name: (
            badge("administrator") if row.is_admin else ""
        ),
    }
    column_filters = (
        PrefixFilter(User.login, "Login"),
        ChoiceFilter(
            User.is_admin,
            "Role",
            (("administrator", "administrators"), ("user", "other users")),
            lambda: {
                "administrator": Condition(User.is_admin == 1, BY_ROLE),
                "user": Condition(User.is_admin == 0, BY_ROLE),
            },
        ),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {"login": LoginLoader("login")}

    def rows(self) -> Query[Any]:
        """Live users."""
        return sessions.query(User).filter(User.alive())

    def projects(self, row: User) -> list[Project]:
        """The latest projects of a user."""
        own = sessions.query(Project).filter(Project.owner_id == row.id, Project.alive())
        return own.order_by(Project.id.desc()).limit(PROJECTS_SHOWN).all()

    def create_model(self, form: UserForm) -> Any:
        """Create a user."""

        def work(database: Database) -> UserRecord:
            fields = load(UserBody(), texts(form, "login", "password"))
            hashed = passwords.hash_password(fields["password"])
            return users.create(database, fields["login"], hashed, is_admin=form.is_admin.data)

        return self.create_by(form, work)

    def edit_form(self, obj: Any = None) -> UserForm:
        """The form of a user; an empty password stays as it is."""
        form: UserForm = super().edit_form(obj)
        form.password.description = (
            f"{form.password.description}; empty: it stays. A new one ends all logins"
        )
        return form

    def update_model(self, form: UserForm, model: User) -> bool:
        """Change login, password and role."""

        def work(database: Database) -> bool:
            typed = texts(form, "login", "password")
            fields = load(
                UserBody.for_patch(), {k: v for k, v in typed.items() if v or k == "login"}
            )
            values: dict[str, Any] = {}
            if fields["login"] != model.login:
                values["login"] = fields["login"]
            if "password" in fields:
                values["password_hash"] = passwords.hash_password(fields["password"])
            revision = form.expected_revision
            if values:
                changed(users.change(database, model.id, revision=revision, **values))
                revision = revision and revision + 1
            if bool(form.is_admin.data) != model.is_admin:
                is_admin = bool(form.is_admin.data)
                changed(users.set_admin(database, model.id, is_admin=is_admin, revision=revision))
            return True

        return self.attempt(form, work) is not None

    @action("delete", "Delete", "Put these users into the trash, with all their projects?")
    def action_delete(self, ids: list[str]) -> None:
        """Soft-delete users, with their projects."""
        gone = [row for row in self.several(ids) if self.delete_model(row)]
        if gone:
            text = f"{self.called(gone)}: in the trash, with all projects."
            undoable(text, "user", [row.id for row in gone])

    def delete_model(self, model: User) -> bool:
        """Soft-delete a user; the last administrator stays."""

        def work(database: Database, row: User) -> None:
            users.keep_an_administrator(database, row.id)
            changed(soft_delete.delete(database, User, row.id))

        return bool(self.each([model], work))

    def label(self, row: User) -> str:
        """The login."""
        return row.login
