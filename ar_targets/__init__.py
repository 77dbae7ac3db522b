"""ar_targets: a server for the projects and image targets of AR applications."""

from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router

from . import settings


def main(global_config: dict[str, str], **ini: Any) -> Router:
    """The application factory that the ini files name.

    ``ini`` is the ``[app:main]`` section. Raises settings.SettingsError, which
    ends the process with one line, for a setting that cannot be used.
    """
    # Cornice would turn exceptions into its own kind of response; `errors` does.
    config = Configurator(settings={"handle_exceptions": "false"} | ini)
    config.registry.ar_settings = settings.load(ini)
    config.include("cornice")
    config.include(".renderer")
    config.include(".database")
    config.include(".codec")
    config.include(".throttle")
    config.include(".security")
    config.include(".errors")
    config.include(".tweens")
    config.scan(".views")
    return config.make_wsgi_app()
