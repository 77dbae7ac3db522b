"""Uploads of photographs: the proof of a file, and one target for each."""

from pathlib import PurePath
from typing import Any

import flask
from werkzeug.datastructures import FileStorage

from ..db.session import Database
from ..errors import FieldError, error_body
from ..images import base64_jpeg
from ..images.jpeg import Jpeg
from ..models import project as projects
from ..models import target as targets
from ..models.target import NAME_MAX, TargetRecord
from ..schemas.target import TargetBody
from . import context
from .form import Refusal, load, refusals


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


def with_image(file: FileStorage | None, wrong: dict[str, str]) -> dict[str, Any]:
    """The field ``image`` of a form whose other fields are wrong as told. Raises Refusal."""
    try:
        image = proven(file)
    except Refusal as refused:
        raise Refusal(refused.status, wrong | refused.wrong) from None
    if wrong:
        raise Refusal(400, wrong)
    return {"image": image}


def create(database: Database, project_id: int, fields: dict[str, Any]) -> TargetRecord | None:
    """A new target; None where the project is gone. Raises LimitReachedError."""
    project = projects.find(database, project_id)
    if project is None:
        return None
    context.limits().require_target(database, project, targets.growth(fields))
    return targets.create(database, project_id, fields)


def store(project_id: int, file: FileStorage) -> tuple[str, TargetRecord | Refusal]:
    """Create a target from a file; the file's name, and the target or why it was refused."""
    name = file.filename or "the file"
    try:
        texts = {"description": "", "name": name_of(name)}
        fields = load(TargetBody.for_patch(), texts) | {"image": proven(file)}
        with refusals():
            made = context.write(lambda db: create(db, project_id, fields))
    except Refusal as refused:
        return name, refused
    return name, made or Refusal(404, {"": "the project has just been deleted"})


def name_of(filename: str) -> str:
    """A target's name from that of a file: without its folder and suffix, cut to what is allowed.

    Empty where nothing is left.
    """
    return PurePath(filename.replace("\\", "/")).stem.strip()[:NAME_MAX]


def one_answer(outcomes: list[tuple[str, TargetRecord | Refusal]]) -> Any:
    """The response to the script's upload of one file: URLs, or errors in the API's format."""
    outcome = outcomes[0][1] if len(outcomes) == 1 else Refusal(400, {"image": "send one file"})
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    picture = flask.url_for(".thumbnail", target_id=outcome.id, sha256=outcome.sha256)
    return {"url": flask.url_for(".details_view", id=outcome.id), "thumbnail": picture}, 201


def refusal_answer(refused: Refusal) -> flask.Response:
    """The response to a script: errors in the API's format."""
    faults = [FieldError("body", name, text) for name, text in refused.wrong.items()]
    response = flask.Response(error_body(faults), refused.status)
    response.content_type = "application/json"
    return response
