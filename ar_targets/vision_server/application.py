"""The application of ``ar_targets_vision``."""

from dataclasses import replace

from pyramid.config import Configurator
from pyramid.router import Router
from pyramid.tweens import EXCVIEW

from ..db.engine import make_read_engine
from ..settings import Settings
from ..vision.pool import Pool, memory_limit
from .in_flight import InFlight
from .indexes import Indexes
from .metrics import Metrics
from .similarity import Similarities

ID = r"[1-9][0-9]{0,17}"
ROUTES = {
    "analysis": f"/project/{{project_id:{ID}}}/analysis",
    "similar": f"/project/{{project_id:{ID}}}/similar",
    "similar_to": f"/project/{{project_id:{ID}}}/target/{{target_id:{ID}}}/similar",
    "live": "/health/live",
    "ready": "/health/ready",
    "metrics": "/metrics",
}


def application(settings: Settings) -> Router:
    """The WSGI application; it starts the server that forks the processes for pictures."""
    config = Configurator()
    registry = config.registry
    registry.ar_settings = settings
    registry.metrics = metrics = Metrics()
    registry.in_flight = InFlight(settings.vision_requests, metrics)
    registry.pool = Pool(
        settings.vision_processes,
        memory_limit(settings.image_max_bytes, settings.image_max_pixels),
        patience=settings.vision_timeout,
    )
    # Each question reads with one connection; health checks shall find another one.
    connections = 2 * (settings.vision_requests + 1)
    registry.engine = make_read_engine(replace(settings, database_pool_size=connections))
    indexes = Indexes(registry.engine, settings.vision_memory, metrics)
    registry.similarities = Similarities(registry.engine, indexes)
    for name, pattern in ROUTES.items():
        config.add_route(name, pattern)
    config.add_tween(f"{__package__}.requests.observed", over=EXCVIEW)
    config.include(".views")
    config.include(".errors")
    return config.make_wsgi_app()
