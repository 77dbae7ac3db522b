"""``/admin/project/``: the projects of all users."""

from typing import Any

import flask

from ..db.base import parse_id
from ..models import project as projects
from ..models import soft_delete
from ..models import user as users
from ..models.keyset import starts_with
from ..models.panel_lists import PROJECTS, TARGETS, TOKENS
from ..models.project import ProjectRecord
from ..schemas.project import ProjectBody
from . import context, listing
from .form import Refusal, changed, field, load, refusals, revision
from .page import Page, done, found, go, path

ORDERS = {"id": "Created", "name": "Name"}
# Rows on a project's own page, which links to the full lists.
TARGETS_SHOWN, TOKENS_SHOWN = 12, 10


class ProjectPage(Page):
    """The list, and a page for each project."""

    @path("/")
    def index(self) -> Any:
        """Live projects, of all users or of one."""
        search = listing.argument("q")
        if search.startswith("#") and (project_id := parse_id(search[1:])):
            return go(".show", project_id=project_id)
        order = listing.argument("order", ORDERS) or "id"
        owner_id = parse_id(listing.argument("owner"))
        course = "search" if search else order
        values: dict[str, Any] = {"search": starts_with(search)}
        if owner_id:
            course = f"owner_{course}"
            values["owner_id"] = owner_id
        return self.render(
            "project/index.html",
            listing=listing.read(PROJECTS, course, order=order, **values),
            q=search,
            owner=found(users.find(context.db(), owner_id)) if owner_id else None,
            sortable=not search,
        )

    @path("/new/", "GET", "POST")
    def new(self) -> Any:
        """Create a project for an owner."""
        refused = None
        if flask.request.method == "POST":
            try:
                record = create()
            except Refusal as error:
                refused = error
            else:
                done(f"The project {record.name} is created.")
                return go(".show", project_id=record.id)
        page = self.render("project/new.html", wrong=refused.wrong if refused else {})
        return page, refused.status if refused else 200

    @path("/<int:project_id>/")
    def show(self, project_id: int) -> Any:
        """One project with its latest targets and tokens."""
        return self.page(project_id)

    def page(self, project_id: int, refused: Refusal | None = None) -> Any:
        """Render a project; the messages of a refused form are shown beside its fields."""
        db = context.db()
        record = found(projects.find(db, project_id))
        targets = TARGETS.page(db, "project", project_id=project_id, count=TARGETS_SHOWN)
        tokens = TOKENS.page(db, "project", project_id=project_id, count=TOKENS_SHOWN)
        page = self.render(
            "project/show.html",
            jwt=context.jwt,
            project=record,
            owner=found(users.find(db, record.owner_id)),
            targets=targets.rows,
            target_count=TARGETS.count(db, "project", project_id=project_id),
            tokens=tokens.rows,
            token_count=TOKENS.count(db, "project", project_id=project_id),
            settings=context.settings(),
            wrong=refused.wrong if refused else {},
        )
        return page, refused.status if refused else 200

    @path("/<int:project_id>/name/", "POST")
    def rename(self, project_id: int) -> Any:
        """Change the name."""
        record = found(projects.find(context.db(), project_id))
        try:
            fields = load(ProjectBody(), {"name": field("name")})
            with refusals():
                changed(projects.rename(context.db(), record, fields["name"], revision()))
        except Refusal as refused:
            return self.page(project_id, refused)
        done("The project is renamed.")
        return go(".show", project_id=project_id)

    @path("/<int:project_id>/owner/", "POST")
    def hand_over(self, project_id: int) -> Any:
        """Transfer the project to another owner; its tokens and targets are unchanged."""
        record = found(projects.find(context.db(), project_id))
        try:
            owner_id = owner_named("owner")
            with refusals():
                changed(projects.hand_over(context.db(), record, owner_id, revision()))
        except Refusal as refused:
            return self.page(project_id, refused)
        done(f"The project belongs to {field('owner')} now.")
        return go(".show", project_id=project_id)

    @path("/<int:project_id>/delete/", "POST")
    def delete(self, project_id: int) -> Any:
        """Soft-delete the project, with its tokens and targets."""
        record = found(projects.find(context.db(), project_id))
        try:
            changed(soft_delete.delete(context.db(), projects.Project, project_id, revision()))
        except Refusal as refused:
            return self.page(project_id, refused)
        done(f"The project {record.name} is in the trash, with its tokens and targets.")
        return go(".index")


def create() -> ProjectRecord:
    """Create the project from the form. Raises Refusal."""
    wrong: dict[str, str] = {}
    owner_id = 0
    try:
        owner_id = owner_named("owner")
    except Refusal as refused:
        wrong |= refused.wrong
    try:
        fields = load(ProjectBody(), {"name": field("name")})
    except Refusal as refused:
        wrong |= refused.wrong
    if wrong:
        raise Refusal(400, wrong)
    with refusals():
        record = projects.create(context.db(), owner_id, fields["name"])
    if record is None:
        raise Refusal(409, {"owner": "this user has just been deleted"})
    return record


def owner_named(name: str) -> int:
    """The id of the live user whose login is in the form field ``name``. Raises Refusal (400)."""
    login = field(name)
    owner = users.credentials(context.db(), login) if login else None
    if owner is None:
        raise Refusal(400, {name: "there is no user with this login"})
    return owner.id
