"""``/admin/user/``: users and administrators."""

from typing import Any

import flask

from ..auth import passwords
from ..db.base import parse_id
from ..models import soft_delete
from ..models import user as users
from ..models.keyset import starts_with
from ..models.panel_lists import PROJECTS, USERS
from ..models.user import UserRecord
from ..schemas.user import UserBody
from . import context, listing
from .form import Refusal, changed, field, load, refusals, revision
from .page import Page, done, found, go, path

ROLES = {"admin": "Administrators", "user": "Other users"}
ORDERS = {"id": "Created", "login": "Login"}
# Projects on a user's own page, which links to the full list.
SHOWN = 10


class UserPage(Page):
    """The list, and a page for each user."""

    @path("/")
    def index(self) -> Any:
        """Live users."""
        search = listing.argument("q")
        if search.startswith("#") and (user_id := parse_id(search[1:])):
            return go(".show", user_id=user_id)
        order = listing.argument("order", ORDERS) or "id"
        role = listing.argument("role", ROLES)
        filters: tuple[str, ...] = ()
        if role == "admin":
            course, filters = "admin", ("login",) if search else ()
        elif search:
            course, filters = "search", (role,) if role else ()
        else:
            course = role or order
        found_users = listing.read(
            USERS, course, order=order, filters=filters, search=starts_with(search)
        )
        return self.render(
            "user/index.html",
            listing=found_users,
            q=search,
            role=role,
            roles=ROLES,
            sortable=not search and not role,
        )

    @path("/new/", "GET", "POST")
    def new(self) -> Any:
        """Create a user."""
        refused = None
        if flask.request.method == "POST":
            try:
                record = create()
            except Refusal as error:
                refused = error
            else:
                done(f"The user {record.login} is created.")
                return go(".show", user_id=record.id)
        page = self.render("user/new.html", wrong=refused.wrong if refused else {})
        return page, refused.status if refused else 200

    @path("/<int:user_id>/")
    def show(self, user_id: int) -> Any:
        """One user."""
        return self.page(user_id)

    def page(self, user_id: int, refused: Refusal | None = None) -> Any:
        """Render a user; the messages of a refused form are shown beside its fields."""
        db = context.db()
        record = found(users.find(db, user_id))
        projects = PROJECTS.page(db, "owner_id", owner_id=user_id, count=SHOWN)
        count = PROJECTS.count(db, "owner_id", owner_id=user_id)
        page = self.render(
            "user/show.html",
            user=record,
            projects=projects.rows,
            count=count,
            wrong=refused.wrong if refused else {},
        )
        return page, refused.status if refused else 200

    def change(self, user_id: int, values: dict[str, Any], message: str) -> Any:
        """Change a user and redirect to the user's page."""
        try:
            with refusals():
                changed(users.change(context.db(), user_id, revision=revision(), **values))
        except Refusal as refused:
            return self.page(user_id, refused)
        done(message)
        return go(".show", user_id=user_id)

    @path("/<int:user_id>/login/", "POST")
    def rename(self, user_id: int) -> Any:
        """Change the login."""
        found(users.find(context.db(), user_id))
        try:
            fields = load(UserBody.for_patch(), {"login": field("login")})
        except Refusal as refused:
            return self.page(user_id, refused)
        return self.change(user_id, fields, "The login is changed.")

    @path("/<int:user_id>/password/", "POST")
    def set_password(self, user_id: int) -> Any:
        """Set the password, which invalidates the user's tokens and sessions."""
        found(users.find(context.db(), user_id))
        try:
            fields = load(UserBody.for_patch(), {"password": field("password")})
        except Refusal as refused:
            return self.page(user_id, refused)
        password_hash = passwords.hash_password(fields["password"])
        message = "The password is set; whoever was logged in with the old one no longer is."
        return self.change(user_id, {"password_hash": password_hash}, message)

    @path("/<int:user_id>/role/", "POST")
    def set_role(self, user_id: int) -> Any:
        """Grant or remove the administrator role."""
        found(users.find(context.db(), user_id))
        is_admin = field("is_admin") == "1"
        try:
            with refusals():
                changed(
                    users.set_admin(context.db(), user_id, is_admin=is_admin, revision=revision())
                )
        except Refusal as refused:
            return self.page(user_id, refused)
        done("The user is an administrator now." if is_admin else "No administrator any more.")
        return go(".show", user_id=user_id)

    @path("/<int:user_id>/delete/", "POST")
    def delete(self, user_id: int) -> Any:
        """Soft-delete the user, with the user's projects."""
        record = found(users.find(context.db(), user_id))
        try:
            with refusals():
                users.keep_an_administrator(context.db(), user_id)
            changed(soft_delete.delete(context.db(), users.User, user_id, revision()))
        except Refusal as refused:
            return self.page(user_id, refused)
        done(f"The user {record.login} is in the trash, with the projects.")
        return go(".index")


def create() -> UserRecord:
    """Create the user from the form. Raises Refusal."""
    fields = load(UserBody(), {"login": field("login"), "password": field("password")})
    password_hash = passwords.hash_password(fields["password"])
    is_admin = field("is_admin") == "1"
    with refusals():
        return users.create(context.db(), fields["login"], password_hash, is_admin=is_admin)
