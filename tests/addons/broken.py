"""A path whose view fails, for `pyramid.includes`: the application has none."""

from pyramid.security import NO_PERMISSION_REQUIRED


def fail(request):
    raise ZeroDivisionError(f"in row {request.matchdict['number']}")


def includeme(config):
    config.add_route("broken", "/broken/{number}")
    config.add_view(fail, route_name="broken", permission=NO_PERMISSION_REQUIRED)
