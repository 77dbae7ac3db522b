"""What happens to every request and response, whatever answers it.

From the outside in: `release` lets go of what the request held, `route` notes
which route was matched, `cors` tells browsers who may read the response, `path`
takes a slash off the path's end, `options` answers ``OPTIONS``. Pyramid's
exception views come after these, so that errors carry the CORS headers too.
Around them all is `ar_targets.access`.
"""

from pyramid.config import Configurator
from pyramid.tweens import EXCVIEW, INGRESS

ORDER = ("release", "route", "cors", "path", "options")


def includeme(config: Configurator) -> None:
    """Put the tweens in order, all of them outside the exception views."""
    outer = INGRESS
    for name in ORDER:
        tween = f"{__name__}.{name}.tween_factory"
        config.add_tween(tween, under=outer, over=EXCVIEW)
        outer = tween
