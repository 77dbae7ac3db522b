"""The panel at ``/admin/``: a Flask-Admin application inside the Pyramid application.

It uses the engines, retries and error messages of the Pyramid application. Flask is imported on
the first request to the panel, so a server that only serves the API does not load it.

::

    wsgi             Pyramid → Flask, errors       noun_view    what all model views share
    application      Flask application factory     project member token target user audit
    authentication   sessions, security headers                 the model views
    context          session, settings, changes    trash        deleted rows, a view for each noun
    role             who sees and does what        list_filter  filters of lists, each an index
    page             plain pages, messages         lookup       names that are offered
    form             validation, refusals          upload       photographs, one target each
    analysis heatmap stars and problems of targets check        a picture that is not stored
    login account password_link                    dashboard chart
"""

from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED

from . import wsgi


def includeme(config: Configurator) -> None:
    """Register the panel's route and views, unless the setting ``admin_panel`` is off.

    The views need no Pyramid permission: `authentication` requires a login, and each view asks
    for the viewer's role.
    """
    if not config.registry.ar_settings.admin_panel:
        return
    config.registry.admin_panel = wsgi.Panel(config.registry)
    config.add_route("admin", "/admin{rest:(/.*)?}")
    config.add_view(wsgi.answer, route_name="admin", permission=NO_PERMISSION_REQUIRED)
    config.add_exception_view(wsgi.explain, context=Exception, route_name="admin")
