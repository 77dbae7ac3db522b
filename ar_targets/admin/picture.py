"""Pictures of targets as the browser gets them: the JPEG itself, or a small one."""

import logging
from contextlib import suppress
from typing import Any

import flask
from sqlalchemy.exc import IntegrityError

from ..database import transaction_scope
from ..models import target as targets
from ..models import thumbnail as thumbnails
from ..models.target import TargetRecord
from . import bridge
from .page import found
from .thumbnail import NoThumbnailError, draw

log = logging.getLogger(__name__)

# The address has the checksum in it: what is there never changes.
FOR_EVER = "private, max-age=31536000, immutable"


def large_picture(record: TargetRecord, *, download: bool) -> Any:
    """The bytes as they were sent."""
    response = _not_modified(record.sha256)
    if response is None:
        data = found(targets.image(bridge.db(), record))
        response = flask.Response(data, content_type="image/jpeg")
    _keep(response, record.sha256)
    if download:
        name = f"target-{record.id}.jpg"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def small_picture(record: TargetRecord) -> Any:
    """The thumbnail, made now if nobody has looked at this image before; or that there is none."""
    tag = f"{record.sha256}-small"
    response = _not_modified(tag)
    if response is None:
        try:
            picture = thumbnails.find(bridge.db(), record) or _make(record)
        except NoThumbnailError as wrong:
            log.info("target %s has no preview: %r", record.id, str(wrong))
            return flask.send_from_directory(
                str(flask.current_app.static_folder), "no-preview.svg", max_age=0
            )
        response = flask.Response(picture, content_type="image/jpeg")
    _keep(response, tag)
    return response


def _make(record: TargetRecord) -> bytes:
    """Draw it, and keep it for everybody else. Raises NoThumbnailError."""
    data = found(targets.image(bridge.db(), record))
    # Drawing takes time, and keeping the picture a connection of its own.
    bridge.db().close()
    picture = draw(data, record)
    # The target may have been removed for good meanwhile; then there is nothing to keep it for.
    with suppress(IntegrityError), transaction_scope(bridge.request().registry.engine) as db:
        thumbnails.keep(db, record, picture)
    return picture


def _not_modified(tag: str) -> flask.Response | None:
    return flask.Response(status=304) if flask.request.if_none_match.contains(tag) else None


def _keep(response: flask.Response, tag: str) -> None:
    response.set_etag(tag)
    response.headers["Cache-Control"] = FOR_EVER
