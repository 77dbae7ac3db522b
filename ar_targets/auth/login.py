"""Who a login and password belong to: for the API's login and for the admin panel's."""

import logging

from pyramid.request import Request

from ..models import user as users
from ..models.user import Credentials
from . import passwords

log = logging.getLogger(__name__)


class LoginRefused(Exception):  # noqa: N818  # nothing has failed
    """Why; for people. Wrong logins and wrong passwords cannot be told apart, nor by their time."""


class TooManyFailures(LoginRefused):
    """Nobody is let in from there, with the right password neither, for ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many failed logins; try again in {wait} s")
        self.wait = wait


def authenticate(request: Request, login: str, password: str) -> Credentials:
    """The user. Raises LoginRefused, or TooManyFailures."""
    # Read first: a database that is away is no failed login.
    user = users.credentials(request.db, login)
    # What comes now takes time, or a connection of its own.
    request.db.close()
    # WebOb's client_addr would believe any X-Forwarded-For; `trusted_proxy` sets this
    # one, from that header only where the ini file names the proxy.
    attempts = request.registry.throttle.attempts(login, request.remote_addr)
    if wait := attempts.begin():
        request.registry.metrics.throttled_logins.inc()
        raise TooManyFailures(wait)
    if not passwords.matches(password, user and user.password_hash) or user is None:
        attempts.failed()
        request.registry.metrics.wrong_logins.inc()
        log.info("a login failed, from %s", request.remote_addr)
        raise LoginRefused("wrong login or password")
    attempts.succeeded()
    if passwords.outdated(user.password_hash):
        users.rehash(request.db, user.id, user.password_hash, passwords.hash_password(password))
    return user
