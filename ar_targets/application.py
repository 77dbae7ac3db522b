"""The application factory, in the order of start-up."""

import logging
from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router

from . import settings
from .http.trusted_proxy import TrustedProxy
from .models.backlog import KeptBacklog
from .models.limit import Limits
from .models.usage import NearCounts
from .vision_client import VisionClient

log = logging.getLogger(__name__)


def main(global_config: dict[str, str], **ini: Any) -> Router | TrustedProxy:
    """The application factory that the ini files name.

    ``ini`` is the ``[app:main]`` section. Raises settings.SettingsError, which
    ends the process with one line, for a setting that cannot be used.
    """
    # Cornice must not handle exceptions: the exception views in `errors` do.
    config = Configurator(settings={"handle_exceptions": "false"} | ini)
    config.registry.ar_settings = settings.load(ini)
    if config.registry.ar_settings.user_access == "open":
        log.warning(
            "ar_targets.user_access is 'open': anyone who reaches this server can list, change "
            "and delete users, administrators excepted; 'self' leaves that to the users"
        )
    config.registry.limits = Limits(config.registry.ar_settings)
    config.registry.near_limits = NearCounts(config.registry.limits.most)
    config.registry.vision = VisionClient.of(config.registry.ar_settings)
    config.registry.backlog = KeptBacklog()
    config.include("cornice")
    config.include(".http.representation")
    config.include(".db.session")
    config.include(".telemetry.metrics")
    config.include(".http.request_counter")
    config.include(".http.execution_policy")
    config.include(".auth.jwt_codec")
    config.include(".auth.seal")
    config.include(".auth.throttle")
    config.include(".auth.policy")
    config.include(".errors")
    config.include(".http.tweens")
    config.include(".openapi")
    config.scan(".views")
    config.include(".admin")
    app = config.make_wsgi_app()
    trusted = config.registry.ar_settings.trusted_proxy
    return TrustedProxy(app, trusted) if trusted else app
