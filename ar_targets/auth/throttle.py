"""Rate limits for failed logins, and for changes of users.

Failed logins are counted per login name and address together, so that nobody can lock another's
account from elsewhere; a success clears that count. They are also counted per address alone,
against an attacker who tries a few passwords on each of many logins; a success does not clear
that count, since the attacker may have an account. The limits library does the counting; its
storage is a setting, by default the application's database, which all processes and replicas
share.
"""

import hashlib
import ipaddress
import math
import time
from typing import Any

import limits
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from pyramid.config import Configurator
from sqlalchemy.engine import Engine

from ..models.user import login_key
from ..settings import Settings
from . import throttle_storage


class Attempts:
    """Rate limits for one login name from one address, and for that address alone."""

    def __init__(
        self,
        limiter: MovingWindowRateLimiter,
        settings: Settings,
        keys: tuple[str, str],
    ) -> None:
        self._limiter = limiter
        self._rate, self._address_rate = (
            settings.login_failures,
            settings.login_failures_per_address,
        )
        self._key, self._address_key = keys

    def begin(self) -> int:
        """Count an attempt before it is made, so that parallel attempts are limited too.

        Returns 0, or the seconds to wait if a limit is exceeded. The limit of the address counts
        failures only: successful logins from a shared address are not limited.
        """
        rate, key = self._address_rate, self._address_key
        if rate is not None and not self._limiter.test(rate, key):
            return seconds_to_wait(self._limiter, rate, key)
        if self._limiter.hit(self._rate, self._key):
            return 0
        return seconds_to_wait(self._limiter, self._rate, self._key)

    def succeeded(self) -> None:
        """Clear the count of this login name from this address."""
        self._limiter.clear(self._rate, self._key)

    def failed(self) -> None:
        """Count a failure for the address."""
        if self._address_rate is not None:
            self._limiter.hit(self._address_rate, self._address_key)


class Throttle:
    """All rate limits, with one storage; ``registry.throttle``."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        uri = settings.login_failure_storage
        own = uri.startswith(f"{throttle_storage.SCHEME}:")
        options: Any = {"engine": engine} if own else {}
        self._limiter = MovingWindowRateLimiter(storage_from_string(uri, **options))
        self._settings = settings

    def attempts(self, login: str, address: str | None) -> Attempts:
        """The limits for a login name, existing or not, from an address."""
        place = network(address).encode()
        keys = hashed(login_key(login) + place), hashed(b"address " + place)
        return Attempts(self._limiter, self._settings, keys)

    def change_user(self, address: str | None) -> int:
        """Count a change of a user from an address: 0, or the seconds to wait."""
        rate, key = self._settings.user_change_rate, hashed(b"user " + network(address).encode())
        if rate is None or self._limiter.hit(rate, key):
            return 0
        return seconds_to_wait(self._limiter, rate, key)


def seconds_to_wait(limiter: MovingWindowRateLimiter, rate: limits.RateLimitItem, key: str) -> int:
    """Seconds until the limit allows one more, at least 1."""
    reset = limiter.get_window_stats(rate, key).reset_time
    return max(1, math.ceil(reset - time.time()))


def network(address: str | None) -> str:
    """The part of an address that a client cannot vary: of IPv6 the /64 network.

    An IPv6 site has at least a network of 2⁶⁴ addresses (RFC 6177), and could use a new one for
    each guess.
    """
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        # A Unix socket, or a proxy's own name for its client.
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or f"{ip.packed[:8].hex()}/64")
    return str(ip)


def hashed(key: bytes) -> str:
    """The SHA-256 of a key: of fixed length, and the storage contains no login names."""
    return hashlib.sha256(key).hexdigest()


def includeme(config: Configurator) -> None:
    """Set ``registry.throttle``."""
    config.registry.throttle = Throttle(config.registry.ar_settings, config.registry.engine)
