"""What happens to every request and response, whatever answers it.

From the outside in: `release` lets go of what the request held,
`matched_route` notes which one that was, `cors` tells browsers who may read the response,
`trailing_slash` takes a slash off the path's end, `options` answers ``OPTIONS``.
Pyramid's exception views come after these, so that errors carry the CORS headers too.
Around them all is `execution_policy`.
"""

from pyramid.config import Configurator
from pyramid.tweens import EXCVIEW, INGRESS

ORDER = ("release", "matched_route", "cors", "trailing_slash", "options")


def includeme(config: Configurator) -> None:
    """Put the tweens in order, all of them outside the exception views."""
    outer = INGRESS
    for name in ORDER:
        tween = f"{__package__}.{name}.tween_factory"
        config.add_tween(tween, under=outer, over=EXCVIEW)
        outer = tween
