"""How often, and after how long, a request is retried."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from .dates import http_date


@dataclass(frozen=True)
class Retry:
    """``attempts`` in total; waits double from ``first`` to ``longest`` seconds.

    A Retry-After of more than ``longest_asked`` seconds is not waited for.
    """

    attempts: int = 5
    first: float = 0.5
    longest: float = 8.0
    longest_asked: float = 30.0

    def pause(self, attempt: int, asked: float | None = None) -> float | None:
        """Seconds to wait after the failed ``attempt``, counted from 1; None to give up.

        ``asked``: the seconds of the server's Retry-After.
        """
        if attempt >= self.attempts or (asked or 0) > self.longest_asked:
            return None
        longest = min(self.longest, self.first * 2.0 ** (attempt - 1))
        # Jitter: clients that failed together should not retry together.
        return max(asked or 0, longest * random.uniform(0.5, 1))  # noqa: S311


def retry_after(header: str | None) -> float | None:
    """Seconds from a ``Retry-After`` header, a number or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    moment = http_date(header)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())
