"""What happens to every request and response, whatever answers it.

From the outside in: `release` lets go of what the request held, `request_id`
gives the request its id, `cors` tells browsers who may read the response,
`path` takes a slash off the path's end, `options` answers ``OPTIONS``.
Pyramid's exception views come after these, so that errors carry the id and the
CORS headers too.
"""

from pyramid.config import Configurator
from pyramid.tweens import EXCVIEW, INGRESS

ORDER = ("release", "request_id", "cors", "path", "options")


def includeme(config: Configurator) -> None:
    """Put the tweens in order, all of them outside the exception views."""
    outer = INGRESS
    for name in ORDER:
        tween = f"{__name__}.{name}.tween_factory"
        config.add_tween(tween, under=outer, over=EXCVIEW)
        outer = tween
