"""What happens to every request and response, whatever answers it.

From the outside in: `request_id` gives the request its id, `path` takes a
slash off its end, `cors` answers browsers' questions. Pyramid's exception
views come after these, so that errors carry the id and the CORS headers too.
"""

from pyramid.config import Configurator
from pyramid.tweens import EXCVIEW, INGRESS


def includeme(config: Configurator) -> None:
    """Put the tweens in order, all of them outside the exception views."""
    request_id, path, cors = (
        f"{__name__}.{name}.tween_factory" for name in ("request_id", "path", "cors")
    )
    config.add_tween(request_id, under=INGRESS)
    config.add_tween(path, under=request_id, over=EXCVIEW)
    config.add_tween(cors, under=path, over=EXCVIEW)
