"""The admin panel at ``/admin/``: a Flask-Admin application inside the Pyramid application.

It uses the engine, transactions, retries and error messages of the Pyramid
application. Flask is imported on the first request to the panel, so a server
that only serves the API does not load it.

::

    wsgi             Pyramid → Flask, errors        user project token target   the models
    application      Flask application factory      dashboard   counts, charts, health
    authentication   sessions, security headers     trash       restore, hard delete
    context          Pyramid's request and database audit       the audit trail
    page             base class, messages, errors   listing     search, filters, pagination
    login            login and logout               form        validation of form fields
"""

from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED

from . import wsgi


def includeme(config: Configurator) -> None:
    """Register the panel's route and views, unless the setting ``admin_panel`` is off.

    The views need no Pyramid permission: `authentication` requires an administrator.
    """
    if not config.registry.ar_settings.admin_panel:
        return
    config.registry.admin_panel = wsgi.Panel(config.registry)
    config.add_route("admin", "/admin{rest:(/.*)?}")
    config.add_view(wsgi.answer, route_name="admin", permission=NO_PERMISSION_REQUIRED)
    config.add_exception_view(wsgi.explain, context=Exception, route_name="admin")
