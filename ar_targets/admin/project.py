"""``/admin/project/``: the projects that one sees, and a page for each."""

from typing import Any, ClassVar, NamedTuple

import flask
from sqlalchemy.orm import Query, joinedload
from wtforms import StringField

from ..db.session import Database
from ..models import project as projects
from ..models import usage
from ..models.member import Member
from ..models.noun import index_by_parent
from ..models.project import NAME_MAX, Project, ProjectRecord
from ..models.target import Target
from ..models.token import Token
from ..models.usage import Name, ProjectUsage
from ..models.user import User
from ..schemas.project import ProjectBody
from . import context, template_filters
from .context import db, sessions
from .form import NounForm, Refusal, changed, load, texts
from .list_filter import ChoiceFilter, Condition, NamedFilter, PrefixFilter
from .lookup import LoginLoader, user_id_of
from .noun_view import Count, NounView, counted
from .page import action, undoable
from .role import Role, in_sight, role_in, shared_projects, tokens_in_sight, viewer

# Rows on a project's own page, which links to the full lists.
TARGETS_SHOWN, TOKENS_SHOWN, MEMBERS_SHOWN = 12, 10, 50
NO_USER = "there is no user with this login"


class ProjectForm(NounForm):
    """Name and owner."""

    name = StringField(
        "Name",
        description="1 to 255 characters; no two projects have the same",
        render_kw={"maxlength": NAME_MAX, "required": True},
    )
    owner = StringField(
        "Login of the owner",
        description="Targets and tokens stay as they are",
        render_kw={
            "data-lookup": "owner",
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "required": True,
        },
    )


class Inside(NamedTuple):
    """What a project's page shows of the rows in it."""

    targets: list[Target]
    tokens: list[Token]
    members: list[Member]


