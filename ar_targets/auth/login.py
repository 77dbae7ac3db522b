"""Authenticates by login and password, with rate limits; for the API and the admin panel."""

import logging

from pyramid.request import Request

from .. import clock
from ..db.session import principal_of, set_principal, transaction_scope
from ..models import audit
from ..models import user as users
from ..models.user import Credentials, User
from . import passwords
from .policy import user_principal

log = logging.getLogger(__name__)


# The row of an entry about a login that no user has. The login itself is not kept: people type
# passwords into that field.
UNKNOWN = 0


class LoginRefused(Exception):  # noqa: N818  # an expected outcome
    """The login failed; the message is for users.

    An unknown login and a wrong password give the same message after the same time.
    """


class TooManyFailures(LoginRefused):
    """The rate limit is exceeded: even the right password is refused for ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many failed logins; try again in {wait} s")
        self.wait = wait


def authenticate(request: Request, login: str, password: str, via: str = "api") -> Credentials:
    """The credentials of the user. Raises LoginRefused, or TooManyFailures.

    Leaves an entry in the audit trail, except for the attempts that a rate limit refuses.
    """
    # Read before counting: an unavailable database must not count as a failed login.
    user = users.credentials(request.db, login)
    # Return the connection to the pool: hashing takes time, and the throttle uses one of its own.
    request.db.close()
    # WebOb's client_addr trusts any X-Forwarded-For; `trusted_proxy` sets remote_addr from that
    # header only where the ini file names the proxy.
    attempts = request.registry.throttle.attempts(login, request.remote_addr)
    if wait := attempts.begin():
        request.registry.metrics.throttled_logins.inc()
        raise TooManyFailures(wait)
    if not passwords.matches(password, user and user.password_hash) or user is None:
        attempts.failed()
        record_failure(request, user.id if user else UNKNOWN, via)
        request.registry.metrics.wrong_logins.inc()
        log.info("a login failed, from %s", request.remote_addr)
        raise LoginRefused("wrong login or password")
    attempts.succeeded()
    record_success(request, user.id, via)
    if passwords.outdated(user.password_hash):
        users.rehash(request.db, user.id, user.password_hash, passwords.hash_password(password))
    return user


def record_success(request: Request, user_id: int, via: str) -> None:
    """Write the entry of a login, in the request's transaction."""
    set_principal(request, user_principal(user_id), via)
    audit.record(request.db, clock.now(), "login", User, user_id, {})


def record_failure(request: Request, user_id: int, via: str) -> None:
    """Write the entry of a failed login, in a transaction of its own: the request's is undone."""
    if request.db.principal is not None:
        with transaction_scope(request.registry.engine, principal_of(request, via)) as db:
            audit.record(db, clock.now(), "login failed", User, user_id, {})
