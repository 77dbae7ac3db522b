"""Every view says who may use it."""

import pytest
from pyramid.httpexceptions import default_exceptionresponse_view
from pyramid.security import NO_PERMISSION_REQUIRED

from ar_targets.permissions import Permission

# Open to everyone on purpose; the admin panel asks for an administrator itself (tests/admin).
PUBLIC_ROUTES = {
    "index",
    "api_index",
    "live",
    "metrics",
    "ready",
    "admin",
    "openapi",
    "docs",
    "docs_asset",
}


@pytest.fixture
def views(shared_app):
    """All registered views, but for the two with which Pyramid answers its own exceptions."""
    introspector = shared_app.registry.introspector
    found = [view["introspectable"] for view in introspector.get_category("views")]
    return [view for view in found if view["callable"] is not default_exceptionresponse_view]


@pytest.fixture
def permission_of(shared_app):
    """The permission that a view names itself; None where it leaves that to a default."""

    def find(view):
        related = shared_app.registry.introspector.related(view)
        named = [other["value"] for other in related if other.category_name == "permissions"]
        return named[0] if named else None

    return find


def is_fallback(view):
    """Cornice's view for methods that a service does not have."""
    return view["callable"].__module__.startswith("cornice")


def is_exception_view(view):
    return isinstance(view["context"], type) and issubclass(view["context"], BaseException)


def test_every_view_names_a_permission(views, permission_of):
    assert len(views) > 40
    assert [view for view in views if permission_of(view) is None] == []


def test_only_a_few_views_are_for_everyone(views, permission_of):
    public = {
        view["route_name"] or view["callable"].__name__
        for view in views
        if permission_of(view) == NO_PERMISSION_REQUIRED
        and not is_fallback(view)
        and not is_exception_view(view)
    }
    assert public == PUBLIC_ROUTES


def test_permissions_are_known_and_used(views, permission_of):
    named = {permission_of(view) for view in views} - {NO_PERMISSION_REQUIRED}
    assert named == set(Permission)


def test_a_permission_speaks_of_the_noun_of_its_view(views, permission_of):
    """A list and a create speak of one item, and an image is part of its target."""
    for view in views:
        permission = permission_of(view)
        if permission != NO_PERMISSION_REQUIRED:
            noun = (
                view["route_name"]
                .removesuffix("_list")
                .removesuffix("_image")
                .removesuffix("_restore")
                .removesuffix("_heatmap")
                .removesuffix("_retry")
                .removeprefix("picture_")
            )
            assert permission.partition(":")[0] == noun


def test_views_of_the_tree_name_their_context(views, permission_of):
    """So that a view never runs on the place of another."""
    for view in views:
        if permission_of(view) != NO_PERMISSION_REQUIRED:
            assert view["context"].__module__ == "ar_targets.resources"
