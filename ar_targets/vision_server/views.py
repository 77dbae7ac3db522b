"""What ``ar_targets_vision`` answers."""

import base64
from dataclasses import asdict
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound, HTTPServiceUnavailable
from pyramid.request import Request
from pyramid.response import Response

from ..db.session import read_scope
from ..models import SCHEMA_REVISION
from ..models.schema import fits, schema_revision
from ..vision.features import FeatureSet
from ..vision.version import VERSION
from ..vision_client import Similar
from .asked import asked
from .similarity import NoFeaturesError, Similarities

Json = dict[str, Any]


def analyse(request: Request) -> Json:
    """Judge the picture that is sent, and find the project's targets that are similar."""
    examination = request.registry.pool.examine(request.body)
    found = _similar(request, examination.features)
    assessment = asdict(examination.assessment)
    heatmap = base64.b64encode(assessment["heatmap"]).decode()
    return {"version": VERSION, **assessment, "heatmap": heatmap, "similar": _listed(found)}


def find_similar(request: Request) -> Json:
    """The project's targets that are similar to the picture that is sent."""
    features = request.registry.pool.extract(request.body)
    return {"similar": _listed(_similar(request, features))}


def find_similar_to(request: Request) -> Json:
    """The project's targets that are similar to one of them."""
    similarities: Similarities = request.registry.similarities
    try:
        found = similarities.of_target(_id(request, "project_id"), _id(request, "target_id"))
    except NoFeaturesError:
        raise HTTPNotFound("the target has no features in this project") from None
    return {"similar": _listed(found)}


def is_live(request: Request) -> Json:
    """Liveness: the process answers."""
    return {"status": "ok"}


def is_ready(request: Request) -> Json:
    """Readiness: the database can be reached, and has this schema or a later one."""
    with read_scope(request.registry.engine) as db:
        found = schema_revision(db)
    if not fits(found):
        raise HTTPServiceUnavailable(f"the schema is at {found}, not {SCHEMA_REVISION}")
    return {"status": "ok", "schema": found}


def read_metrics(request: Request) -> Response:
    """The metrics of this process, in Prometheus's text format."""
    response = Response(body=request.registry.metrics.text())
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    response.headers["Cache-Control"] = "no-store"
    return response


def _similar(request: Request, features: FeatureSet) -> list[Similar]:
    similarities: Similarities = request.registry.similarities
    return similarities.of_picture(_id(request, "project_id"), features)


def _id(request: Request, name: str) -> int:
    return int(request.matchdict[name])


def _listed(found: list[Similar]) -> list[Json]:
    return [{"id": one.id, "similarity": one.value} for one in found]


def includeme(config: Configurator) -> None:
    """Register the views."""
    questions = {"analysis": analyse, "similar": find_similar, "similar_to": find_similar_to}
    for name, view in questions.items():
        config.add_view(
            view, route_name=name, request_method="POST", renderer="json", decorator=asked
        )
    config.add_view(is_live, route_name="live", renderer="json")
    config.add_view(is_ready, route_name="ready", renderer="json")
    config.add_view(read_metrics, route_name="metrics")
