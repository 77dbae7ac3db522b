"""``/admin/token/``: project tokens, and a page for each with the JWT to copy."""

from typing import Any, ClassVar

import flask
from sqlalchemy.orm import Query, contains_eager, joinedload
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from .. import clock
from ..db.session import Database
from ..errors import REVOKED
from ..models import token as tokens
from ..models.project import Project
from ..models.token import DESCRIPTION_MAX, Token, TokenRecord
from ..models.user import User
from ..schemas.token import TokenBody, TokenTtlBody, ttl_fault
from . import context, template_filters
from .context import sessions
from .form import NounForm, Refusal, changed, load, texts
from .list_filter import ChoiceFilter, Condition, EqualFilter, NamedFilter
from .lookup import ProjectLoader, project_id_of, project_named
from .noun_view import NounView, badge
from .page import action, done
from .role import Role, role_in, tokens_in_sight, viewer

DAY = 86_400
STATES = (("valid", "valid"), ("expired", "expired"), ("revoked", "revoked"))
# Or by access or project, where that is narrowed, too.
BY_EXPIRY = "ix_token_expires_at, ix_token_access_expires_at, ix_token_project_id_id"
ACCESS = (("read", "read only"), ("write", "read and write"))


class TokenForm(NounForm):
    """A new token."""

    project = StringField(
        "Project",
        render_kw={"data-lookup": "project", "autocomplete": "off", "required": True},
    )
    description = StringField(
        "Description",
        description="For you, to tell tokens apart",
        render_kw={"maxlength": DESCRIPTION_MAX},
    )
    access = SelectField("Access", choices=[SelectChoice(*one) for one in ACCESS])
    ttl = StringField("Days until it expires", render_kw={"inputmode": "numeric", "required": True})


class TtlForm(NounForm):
    """The time that a token has left."""

    ttl = StringField("Days from now", render_kw={"inputmode": "numeric", "required": True})


