"""Responses with a target's image: the JPEG as stored, or its thumbnail."""

import logging
from contextlib import suppress
from typing import Any

import flask
from sqlalchemy.exc import IntegrityError

from ..db.session import transaction_scope
from ..http.file_name import jpeg_disposition
from ..images.process import BusyError, ImageAtFaultError, ImageProcessError
from ..models import target as targets
from ..models import thumbnail as thumbnails
from ..models.target import TargetRecord
from . import context
from .page import found
from .thumbnail import draw

log = logging.getLogger(__name__)

# The URL contains the checksum, so the response never changes.
FOR_EVER = "private, max-age=31536000, immutable"
# Stored as the thumbnail of an image that cannot be decoded, so that it is not tried again.
NONE = b""
# Seconds after which panel.js requests a thumbnail again that is not ready.
RETRY_AFTER = 1


def large_picture(record: TargetRecord, *, download: bool) -> Any:
    """The JPEG as stored; an attachment if ``download``. Raises NotFound."""
    response = _not_modified(record.sha256)
    if response is None:
        data = found(targets.image(context.db(), record))
        response = flask.Response(data, content_type="image/jpeg")
    _keep(response, record.sha256)
    if download:
        disposition = jpeg_disposition(record.name, record.id, "attachment")
        response.headers["Content-Disposition"] = disposition
    return response


def small_picture(record: TargetRecord) -> Any:
    """The thumbnail, created on first use; a placeholder if the image has none.

    202 without a body if too many other images are being decoded.
    """
    tag = f"{record.sha256}-small"
    response = _not_modified(tag)
    if response is None:
        try:
            picture = thumbnails.find(context.db(), record)
            if picture is None:
                picture = _make(record)
        except BusyError:
            return flask.Response(status=202, headers={"Retry-After": str(RETRY_AFTER)})
        except ImageProcessError as wrong:
            log.warning("target %s has no preview now: %r", record.id, str(wrong))
            picture = NONE
        if picture == NONE:
            return flask.send_from_directory(
                str(flask.current_app.static_folder), "no-preview.svg", max_age=0
            )
        response = flask.Response(picture, content_type="image/jpeg")
    _keep(response, tag)
    return response


def _make(record: TargetRecord) -> bytes:
    """Create the thumbnail, or `NONE` if the image cannot be decoded, and store it.

    Raises ImageProcessError if a later attempt may succeed.
    """
    # Decoding takes time, and storing the thumbnail uses its own connection.
    context.db().close()
    try:
        picture = draw(record, lambda: _read(record))
    except ImageAtFaultError as wrong:
        log.info("target %s has no preview: %r", record.id, str(wrong))
        picture = NONE
    # IntegrityError: the target has been hard-deleted in the meantime.
    with (
        suppress(IntegrityError),
        transaction_scope(context.request().registry.engine) as db,
    ):
        thumbnails.keep(db, record, picture)
    return picture


def _read(record: TargetRecord) -> bytes:
    """The image as stored; raises NotFound. Returns the connection to the pool."""
    try:
        return found(targets.image(context.db(), record))
    finally:
        context.db().close()


def _not_modified(tag: str) -> flask.Response | None:
    return flask.Response(status=304) if flask.request.if_none_match.contains(tag) else None


def _keep(response: flask.Response, tag: str) -> None:
    response.set_etag(tag)
    response.headers["Cache-Control"] = FOR_EVER
