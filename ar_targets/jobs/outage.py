"""What a worker cannot do without, while it is away: said once, and waited for."""

import logging
import random
import time

log = logging.getLogger(__name__)

# Bounds in seconds of the first pause, and of the longest.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0


class Outage:
    """Whether something is away, and when it is to be asked for again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun: float | None = None
        self._pause = FIRST_PAUSE
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Whether it was away when it was last asked."""
        return self._begun is not None

    def remaining(self) -> float:
        """Seconds until it is to be asked again; 0 if it is not away."""
        return max(0.0, self._until - time.monotonic()) if self.lasts else 0.0

    def report(self, reason: object, seconds: float = 0) -> None:
        """It is away; ``seconds`` is what it has asked us to wait. Each pause is longer."""
        now = time.monotonic()
        if self._begun is None:
            log.warning("%s is away, and is waited for: %s", self._name, reason)
            self._begun = now
        elif now < self._until:
            # Somebody else had asked meanwhile.
            return
        # Random, so that the workers of many machines do not all come back at once.
        self._until = now + max(seconds, self._pause * random.uniform(0.5, 1))  # noqa: S311
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)

    def end(self) -> None:
        """It has answered."""
        if self._begun is not None:
            log.info("%s is back after %.0f s", self._name, time.monotonic() - self._begun)
        self._begun, self._pause = None, FIRST_PAUSE