class TokenView(NounView):
    """Tokens of live projects: of one's own projects all, of shared ones those one has made."""

    title, singular = "Tokens", "token"
    empty = "No token is found. An app needs one to read or write a project's targets."
    edit_template = "token/edit.html"
    details_template = "token/details.html"
    form = TokenForm
    can_delete = False
    column_list = ("description", "project", "access", "state", "expires_at", "created_at")
    column_export_list = (
        *("id", "project_id", "project.name", "description", "access"),
        *("created_at", "expires_at", "revoked_at"),
    )
    column_labels: ClassVar[dict[str, str]] = {
        "project.name": "Project",
        "expires_at": "Expires",
        "created_at": "Created",
    }
    column_sortable_list = ("expires_at", ("created_at", ("id",)))
    column_formatters: ClassVar[dict[str, Any]] = {
        "description": lambda view, _context, row, _name: view.link(row.id, view.label(row)),
        "project": lambda view, _context, row, _name: view.project_link(row.project),
        "state": lambda _view, _context, row, _name: badge(row.state),
    }
    column_filters = (
        NamedFilter(Token.project_id, "Project", "project", project_id_of),
        ChoiceFilter(
            Token.expires_at,
            "State",
            STATES,
            lambda: {
                "valid": Condition(
                    Token.alive() & (Token.expires_at > clock.now()),
                    BY_EXPIRY,
                    (Token.expires_at, Token.id),
                ),
                "expired": Condition(
                    Token.alive() & (Token.expires_at <= clock.now()),
                    BY_EXPIRY,
                    (Token.expires_at.desc(), Token.id.desc()),
                ),
                "revoked": Condition(
                    Token.revoked_at.is_not(None),
                    order=(Token.revoked_at.desc(), Token.id.desc()),
                ),
            },
        ),
        EqualFilter(Token.access, "Access", ACCESS),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {"project": ProjectLoader("project")}

    def rows(self) -> Query[Any]:
        """Tokens in sight. An outer join keeps the tokens' order: an inner one may be turned."""
        return (
            sessions.query(Token)
            .outerjoin(Token.project)
            .options(
                contains_eager(Token.project).load_only(Project.name, Project.owner_id),
                joinedload(Token.made_by).load_only(User.login),
            )
            .filter(Project.alive(), tokens_in_sight())
        )

    def may_change(self, row: Token) -> bool:
        """Whether the viewer may extend or revoke it: the owner all, a member the own ones."""
        role = role_in(row.project_id)
        return role is not None and (role >= Role.OWNER or row.created_by == viewer().id)

    def create_form(self, obj: Any = None) -> TokenForm:
        """The form of a new token, of the project in the query string."""
        form: TokenForm = super().create_form(obj)
        if flask.request.method == "GET":
            form.ttl.data = str(context.settings().project_token_ttl // DAY)
        return form

    def create_model(self, form: TokenForm) -> Any:
        """Create a token."""

        def work(database: Database) -> TokenRecord:
            wrong: dict[str, str] = {}
            project_id, role = 0, Role.VIEWER
            try:
                project_id, role = project_named(form.project.data or "")
            except Refusal as refused:
                wrong |= refused.wrong
            typed = {**texts(form, "access", "description"), "ttl": seconds(form.ttl.data)}
            fields, faults = TokenBody().load_texts(typed)
            wrong |= faults | _ttl_faults(fields)
            if wrong:
                raise Refusal(400, wrong)
            if fields["access"] == "write" and role < Role.EDITOR:
                raise Refusal(403, {"access": "a viewer of the project makes tokens that read"})
            created_by = None if role >= Role.OWNER else viewer().id
            record = tokens.create(
                database,
                project_id,
                fields["ttl"],
                fields["access"],
                fields["description"],
                created_by=created_by,
            )
            return changed(record)

        return self.create_by(form, work)

    def get_edit_form(self) -> type[TtlForm]:
        """The only thing to change is the time that a token has left."""
        return TtlForm

    def edit_form(self, obj: Any = None) -> TtlForm:
        """The form of a token that the viewer may change."""
        form: TtlForm = super().edit_form(obj)
        if flask.request.method == "GET":
            form.ttl.data, form.revision.data = str(max(1, obj.ttl // DAY)), str(obj.revision)
        return form

    def editable(self, row: Token) -> None:  # noqa: ARG002
        """Nothing: a form without a ttl is refused."""
        return

    def update_model(self, form: TtlForm, model: Token) -> bool:
        """Let the token expire a number of days from now; apps that have it need no new one."""

        def work(database: Database) -> TokenRecord:
            fields = load(TokenTtlBody(), {"ttl": seconds(form.ttl.data)})
            if wrong := _ttl_faults(fields):
                raise Refusal(400, wrong)
            record = changed(tokens.find(database, model.project_id, model.id))
            if record.revoked_at is not None:
                raise Refusal(409, {"": REVOKED})
            return changed(tokens.extend(database, record, fields["ttl"], form.expected_revision))

        return self.attempt(form, work) is not None

    @action("revoke", "Revoke", "Revoke these tokens? Apps that use them stop working at once.")
    def action_revoke(self, ids: list[str]) -> None:
        """Revoke tokens at once; those that are revoked already stay as they are."""
        rows = [row for row in self.several(ids) if row.revoked_at is None]
        mine = self.permitted(rows, self.may_change, "it is not yours to revoke")
        gone = self.each(mine, lambda database, row: tokens.revoke(database, row.id))
        if gone:
            done(f"{self.called(gone)}: revoked, from this moment on.")

    def label(self, row: Token) -> str:
        """Its description, or its id."""
        return template_filters.short(row.description) or f"Token #{row.id}"


def seconds(days: str | None) -> object:
    """Typed days in seconds; text that is not a number is left for the schema to refuse."""
    text = (days or "").strip()
    return int(text) * DAY if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _ttl_faults(fields: dict[str, Any]) -> dict[str, str]:
    wrong = ttl_fault(fields.get("ttl"), context.settings().project_token_max_ttl)
    return {"ttl": wrong} if wrong else {}
