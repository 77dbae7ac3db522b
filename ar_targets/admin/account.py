"""``/admin/account/``: one's own login and password."""

from typing import Any

from ..auth import passwords
from ..auth.login import LoginRefused, TooManyFailures, authenticate
from ..models import user as users
from ..schemas.user import UserBody
from . import authentication, context
from .context import db, write
from .form import Refusal, changed, field, load, refusals
from .login import Throttled, retry_after
from .page import Page, done, found, go, path
from .role import viewer


class AccountPage(Page):
    """What every user may change of their own account."""

    @path("/")
    def index(self) -> Any:
        """Show the account."""
        return self.page({}, 200)

    def page(self, wrong: dict[str, str], status: int) -> Any:
        """Render the account; the messages of a refused form are shown beside its fields."""
        user = found(users.find(db(), viewer().id))
        return self.render("account.html", user=user, wrong=wrong), status

    @path("/login/", "POST")
    def rename(self) -> Any:
        """Change the login."""
        try:
            fields = load(UserBody.for_patch(), {"login": field("login")})
            with refusals():
                write(lambda database: changed(users.change(database, viewer().id, **fields)))
        except Refusal as refused:
            return self.page(refused.wrong, refused.status)
        done("Your login is changed.")
        return go(".index")

    @path("/password/", "POST")
    def set_password(self) -> Any:
        """Change the password, which ends all other logins."""
        try:
            fields = load(UserBody.for_patch(), {"password": field("password")})
            change_password(field("current"), fields["password"])
        except Refusal as refused:
            page, status = self.page(refused.wrong, refused.status)
            return page, status, retry_after(refused)
        done("Your password is changed. Whoever was logged in with the old one no longer is.")
        return go(".index")


def change_password(current: str, new: str) -> None:
    """Change the viewer's password, and log in with it; the old one counts as a login.

    Raises Refusal (400 or 429).
    """
    request = context.request()
    # Login and change are one transaction, of ``request.db``.
    context.release()
    try:
        credentials = authenticate(request, viewer().login, current, "admin")
    except TooManyFailures as error:
        raise Throttled(error.wait, str(error), "current") from None
    except LoginRefused:
        raise Refusal(400, {"current": "this is not your password"}) from None
    hashed = passwords.hash_password(new)
    changed(users.change(request.db, viewer().id, password_hash=hashed))
    authentication.begin(viewer().id, credentials.password_version + 1)
