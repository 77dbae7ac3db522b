"""What is known about a target's picture, ``…/imagetarget/<id>/analysis``, and about any other."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
from pyramid.httpexceptions import HTTPConflict, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from .. import clock, resources
from ..clock import rfc3339
from ..errors import FieldError, problem
from ..http.conditional import not_modified
from ..http.query import load_query
from ..http.representation import Json, found, tag_response, unreplaced
from ..http.service import PROJECT, TARGET, service
from ..http.upload import upload_body
from ..images.heatmap import coloured, pack
from ..images.jpeg import Jpeg
from ..images.process import turn
from ..models import analysis as analyses
from ..models import similarity
from ..models import target as targets
from ..models.analysis import DONE, PENDING, AnalysisRecord
from ..models.similarity import SimilarTarget
from ..models.target import TargetRecord
from ..permissions import Permission
from ..schemas.analysis import HeatmapQuery
from ..schemas.target import ImageBody

# Seconds after which it is worth asking again for a pending one: about as long as a picture takes.
RETRY_AFTER = 1
QUERY = HeatmapQuery()
# What draws a heatmap, in a subprocess.
DRAWING = "ar_targets.images.heatmap_drawing"

analysis = service("analysis", f"{TARGET}/analysis", resource=TARGET)
retry = service("analysis_retry", f"{TARGET}/analysis/retry", resource=TARGET)
heatmap = service("analysis_heatmap", f"{TARGET}/analysis/heatmap", resource=TARGET)
picture = service("picture_analysis", f"{PROJECT}/analysis", resource=PROJECT)


def represent(
    address: str, project_id: int, record: AnalysisRecord, similar: Sequence[SimilarTarget]
) -> Json:
    """The representation of an analysis. ``address`` is the application's URL."""
    path = f"/api/project/{project_id}/imagetarget/{record.target_id}/analysis/heatmap"
    return {
        "status": record.status,
        "version": record.version,
        "analysed_at": rfc3339(record.analysed_at) if record.analysed_at else None,
        "trackability": record.trackability,
        "rating": record.rating,
        "features": record.features,
        "problems": orjson.Fragment(record.problems or "[]"),
        "similar": [one._asdict() for one in similar],
        "heatmap_url": address + path,
    }


def represent_all(request: Request, records: Sequence[TargetRecord]) -> dict[int, Json]:
    """The analyses of some targets of one project, by the target's id; two statements."""
    found = analyses.find_all(request.db, [(record.id, record.sha256) for record in records])
    done = [record.target_id for record in found.values() if record.status == DONE]
    project_id = records[0].project_id if records else 0
    similar = similarity.find_all(request.db, project_id, done)
    # WebOb computes it on each access.
    address = request.application_url
    return {
        target_id: represent(address, project_id, record, similar.get(target_id, ()))
        for target_id, record in found.items()
    }


@analysis.get(context=resources.Target, permission=Permission.ANALYSIS_READ)
def read_analysis(request: Request) -> Response:
    """The analysis; ``Retry-After`` where it is pending. Its ETag is that of what it shows."""
    record: TargetRecord = request.context.record
    shown = represent_all(request, [record])[record.id]
    body = orjson.dumps(shown)
    etag = hashlib.sha256(body).hexdigest()
    response: Response | None = not_modified(request, etag)
    if response is None:
        response = request.response
        response.body = body
        tag_response(response, etag)
    return told_when(response, shown)


@retry.post(context=resources.Target, permission=Permission.ANALYSIS_RETRY)
def retry_analysis(request: Request) -> Json:
    """Examine the picture again: 202."""
    asked: TargetRecord = request.context.record
    record = found(targets.examine_again(request.db, asked.project_id, asked.id))
    request.response.status_int = 202
    request.response.headers["Cache-Control"] = "no-store"
    shown = represent_all(request, [record])[record.id]
    told_when(request.response, shown)
    return shown


def told_when(response: Response, shown: Json) -> Response:
    """The response, which says when to ask again where the analysis is pending."""
    if shown["status"] == PENDING:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


@heatmap.get(context=resources.Target, permission=Permission.ANALYSIS_READ)
def read_heatmap(request: Request) -> Response:
    """Where the picture is held and where not, as a PNG; 404 until the analysis is done."""
    record: TargetRecord = request.context.record
    overlay = load_query(request, QUERY)["overlay"]
    heat = analyses.heatmap(request.db, record.id, record.sha256)
    if heat is None:
        raise problem(HTTPNotFound, FieldError("path", "", "the picture has not been analysed yet"))
    tag = f"{hashlib.sha256(heat).hexdigest()}-{record.sha256[:8]}{'-overlay' * overlay}"
    if unchanged := not_modified(request, tag):
        return unchanged
    # The connection goes back to the pool: drawing takes time.
    request.db.close()
    with turn() as run:
        picture = unreplaced(targets.image(request.db, record)) if overlay else b""
        pixels = record.width * record.height if overlay else 0
        drawn = run(DRAWING, pack(coloured(heat), record.width, record.height, picture), pixels)
    response = Response(body=drawn, content_type="image/png", charset=None)
    tag_response(response, tag)
    return response


def require_unlike(request: Request, project_id: int, jpeg: Jpeg) -> None:
    """Raise 409 where a camera would confuse a picture with a live, analysed target's."""
    found = request.registry.vision.similar(project_id, jpeg.data)
    similar = similarity.named(request.db, project_id, found)
    if similar:
        first = similar[0]
        what = f"target {first.id}" + (f" ({first.name!r})" if first.name else "")
        told = (
            f"a camera would confuse it with {what}; choose another picture, or leave out "
            "allow_similar=false"
        )
        raise problem(
            HTTPConflict,
            FieldError("body", "image", told),
            beside={"similar": [one._asdict() for one in similar]},
        )


@picture.post(
    context=resources.Project,
    permission=Permission.ANALYSIS_CREATE,
    schema=ImageBody(),
    validators=(upload_body,),
)
def analyse_picture(request: Request) -> Json:
    """The analysis of a picture that is not kept."""
    project_id = request.context.record.id
    # The connection goes back to the pool: this takes about a second.
    request.db.close()
    analysed = request.registry.vision.analyse(project_id, request.validated["image"].data)
    similar = similarity.named(request.db, project_id, analysed.similar)
    assessment: Any = asdict(analysed.assessment)
    inline = base64.b64encode(assessment.pop("heatmap")).decode()
    request.response.headers["Cache-Control"] = "no-store"
    return {
        "status": DONE,
        "version": analysed.version,
        "analysed_at": rfc3339(clock.now()),
        **assessment,
        "similar": [one._asdict() for one in similar],
        "heatmap_url": f"data:image/png;base64,{inline}",
    }
