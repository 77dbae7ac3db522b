"""``/admin/target/``: the image targets of all projects."""

from pathlib import PurePath
from typing import Any

import flask
from werkzeug.datastructures import FileStorage

from ..db.base import parse_id
from ..errors import FieldError, error_body
from ..images import base64_jpeg
from ..images.jpeg import Jpeg
from ..models import project as projects
from ..models import soft_delete
from ..models import target as targets
from ..models.keyset import contains
from ..models.panel_lists import TARGETS
from ..models.project import ProjectRecord
from ..models.target import NAME_MAX, TargetRecord
from ..schemas.target import TargetBody
from . import authentication, context, listing
from .form import Refusal, changed, field, load, refusals, revision
from .page import Page, done, failed, found, go, path
from .picture import large_picture, small_picture

# The fields of the form, beside the box "active".
EDITABLE = ("name", "description", "physical_width", "metadata")
# Maximum bytes of metadata in a text field.
EDITABLE_MAX = 64 * 1024


class TargetPage(Page):
    """The list, uploads, and a page for each target."""

    @path("/")
    def index(self) -> Any:
        """Live targets, of all projects or of one."""
        search = listing.argument("q")
        project_id = parse_id(listing.argument("project"))
        filters = ["search"] if search else []
        values: dict[str, Any] = {"search": contains(search)}
        if project_id:
            values["project_id"] = project_id
        else:
            filters.append("live")
        course = "project" if project_id else "id"
        return self.render(
            "target/index.html",
            listing=listing.read(TARGETS, course, order="id", filters=tuple(filters), **values),
            q=search,
            project=live_project(project_id) if project_id else None,
            settings=context.settings(),
        )

    @path("/<int:project_id>/upload/", "POST")
    def upload(self, project_id: int) -> Any:
        """Store uploaded images: one per request from the script, any number without JavaScript."""
        live_project(project_id)
        outcomes = [store(project_id, file) for file in flask.request.files.getlist("image")]
        if authentication.wants_json():
            return one_answer(outcomes)
        for name, outcome in outcomes:
            if isinstance(outcome, Refusal):
                failed(f"{name}: {outcome.text}")
            else:
                done(f"{name}: stored.")
        if not outcomes:
            failed("Choose at least one photograph.")
        return go("project.show", project_id=project_id)

    @path("/<int:project_id>/<int:target_id>/")
    def show(self, project_id: int, target_id: int) -> Any:
        """One target."""
        return self.page(project_id, target_id)

    def page(self, project_id: int, target_id: int, refused: Refusal | None = None) -> Any:
        """Render a target; the messages of a refused form are shown beside its fields."""
        project, record = target_of(project_id, target_id)
        page = self.render(
            "target/show.html",
            project=project,
            target=record,
            metadata=editable_metadata(record),
            settings=context.settings(),
            wrong=refused.wrong if refused else {},
        )
        return page, refused.status if refused else 200

    @path("/<int:project_id>/<int:target_id>/edit/", "POST")
    def edit(self, project_id: int, target_id: int) -> Any:
        """Change all fields but the image."""
        _, record = target_of(project_id, target_id)
        # Browsers send line breaks as CRLF (HTML, 4.10.22.4); the API stores them as they are sent.
        sent = {name: field(name).replace("\r\n", "\n") for name in flask.request.form}
        texts = {name: sent[name] for name in EDITABLE if name in sent}
        # A box that is not ticked is not sent.
        texts["active"] = "true" if "active" in sent else "false"
        try:
            fields = load(TargetBody.for_patch(), texts)
            with refusals():
                changed(targets.change(context.db(), record, fields, revision()))
        except Refusal as refused:
            return self.page(project_id, target_id, refused)
        done("The target is changed.")
        return go(".show", project_id=project_id, target_id=target_id)

    @path("/<int:project_id>/<int:target_id>/replace/", "POST")
    def replace(self, project_id: int, target_id: int) -> Any:
        """Replace the image."""
        _, record = target_of(project_id, target_id)
        file = flask.request.files.get("image")
        try:
            changed(targets.change(context.db(), record, {"image": proven(file)}, revision()))
        except Refusal as refused:
            return self.page(project_id, target_id, refused)
        done("The image is replaced.")
        return go(".show", project_id=project_id, target_id=target_id)

    @path("/<int:project_id>/<int:target_id>/delete/", "POST")
    def delete(self, project_id: int, target_id: int) -> Any:
        """Soft-delete the target."""
        target_of(project_id, target_id)
        try:
            changed(soft_delete.delete(context.db(), targets.Target, target_id, revision()))
        except Refusal as refused:
            return self.page(project_id, target_id, refused)
        done("The target is in the trash.")
        return go("project.show", project_id=project_id)

    @path("/<int:project_id>/<int:target_id>/image/<sha256>.jpg")
    def image(self, project_id: int, target_id: int, sha256: str) -> Any:
        """The JPEG as stored; an attachment with ``?download=1``."""
        _, record = target_of(project_id, target_id, sha256)
        return large_picture(record, download=flask.request.args.get("download") == "1")

    @path("/<int:project_id>/<int:target_id>/thumbnail/<sha256>.jpg")
    def thumbnail(self, project_id: int, target_id: int, sha256: str) -> Any:
        """The thumbnail."""
        _, record = target_of(project_id, target_id, sha256)
        return small_picture(record)


