"""Many images at once: side by side, each failure told, nothing stored twice.

A creation whose connection was cut may or may not have been done. Before it
is repeated, in this run or the next, the project's list is searched for a
target of the same picture and description that was made since.
"""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .errors import (
    ApiError,
    ClientError,
    ForbiddenError,
    NotFoundError,
    OutcomeUnknownError,
    UnauthorizedError,
    UnreachableError,
)
from .journal import Journal, key_of
from .records import Target
from .rows import Row, SourceError
from .targets import Targets

# The clock of a proxy, which may have sent the Date, and that of the server may differ by as much.
CLOCKS_DIFFER = timedelta(seconds=5)
# What would happen to every row: the token, the project, or the server is at fault.
HOPELESS = (UnauthorizedError, ForbiddenError, NotFoundError, UnreachableError, OutcomeUnknownError)


class Outcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    # In an earlier run, or by an attempt that was cut.
    DONE = "done before"
    PRESENT = "present"
    FAILED = "failed"
    # Not tried, or not to its end: the next run goes on here.
    LEFT = "left"


@dataclass(frozen=True)
class Result:
    """What became of a row, the target that it is now, and else the reason."""

    row: Row
    outcome: Outcome
    target_id: int | None = None
    reason: str | None = None


class Upload:
    """Rows on their way into one project."""

    def __init__(
        self,
        targets: Targets,
        journal: Journal,
        *,
        parallel: int = 4,
        skip_existing: bool = False,
        on_result: Callable[[Result], None] | None = None,
    ) -> None:
        self.targets = targets
        self.journal = journal
        self.parallel = parallel
        self.skip_existing = skip_existing
        self.on_result = on_result
        # What ended the upload before its end, if anything did.
        self.stopped_by: BaseException | None = None
        self._stopping = threading.Event()
        self._present: dict[tuple[str, str], int] = {}
        self._since: datetime | None = None
        # Rows of the same picture go one after the other: each must know what the others became.
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def run(self, rows: Sequence[Row]) -> list[Result]:
        """Upload; the result of each row, in their order. See `stopped_by` afterwards."""
        self._since = self.targets.server_time()
        if self.skip_existing:
            self._present = {(t.sha256, t.description): t.id for t in self.targets.list()}
        with ThreadPoolExecutor(self.parallel) as pool:
            futures = {pool.submit(self._upload, row): row for row in rows}
            try:
                for future in as_completed(futures):
                    if self.on_result is not None:
                        self.on_result(future.result())
            except KeyboardInterrupt as interrupted:
                self._stop(interrupted)
            finally:
                # Those under way come to their end; see `_upload` for the rest.
                pool.shutdown(cancel_futures=self.stopped_by is not None)
        return [result_of(future, row) for future, row in futures.items()]

    def _stop(self, reason: BaseException) -> None:
        if self.stopped_by is None:
            self.stopped_by = reason
        self._stopping.set()
        self.targets.transport.stopping.set()

    def _upload(self, row: Row) -> Result:
        """One row, from the disk to the server."""
        if self._stopping.is_set():
            return Result(row, Outcome.LEFT)
        try:
            image = row.read()
        except SourceError as failed:
            return Result(row, Outcome.FAILED, reason=str(failed))
        try:
            return self._place(row, image)
        except HOPELESS as failed:
            self._stop(failed)
            return Result(row, Outcome.LEFT, reason=str(failed))
        except ClientError as refused:
            return Result(row, Outcome.FAILED, reason=str(refused))

    def _place(self, row: Row, image: bytes) -> Result:
        """One image, unless it is where it belongs."""
        sha256 = hashlib.sha256(image).hexdigest()
        key = key_of(self.targets.transport.server, self.targets.project_id, row, sha256)
        with self._guard:
            alike = self._locks[sha256, row.description]
        with alike:
            if target_id := self.journal.done(key):
                return Result(row, Outcome.DONE, target_id)
            if target_id := self._present.get((sha256, row.description)):
                return Result(row, Outcome.PRESENT, target_id)
            return self._create(row, image, sha256, key)

    def _create(self, row: Row, image: bytes, sha256: str, key: str) -> Result:
        """Create the target, unless an attempt that was cut has done so."""
        transport, attempt = self.targets.transport, 0
        unsettled, since = self.journal.sent_at(key)
        if unsettled:
            # An earlier run may have ended just now, and the server be at work on its request.
            transport.stopping.wait(transport.retry.first)
        while True:
            attempt += 1
            if unsettled and (found := self._find(row, sha256, since)):
                self.journal.finished(key, row, found.id)
                return Result(row, Outcome.DONE if attempt == 1 else Outcome.ADDED, found.id)
            if not unsettled:
                since = self._since
            self.journal.sending(key, row, since)
            try:
                made = self.targets.create(image, row.description)
            except OutcomeUnknownError as unknown:
                unsettled = True
                pause = transport.retry.pause(attempt, unknown.retry_after)
                if pause is None or not transport.wait(pause, unknown):
                    raise
            except (ApiError, UnreachableError):
                # Neither says anything of an attempt before this one, but that was looked up.
                self.journal.refused(key, row)
                raise
            else:
                self.journal.finished(key, row, made.id)
                return Result(row, Outcome.ADDED, made.id)

    def _find(self, row: Row, sha256: str, since: datetime | None) -> Target | None:
        """The target that a row has become, by an attempt that nobody answered."""
        claimed = self.journal.claimed()
        for target in self.targets.list():
            if (
                (target.sha256, target.description) == (sha256, row.description)
                and target.id not in claimed
                and (since is None or target.created_at >= since - CLOCKS_DIFFER)
            ):
                return target
        return None


def result_of(future: Future[Result], row: Row) -> Result:
    """A finished row's result; a cancelled one's as well."""
    try:
        return future.result()
    except CancelledError:
        return Result(row, Outcome.LEFT)


def count(results: Iterable[Result], *outcomes: Outcome) -> int:
    """How many rows came to one of these ends."""
    return sum(result.outcome in outcomes for result in results)
