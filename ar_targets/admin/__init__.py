"""The admin panel at ``/admin/``: Flask-Admin's pages over the models and rules of the API.

It is mounted in the Pyramid application, and shares its engine, its
transactions, its retries and its words for errors. Flask is imported with the
first request for a page, so that a server which only answers the API never
pays for it.

::

    __init__  the route                    login      log in and out
    mount     Pyramid → Flask, errors      dashboard  counts, charts, health
    application  makes the Flask app       user project token target   the nouns
    gate      who may in, headers          trash      restore, remove for good
    page      what all pages share         listing    search, filters, paging
    form      bodies and refusals          audit      the trail
    bridge    Pyramid's side of a request  thumbnail  small pictures
"""

from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED

from . import mount


def includeme(config: Configurator) -> None:
    """Mount the panel, unless the settings switch it off.

    For Pyramid it is public: `gate` asks for an administrator.
    """
    if not config.registry.ar_settings.admin_panel:
        return
    config.registry.admin_panel = mount.Panel(config.registry)
    config.add_route("admin", "/admin{rest:(/.*)?}")
    config.add_view(mount.answer, route_name="admin", permission=NO_PERMISSION_REQUIRED)
    config.add_exception_view(mount.explain, context=Exception, route_name="admin")