def live_project(project_id: int) -> ProjectRecord:
    """The project; raises NotFound."""
    return found(projects.find(context.db(), project_id))


def target_of(
    project_id: int, target_id: int, sha256: str | None = None
) -> tuple[ProjectRecord, TargetRecord]:
    """A target and its project; raises NotFound, also if ``sha256`` is not that of its image."""
    project = live_project(project_id)
    record = found(targets.find(context.db(), project_id, target_id))
    if sha256 not in (None, record.sha256):
        found(None)
    return project, record


def proven(file: FileStorage | None) -> Jpeg:
    """The validated JPEG in an uploaded file. Raises Refusal (413 or 400)."""
    if file is None or not file.filename:
        raise Refusal(400, {"image": "choose a photograph"})
    settings = context.settings()
    data = file.read(settings.image_max_bytes + 1)
    try:
        return base64_jpeg.accept(data, settings)
    except base64_jpeg.ImageTooLargeError as large:
        raise Refusal(413, {"image": str(large)}) from None
    except base64_jpeg.ImageError as wrong:
        raise Refusal(400, {"image": str(wrong)}) from None


def store(project_id: int, file: FileStorage) -> tuple[str, TargetRecord | Refusal]:
    """Create a target from a file; the file's name, and the target or why it was refused."""
    name = file.filename or "the file"
    try:
        texts = {"description": field("description"), "name": name_of(name)}
        fields = load(TargetBody.for_patch(), texts) | {"image": proven(file)}
        with refusals():
            return name, found(targets.create(context.db(), project_id, fields))
    except Refusal as refused:
        return name, refused


def name_of(filename: str) -> str:
    """A target's name from that of a file: without its folder and suffix, cut to what is allowed.

    Empty where nothing is left.
    """
    return PurePath(filename.replace("\\", "/")).stem.strip()[:NAME_MAX]


def editable_metadata(record: TargetRecord) -> str | None:
    """The metadata for a text field; None where that is too large for one."""
    if record.metadata_size > EDITABLE_MAX:
        return None
    return targets.metadata(context.db(), record) or ""


def one_answer(outcomes: list[tuple[str, TargetRecord | Refusal]]) -> Any:
    """The response to the script's upload of one file: URLs, or errors in the API's format."""
    outcome = outcomes[0][1] if len(outcomes) == 1 else Refusal(400, {"image": "send one file"})
    if isinstance(outcome, Refusal):
        faults = [FieldError("body", name, text) for name, text in outcome.wrong.items()]
        response = flask.Response(error_body(faults), outcome.status)
        response.content_type = "application/json"
        return response
    place: dict[str, Any] = {"project_id": outcome.project_id, "target_id": outcome.id}
    picture = flask.url_for(".thumbnail", sha256=outcome.sha256, **place)
    return {"url": flask.url_for(".show", **place), "thumbnail": picture}, 201
