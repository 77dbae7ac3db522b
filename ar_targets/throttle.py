"""Slows down those who guess passwords.

Failures are counted for a login and an address together, so that nobody can
lock another's account from elsewhere; a success forgets them. The counting
is the limits library's; its storage is a setting, by default our own database,
which all processes and replicas share.
"""

import hashlib
import math
import time
from typing import Any

import limits
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from pyramid.config import Configurator
from sqlalchemy.engine import Engine

from . import throttle_storage
from .models.user import login_key


class Attempts:
    """The failed logins of one login name from one address."""

    def __init__(
        self, limiter: MovingWindowRateLimiter, rate: limits.RateLimitItem, key: str
    ) -> None:
        self._limiter, self._rate, self._key = limiter, rate, key

    def begin(self) -> int:
        """Count an attempt before it is made, so that many at once cannot slip through.

        Returns 0, or where there were too many the seconds to wait.
        """
        if self._limiter.hit(self._rate, self._key):
            return 0
        reset = self._limiter.get_window_stats(self._rate, self._key).reset_time
        return max(1, math.ceil(reset - time.time()))

    def succeeded(self) -> None:
        """Forget the failures: who knows the password does not guess."""
        self._limiter.clear(self._rate, self._key)


class Throttle:
    """All failed logins."""

    def __init__(self, rate: limits.RateLimitItem, storage_uri: str, engine: Engine) -> None:
        self._rate = rate
        own = storage_uri.startswith(f"{throttle_storage.SCHEME}:")
        options: Any = {"engine": engine} if own else {}
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage_uri, **options))

    def attempts(self, login: str, address: str | None) -> Attempts:
        """Those of a login name, existing or not, from an address.

        The key is a hash: short whatever was sent, and no list of logins to steal.
        """
        key = hashlib.sha256(login_key(login) + (address or "").encode()).hexdigest()
        return Attempts(self._limiter, self._rate, key)


def includeme(config: Configurator) -> None:
    """Set ``registry.throttle``."""
    settings = config.registry.ar_settings
    config.registry.throttle = Throttle(
        settings.login_failures, settings.login_failure_storage, config.registry.engine
    )
