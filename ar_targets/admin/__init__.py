"""The admin panel at ``/admin/``: Flask-Admin's pages over the models and rules of the API.

It runs inside the Pyramid application, and shares its engine, its
transactions, its retries and its words for errors. Flask is imported with the
first request for a page, so that a server which only answers the API never
pays for it.

::

    wsgi             Pyramid → Flask, errors       user project token target   the nouns
    application      makes the Flask application   dashboard  counts, charts, health
    authentication   sessions, headers             trash      restore, remove for good
    context          what Flask takes from Pyramid      audit      the trail
    page             what all pages share          listing    search, filters, paging
    login            log in and out                form       fields and refusals
"""

from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED

from . import wsgi


def includeme(config: Configurator) -> None:
    """Mount the panel, unless the settings switch it off.

    For Pyramid it is public: `authentication` asks for an administrator.
    """
    if not config.registry.ar_settings.admin_panel:
        return
    config.registry.admin_panel = wsgi.Panel(config.registry)
    config.add_route("admin", "/admin{rest:(/.*)?}")
    config.add_view(wsgi.answer, route_name="admin", permission=NO_PERMISSION_REQUIRED)
    config.add_exception_view(wsgi.explain, context=Exception, route_name="admin")
