"""The loop of ``ar_targets_worker``: takes as many pictures as processes are free.

Each picture has a thread, which waits for its process, the database and the vision server. Threads
and signals tell the loop through a mailbox; it alone takes rows, extends leases, and waits for what
is away.
"""

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..db.engine import is_unavailability
from ..db.session import Scope
from ..models import backlog
from ..telemetry.request_context import Event
from ..vision_client import VisionAwayError, VisionBusyError
from . import lease
from .analysis import LEASE, AnalysisJob, DroppedError, Outcome
from .backfill import Backfill
from .lease import Lease
from .metrics import WorkerMetrics
from .outage import Outage

log = logging.getLogger(__name__)

# Seconds between two looks for pictures when there are none.
IDLE = 1.0
# Seconds that a stopped worker lets pictures come to their end, before it gives them back.
GRACE = 20.0
# Seconds between two lines about the progress.
PROGRESS = 30.0

# Seconds between two batches of the backfill.
BETWEEN = 0.05

# In the mailbox: a picture whose thread has ended, or that the worker is to end.
Ended = tuple[Lease, Outcome | BaseException]
STOP: Final = None


class Worker:
    """Works until it is told to `stop`."""

    def __init__(
        self, scope: Scope, job: AnalysisJob, processes: int, metrics: WorkerMetrics
    ) -> None:
        self._scope, self._job, self._processes, self._metrics = scope, job, processes, metrics
        self._backfill = Backfill(scope)
        self._database, self._vision = Outage("the database"), Outage("the vision server")
        # A signal handler may put into a SimpleQueue whatever the thread was doing.
        self._mailbox: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self._running: dict[tuple[int, str], Lease] = {}
        # To be given back without a try, once the database is there.
        self._owed: list[Lease] = []
        self._extended = self._told = time.monotonic()
        self._ended = 0
        self._stopped = False

    def stop(self) -> None:
        """Tell it to end; for signal handlers."""
        self._mailbox.put(STOP)

    def run(self) -> None:
        """Work until `stop`, then finish or give back what was taken."""
        while not self._stopped:
            self._receive(self._step())
        deadline = time.monotonic() + GRACE
        while self._running and (left := deadline - time.monotonic()) > 0:
            self._receive(min(left, IDLE))
            self._attempt(self._extend)
        self._owed += self._running.values()
        self._attempt(self._give_back)

    def _step(self) -> float:
        """Take what can be taken; the seconds to wait for the mailbox."""
        if wait := self._database.remaining():
            return wait
        more = self._attempt(self._look)
        self._attempt(self._tell)
        pause = BETWEEN if more else IDLE
        return pause * random.uniform(0.75, 1.25)  # noqa: S311  # no two at the same moments

    def _look(self) -> bool:
        """One look into the database; returns whether another one is due at once."""
        self._give_back()
        self._extend()
        more = self._backfill.step()
        free = self._processes - len(self._running)
        if self._vision.lasts:
            # One picture finds out whether it is back.
            free = 0 if self._running or self._vision.remaining() else 1
        for taken in self._job.take(free) if free > 0 else ():
            self._running[taken.key, taken.token] = taken
            threading.Thread(target=self._work, args=(taken,), daemon=True).start()
        return more

    def _attempt(self, work: Callable[[], object]) -> bool:
        """Whether something that needs the database said so; it may be away."""
        try:
            done = bool(work())
        except (DBAPIError, PoolTimeout) as error:
            self._database.report(getattr(error, "orig", error))
            return False
        self._database.end()
        return done

    def _work(self, taken: Lease) -> None:
        """A picture's thread."""
        begun = time.monotonic()
        try:
            outcome = self._job.run(taken)
        except BaseException as error:  # noqa: BLE001  # the loop looks at it
            self._mailbox.put((taken, error))
            return
        self._metrics.count(outcome, time.monotonic() - begun)
        self._mailbox.put((taken, outcome))

    def _receive(self, seconds: float) -> None:
        """Wait for a picture that has ended, or for a signal."""
        try:
            message = self._mailbox.get(timeout=seconds)
        except queue.Empty:
            return
        if message is STOP:
            self._stopped = True
            return
        taken, how = message
        del self._running[taken.key, taken.token]
        self._ended += 1
        if isinstance(how, BaseException):
            self._judge(taken, how)
        elif how == "done":
            self._vision.end()

    def _judge(self, taken: Lease, error: BaseException) -> None:
        """Decide what is to become of a picture whose thread has failed."""
        if isinstance(error, VisionAwayError | VisionBusyError):
            self._vision.report(error, getattr(error, "retry_after", 0))
        elif isinstance(error, PoolTimeout) or (
            isinstance(error, DBAPIError) and is_unavailability(error)
        ):
            self._database.report(getattr(error, "orig", error))
        else:
            log.error("target %s: an error of ours", taken.key, exc_info=error)
            self._attempt(lambda: self._count(taken, type(error).__name__))
            return
        self._owed.append(taken)

    def _count(self, taken: Lease, reason: str) -> None:
        """Count a try that has failed without a known reason."""
        with contextlib.suppress(DroppedError):
            self._job.failed_once(taken, reason)

    def _give_back(self) -> None:
        """Give back what was taken in vain."""
        while self._owed:
            lease.give_back(self._scope, self._owed[-1], counted=False)
            self._owed.pop()

    def _extend(self) -> None:
        """Extend the leases, three times within each."""
        if time.monotonic() - self._extended >= LEASE / 3:
            lease.extend(self._scope, list(self._running.values()), LEASE)
            self._extended = time.monotonic()

    def _tell(self) -> None:
        """The line about the progress, while there is any."""
        if not self._ended or time.monotonic() - self._told < PROGRESS:
            return
        with self._scope() as db:
            left = backlog.read(db)
        log.info(Event("progress", ended=self._ended, **left._asdict()))
        self._told, self._ended = time.monotonic(), 0
