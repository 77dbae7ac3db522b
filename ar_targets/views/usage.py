"""``/api/project/<id>/usage``."""

from pyramid.request import Request

from .. import resources
from ..http.representation import Json
from ..http.service import PROJECT, service
from ..models import usage as usages
from ..models.limit import Limits
from ..permissions import Permission

usage = service("usage", f"{PROJECT}/usage", resource=PROJECT)


@usage.get(context=resources.Project, permission=Permission.USAGE_READ)
def read_usage(request: Request) -> Json:
    """What the project uses, and the limits; that of bytes is for all projects of its owner."""
    used = usages.of_project(request.db, request.context.record.id)
    limits: Limits = request.registry.limits
    request.response.cache_control = "private, no-cache"
    return {
        "targets": used.targets,
        "bytes": used.bytes,
        "limits": {"targets": limits.most["targets"], "bytes": limits.most["bytes"]},
    }