class ProjectView(NounView):
    """Projects: the viewer's own, and those shared with the viewer; all for administrators."""

    title, singular = "Projects", "project"
    empty = "No project is found."
    form = ProjectForm
    details_template = "project/details.html"
    column_list = ("name", "owner", "created_at")
    column_export_list = ("id", "name", "owner.login", "created_at", "updated_at")
    column_labels: ClassVar[dict[str, str]] = {"owner.login": "Owner", "created_at": "Created"}
    column_sortable_list = ("name", ("created_at", ("id",)))
    column_formatters: ClassVar[dict[str, Any]] = {
        "name": lambda view, _context, row, _name: view.link(row.id, row.name),
        "owner": lambda _view, _context, row, _name: row.owner.login,
    }
    column_filters = (
        PrefixFilter(Project.name, "Name"),
        NamedFilter(Project.owner_id, "Owner", "owner", user_id_of, index_by_parent(Project)),
        ChoiceFilter(
            Project.owner_id,
            "Whose",
            (("mine", "mine"), ("shared", "shared with me")),
            lambda: {
                "mine": Condition(Project.owner_id == viewer().id, index_by_parent(Project)),
                "shared": Condition(Project.id.in_(shared_projects())),
            },
        ),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {"owner": LoginLoader("owner")}

    def rows(self) -> Query[Any]:
        """Live projects in sight, with the owner's login."""
        owner = joinedload(Project.owner).load_only(User.login)
        return sessions.query(Project).options(owner).filter(Project.alive(), in_sight(Project.id))

    def role(self, row: Project) -> Role:
        """The viewer's role in a project in sight."""
        return role_in(row.id) or Role.VIEWER

    def may_change(self, row: Project) -> bool:
        """Whether the viewer may rename or delete it: its owner."""
        return self.role(row) >= Role.OWNER

    def inside(self, row: Project) -> Inside:
        """The latest targets, tokens and members."""
        targets = self.targets(row).options(joinedload(Target.analysis))
        tokens = sessions.query(Token).filter(Token.project_id == row.id, tokens_in_sight())
        members = sessions.query(Member).options(joinedload(Member.user).load_only(User.login))
        members = members.join(Member.user).filter(Member.project_id == row.id, User.alive())
        return Inside(
            targets.order_by(Target.id.desc()).limit(TARGETS_SHOWN).all(),
            tokens.order_by(Token.id.desc()).limit(TOKENS_SHOWN).all(),
            members.order_by(Member.user_id).limit(MEMBERS_SHOWN).all(),
        )

    def targets(self, row: Project) -> Query[Any]:
        """The live targets of a project; otherwise MariaDB may intersect two indexes, and sort."""
        by_project = f"FORCE INDEX ({index_by_parent(Target)})"
        live = sessions.query(Target).with_hint(Target, by_project)
        return live.filter(Target.project_id == row.id, Target.alive())

    def target_count(self, row: Project) -> Count:
        """How many live targets a project has."""
        return counted(self.targets(row).with_entities(Target.id))

    def use(self, row: Project) -> ProjectUsage:
        """What a project uses of its limits."""
        return usage.of_project(db(), row.id)

    def most(self) -> dict[Name, int]:
        """The limits."""
        return context.limits().most

    def create_form(self, obj: Any = None) -> ProjectForm:
        """The form of a new project; others than administrators make their own."""
        form: ProjectForm = super().create_form(obj)
        if not viewer().is_admin:
            del form.owner
        elif flask.request.method == "GET":
            form.owner.data = flask.request.args.get("owner", viewer().login)
        return form

    def create_model(self, form: ProjectForm) -> Any:
        """Create a project."""

        def work(database: Database) -> ProjectRecord:
            owner_id, wrong = viewer().id, {}
            if "owner" in form:
                owner_id = user_id_of(form.owner.data or "") or 0
                wrong = {} if owner_id else {"owner": NO_USER}
            fields, faults = ProjectBody().load_texts(texts(form, "name"))
            if wrong | faults:
                raise Refusal(400, wrong | faults)
            context.limits().require_project(database, owner_id)
            record = projects.create(database, owner_id, fields["name"])
            if record is None:
                raise Refusal(409, {"owner": "this user has just been deleted"})
            return record

        return self.create_by(form, work)

    def edit_form(self, obj: Any = None) -> ProjectForm:
        """The form of a project, for its owner; only administrators hand it over."""
        form: ProjectForm = super().edit_form(obj)
        if not viewer().is_admin:
            del form.owner
        elif flask.request.method == "GET":
            form.owner.data = obj.owner.login
        return form

    def update_model(self, form: ProjectForm, model: Project) -> bool:
        """Rename the project, or hand it over."""

        def work(database: Database) -> ProjectRecord:
            record = changed(projects.find(database, model.id))
            revision = form.expected_revision
            fields = load(ProjectBody(), texts(form, "name"))
            if fields["name"] != record.name:
                record = changed(projects.rename(database, record, fields["name"], revision))
                revision = record.revision
            if "owner" in form and form.owner.data != model.owner.login:
                owner_id = user_id_of(form.owner.data or "")
                if owner_id is None:
                    raise Refusal(400, {"owner": NO_USER})
                growth = usage.of_project(database, record.id).bytes
                context.limits().require_project(database, owner_id, growth)
                record = changed(projects.hand_over(database, record, owner_id, revision))
            return record

        return self.attempt(form, work) is not None

    @action("delete", "Delete", "Put these projects into the trash, with targets and tokens?")
    def action_delete(self, ids: list[str]) -> None:
        """Soft-delete projects, with their tokens and targets."""
        gone = [row for row in self.several(ids) if self.delete_model(row)]
        if gone:
            text = f"{self.called(gone)}: in the trash, with tokens and targets."
            undoable(text, "project", [row.id for row in gone])

    def delete_model(self, model: Project) -> bool:
        """Soft-delete a project, if it is the viewer's."""
        mine = self.permitted([model], self.may_change, "only its owner may delete it")
        return bool(mine) and self.soft_delete(model)

    def label(self, row: Project) -> str:
        """Its name."""
        return template_filters.short(row.name)
