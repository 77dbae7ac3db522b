"""Responses with a target's image: the JPEG as stored, or its thumbnail."""

import logging
from contextlib import suppress
from typing import Any

import flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..db.session import transaction_scope
from ..http.file_name import jpeg_disposition
from ..images.heatmap import coloured
from ..images.process import BusyError, ImageAtFaultError, ImageProcessError
from ..models import analysis as analyses
from ..models import thumbnail as thumbnails
from ..models.target import Target
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


def large_picture(row: Target, *, download: bool) -> Any:
    """The JPEG as stored; an attachment if ``download``. Raises NotFound."""
    response = _not_modified(row.sha256)
    if response is None:
        response = flask.Response(image_of(row), content_type="image/jpeg")
    _keep(response, row.sha256)
    if download:
        disposition = jpeg_disposition(row.name, row.id, "attachment")
        response.headers["Content-Disposition"] = disposition
    return response


def small_picture(row: Target) -> Any:
    """The thumbnail, created on first use; a placeholder if the image has none.

    202 without a body if too many other images are being decoded.
    """
    tag = f"{row.sha256}-small"
    response = _not_modified(tag)
    if response is None:
        try:
            picture = thumbnails.find(context.db(), row.id, row.sha256)
            if picture is None:
                picture = _make(row)
        except BusyError:
            return flask.Response(status=202, headers={"Retry-After": str(RETRY_AFTER)})
        except ImageProcessError as wrong:
            log.warning("target %s has no preview now: %r", row.id, str(wrong))
            picture = NONE
        if picture == NONE:
            return flask.send_from_directory(
                str(flask.current_app.static_folder), "no-preview.svg", max_age=0
            )
        response = flask.Response(picture, content_type="image/jpeg")
    _keep(response, tag)
    return response


def heat_picture(row: Target) -> Any:
    """The heatmap in colours; raises NotFound until the image has been examined.

    It may change with the next examination: browsers ask whether it has.
    """
    heat = coloured(found(analyses.heatmap(context.db(), row.id, row.sha256)))
    response = flask.Response(heat, content_type="image/png")
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(flask.request.environ)


def with_sha256(row: Target | None, sha256: str) -> Target:
    """The target whose image has that checksum; raises NotFound."""
    return found(row if row is not None and row.sha256 == sha256 else None)


def image_of(row: Target) -> bytes:
    """The image of a live or deleted target; raises NotFound where it has been replaced.

    Returns the connection to the pool: what is done with the image takes time.
    """
    same = select(Target.image).where(Target.id == row.id, Target.sha256 == row.sha256)
    try:
        return found(context.sessions.execute(same).scalar())
    finally:
        context.release()


def _make(row: Target) -> bytes:
    """Create the thumbnail, or `NONE` if the image cannot be decoded, and store it.

    Raises ImageProcessError if a later attempt may succeed.
    """
    context.release()
    try:
        picture = draw(row, lambda: image_of(row))
    except ImageAtFaultError as wrong:
        log.info("target %s has no preview: %r", row.id, str(wrong))
        picture = NONE
    # This is a GET, whose session only reads. IntegrityError: the target has been hard-deleted.
    with (
        suppress(IntegrityError),
        transaction_scope(context.request().registry.engine) as db,
    ):
        thumbnails.keep(db, row.id, row.sha256, picture)
    return picture


def _not_modified(tag: str) -> flask.Response | None:
    return flask.Response(status=304) if flask.request.if_none_match.contains(tag) else None


def _keep(response: flask.Response, tag: str) -> None:
    response.set_etag(tag)
    response.headers["Cache-Control"] = FOR_EVER
