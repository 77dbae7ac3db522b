"""``/admin/target/``: image targets as a table or a gallery, uploads, and a page for each."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import flask
from flask_wtf.file import FileField
from sqlalchemy import Select, select
from sqlalchemy.orm import Query, contains_eager
from wtforms import BooleanField, StringField, TextAreaField

from ..db.session import Database
from ..models import analysis as analyses
from ..models import project as projects
from ..models import target as targets
from ..models.noun import index_by_parent
from ..models.project import Project
from ..models.target import NAME_MAX, Target, TargetRecord, name_key
from ..models.target_list import END
from ..schemas.target import TargetBody
from . import analysis, authentication, context, template_filters, upload
from .analysis import Judgement, judgement_of, problems_of
from .context import db, sessions
from .form import NounForm, Refusal, changed, texts
from .list_filter import Condition, NamedFilter, PrefixFilter
from .lookup import ProjectLoader, project_for, project_id_of
from .noun_view import DEEPEST, NounView, narrowed_url
from .page import action, done, failed, found, path, undoable
from .picture import heat_picture, large_picture, small_picture, with_sha256
from .role import Role, has_role, in_sight, role_in, viewer

# Maximum bytes of metadata in a text field.
EDITABLE_MAX = 64 * 1024
BY_PROJECT = index_by_parent(Target)
BY_NAME = "ix_target_project_id_is_deleted_name_key_id"
# The name of its filter.
PROJECT = "Project"
FILE = {"accept": "image/jpeg,.jpg,.jpeg"}


class NewTargetForm(NounForm):
    """A new target."""

    project = StringField(
        "Project",
        render_kw={"data-lookup": "project", "autocomplete": "off", "required": True},
    )
    image = FileField("Photograph", render_kw={**FILE, "required": True})
    name = StringField(
        "Name",
        description="Unique in its project; may be empty",
        render_kw={"maxlength": NAME_MAX},
    )
    description = TextAreaField("Description")


class TargetForm(NounForm):
    """The fields of a target."""

    name = StringField(
        "Name",
        description="Unique in its project; may be empty",
        render_kw={"maxlength": NAME_MAX},
    )
    description = TextAreaField("Description")
    physical_width = StringField(
        "Physical width in metres",
        description="Of the printed image; may be empty",
        render_kw={"inputmode": "decimal"},
    )
    active = BooleanField("Active: apps recognise it")
    metadata = TextAreaField("Metadata, as JSON", description="May be empty")
    image = FileField("Another photograph", description="May be empty", render_kw=FILE)


class NameFilter(PrefixFilter):
    """Targets whose name begins with the value, as the API compares and sorts names."""

    def condition(self, value: str) -> Condition:
        """The condition. Of many projects, the first rows are found from an index alone."""
        key = name_key(value)
        starts = (Target.name_key >= key) & (Target.name_key < key + END)
        starts &= Target.is_deleted == 0
        order = (Target.name_key, Target.id)
        if viewer().is_admin:
            return Condition(starts, None, order)
        ids = select(Target.id).with_hint(Target, f"FORCE INDEX ({BY_NAME})")
        first = ids.where(starts, in_sight(Target.project_id)).order_by(*order).limit(DEEPEST)
        return Condition(Target.id.in_(select(first.subquery("first_ids").c.id)), "PRIMARY", order)


class TargetView(NounView):
    """Targets of live projects in sight."""

    title, singular = "Image targets", "target"
    empty = "No target is found."
    list_template = "target/list.html"
    details_template = "target/details.html"
    looks = ("table", "gallery")
    form = NewTargetForm
    column_list = ("picture", "name", "project", "dimensions", "size", "created_at", "rating")
    column_export_list = (
        *("id", "project_id", "project.name", "name", "description", "physical_width", "active"),
        *("width", "height", "size", "sha256", "created_at", "updated_at"),
        *("analysis.status", "analysis.rating", "analysis.trackability"),
    )
    column_labels: ClassVar[dict[str, str]] = {
        "picture": "Image",
        "project.name": "Project",
        "created_at": "Created",
        "rating": "Rating",
        "analysis.status": "Analysis",
        "analysis.rating": "Rating",
        "analysis.trackability": "Trackability",
    }
    column_sortable_list = (("created_at", ("id",)),)
    column_formatters: ClassVar[dict[str, Any]] = {
        "picture": lambda _view, _context, row, _name: row,
        "rating": lambda _view, _context, row, _name: row,
        "name": lambda view, _context, row, _name: view.link(row.id, view.label(row)),
        "project": lambda view, _context, row, _name: view.project_link(row.project),
        "dimensions": lambda _view, _context, row, _name: f"{row.width} × {row.height}",
        "size": lambda _view, _context, row, _name: template_filters.size(row.size),
    }
    column_filters = (
        NamedFilter(
            Target.project_id,
            PROJECT,
            "project",
            project_id_of,
            f"{BY_PROJECT}, {BY_NAME}",
        ),
        NameFilter(Target.name, "Name"),
        analysis.rating_filter(),
    )
    form_ajax_refs: ClassVar[dict[str, Any]] = {"project": ProjectLoader("project")}

    def rows(self) -> Query[Any]:
        """Targets in sight. An outer join keeps the targets' order: an inner one may be turned."""
        return (
            sessions.query(Target)
            .outerjoin(Target.project)
            .outerjoin(Target.analysis)
            .options(contains_eager(Target.project).load_only(Project.name, Project.owner_id))
            .options(contains_eager(Target.analysis))
            .filter(Project.alive(), Target.alive(), in_sight(Target.project_id))
        )

    def first_ids(self, given: Mapping[str, str], *, descending: bool) -> Select[int] | None:
        """The first live targets in sight, or of a rating, from an index alone."""
        if analysis.FILTER in given and given.keys() <= {analysis.FILTER, PROJECT}:
            project_id = project_id_of(given[PROJECT]) if PROJECT in given else None
            return analysis.first_ids(given[analysis.FILTER], project_id, descending=descending)
        if given or viewer().is_admin:
            return None
        live = select(Target.id).with_hint(Target, f"FORCE INDEX ({BY_PROJECT})")
        live = live.where(Target.alive(), in_sight(Target.project_id))
        return live.order_by(Target.id.desc() if descending else Target.id)

    def may_change(self, row: Target) -> bool:
        """Whether the viewer may change it: the owner and editors of its project."""
        return has_role(row.project_id, Role.EDITOR)

    def dropped_into(self, name: str) -> int | None:
        """The id of the project of that name, if the viewer may add targets to it."""
        try:
            return writable_project(name)
        except Refusal:
            return None

    def create_model(self, form: NewTargetForm) -> Any:
        """Create a target."""

        def work(database: Database) -> TargetRecord:
            wrong: dict[str, str] = {}
            project_id = 0
            try:
                project_id = writable_project(form.project.data or "")
            except Refusal as refused:
                # What the viewer may not do is refused before anything is read.
                if refused.status == 403:
                    raise
                wrong |= refused.wrong
            given = {
                name: text for name, text in texts(form, "name", "description").items() if text
            }
            fields, faults = TargetBody.for_patch().load_texts(given)
            fields |= upload.with_image(form.image.data or None, wrong | faults)
            return changed(upload.create(database, project_id, fields))

        return self.create_by(form, work)

    def get_edit_form(self) -> type[TargetForm]:
        """All fields, and the image."""
        return TargetForm

    def edit_form(self, obj: Any = None) -> TargetForm:
        """The form of a target that the viewer may change."""
        form: TargetForm = super().edit_form(obj)
        if obj.metadata_size > EDITABLE_MAX:
            del form.metadata
        return form

    def editable(self, row: Target) -> SimpleNamespace:
        """The values of the form: metadata as text, where it is not too large for one."""
        small = row.metadata_size <= EDITABLE_MAX
        return SimpleNamespace(
            name=row.name,
            description=row.description,
            physical_width=row.physical_width,
            active=row.active,
            metadata=targets.metadata(db(), record_of(db(), row)) if small else None,
            revision=row.revision,
            image=None,
        )

    def update_model(self, form: TargetForm, model: Target) -> bool:
        """Change the fields, and the image where one is sent."""

        def work(database: Database) -> TargetRecord:
            record = record_of(database, model)
            names = [
                name
                for name in ("name", "description", "physical_width", "metadata")
                if name in form
            ]
            typed: dict[str, str] = texts(form, *names) | {
                "active": "true" if form.active.data else "false"
            }
            fields, wrong = TargetBody.for_patch().load_texts(typed)
            if form.image.data:
                fields |= upload.with_image(form.image.data, wrong)
            elif wrong:
                raise Refusal(400, wrong)
            project = changed(projects.find(database, record.project_id))
            growth = targets.growth(fields, record)
            context.limits().require_bytes(database, project.owner_id, growth)
            return changed(targets.change(database, record, fields, form.expected_revision))

        return self.attempt(form, work) is not None

    @action("delete", "Delete", "Put these targets into the trash? Apps no longer find them.")
    def action_delete(self, ids: list[str]) -> None:
        """Soft-delete targets."""
        gone = [row for row in self.several(ids) if self.delete_model(row)]
        if gone:
            undoable(f"{self.called(gone)}: in the trash.", "target", [row.id for row in gone])

    def delete_model(self, model: Target) -> bool:
        """Soft-delete a target, if the viewer may change it."""
        told = "only the owner and editors of its project delete it"
        return bool(self.permitted([model], self.may_change, told)) and self.soft_delete(model)

    @action("move", "Move to another project …")
    def action_move(self, ids: list[str]) -> Any:
        """Ask for the project to move targets to."""
        return self.render("target/move.html", rows=self.several(ids), project="", wrong={})

    @path("/move/", "POST")
    def move(self) -> Any:
        """Move targets to the project that was typed."""
        rows = self.several(flask.request.form.getlist("rowid"))
        name = flask.request.form.get("project", "")
        try:
            project_id = writable_project(name)
        except Refusal as refused:
            page = self.render("target/move.html", rows=rows, project=name, wrong=refused.wrong)
            return page, refused.status
        told = "only the owner and editors of its project move it"
        mine = self.permitted(rows, self.may_change, told)
        moved = self.each(mine, lambda database, row: move_to(database, row, project_id))
        if moved:
            done(f"{len(moved)} moved to {name}.")
        return flask.redirect(narrowed_url("target", project_is=name), 303)

    @path("/upload/<int:project_id>/", "POST")
    def upload(self, project_id: int) -> Any:
        """Store uploaded images: one per request from the script, any number without JavaScript."""
        role = found(role_in(project_id))
        if role < Role.EDITOR:
            flask.abort(403)
        outcomes = [upload.store(project_id, file) for file in flask.request.files.getlist("image")]
        if authentication.wants_json():
            return upload.one_answer(outcomes)
        for name, outcome in outcomes:
            if isinstance(outcome, Refusal):
                failed(f"{template_filters.short(name)}: {outcome.text}")
            else:
                done(f"{template_filters.short(name)}: stored.")
        if not outcomes:
            failed("Choose at least one photograph.")
        return flask.redirect(self.get_url("project.details_view", id=project_id), 303)

    @path("/<int:target_id>/image/<sha256>.jpg")
    def image(self, target_id: int, sha256: str) -> Any:
        """The JPEG as stored; an attachment with ``?download=1``."""
        download = flask.request.args.get("download") == "1"
        return large_picture(self.pictured(target_id, sha256), download=download)

    @path("/<int:target_id>/thumbnail/<sha256>.jpg")
    def thumbnail(self, target_id: int, sha256: str) -> Any:
        """The thumbnail."""
        return small_picture(self.pictured(target_id, sha256))

    @path("/<int:target_id>/heatmap/<sha256>.png")
    def heatmap(self, target_id: int, sha256: str) -> Any:
        """The heatmap, to be laid over the image."""
        return heat_picture(self.pictured(target_id, sha256))

    @path("/<int:target_id>/examine/", "POST")
    def examine(self, target_id: int) -> Any:
        """Have the image examined again."""
        row = found(self.get_one(str(target_id)))
        if not self.may_change(row):
            flask.abort(403)
        found(
            context.write(lambda database: targets.examine_again(database, row.project_id, row.id))
        )
        done(f"{self.label(row)}: it is examined again.")
        return flask.redirect(self.page_url(target_id), 303)

    def judgement(self, row: Target) -> Judgement | None:
        """What is known about the image; None until it is examined."""
        return judgement_of(row)

    def failure(self, row: Target) -> str:
        """Why the image could not be examined; empty where it could, or was not yet."""
        if row.analysis is None or row.analysis.status != analyses.FAILED:
            return ""
        return " ".join(f"{one.description} {one.remedy}" for one in problems_of(row.analysis))

    def pictured(self, target_id: int, sha256: str) -> Target:
        """The target in sight with that image; raises NotFound."""
        return with_sha256(self.get_one(str(target_id)), sha256)

    def label(self, row: Target) -> str:
        """Its name, or its description, or its id."""
        return template_filters.short(row.name or row.description) or f"Target #{row.id}"


def record_of(database: Database, row: Target) -> TargetRecord:
    """The record of a live target. Raises Refusal where it has just been deleted."""
    return changed(targets.find(database, row.project_id, row.id))


def move_to(database: Database, row: Target, project_id: int) -> TargetRecord:
    """The target in another project. Raises Refusal and LimitReachedError."""
    record = record_of(database, row)
    old, new = (changed(projects.find(database, one)) for one in (record.project_id, project_id))
    if new.id != old.id:
        growth = record.size + record.metadata_size if new.owner_id != old.owner_id else 0
        context.limits().require_target(database, new, growth)
    return changed(targets.move(database, record, project_id))


def writable_project(name: str) -> int:
    """The id of the project with that name, if the viewer may add targets. Raises Refusal."""
    return project_for(name, Role.EDITOR, "only its owner and editors add targets")
