"""Parallel upload of many images; none is stored twice.

A creation that lost its connection may or may not have been done. Before it is
retried, in this run or the next, the project's targets are searched for one with
the same image and description that was created since.
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

# Tolerance between the server's clock and that of the Date header, which may be a proxy's.
CLOCKS_DIFFER = timedelta(seconds=5)
# Errors that every row would meet: of the token, the project, or the server.
HOPELESS = (UnauthorizedError, ForbiddenError, NotFoundError, UnreachableError, OutcomeUnknownError)


class Outcome(StrEnum):
    """The outcome of a row."""

    ADDED = "added"
    # In an earlier run, or by an attempt that lost its connection.
    DONE = "done before"
    PRESENT = "present"
    FAILED = "failed"
    # Not sent, or outcome unknown: the next run resumes here.
    LEFT = "left"


@dataclass(frozen=True)
class Result:
    """A row's outcome, with the target's id, or the reason why there is none."""

    row: Row
    outcome: Outcome
    target_id: int | None = None
    reason: str | None = None


class Upload:
    """Uploads rows to one project."""

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
        # The exception that stopped the upload early, if any.
        self.stopped_by: BaseException | None = None
        self._stopping = threading.Event()
        self._present: dict[tuple[str, str], int] = {}
        self._since: datetime | None = None
        # Rows with the same image and description are uploaded one after the other: each must know
        # the targets of the others.
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def run(self, rows: Sequence[Row]) -> list[Result]:
        """Upload the rows; their results in the same order. See `stopped_by` afterwards."""
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
                # Running uploads finish; `_upload` skips those that start later.
                pool.shutdown(cancel_futures=self.stopped_by is not None)
        return [result_of(future, row) for future, row in futures.items()]

    def _stop(self, reason: BaseException) -> None:
        if self.stopped_by is None:
            self.stopped_by = reason
        self._stopping.set()
        self.targets.transport.stopping.set()

    def _upload(self, row: Row) -> Result:
        """Read and upload one row."""
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
        """Upload an image unless the journal or the project has it already."""
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
        """Create the target, unless an earlier attempt has done so."""
        transport, attempt = self.targets.transport, 0
        unsettled, since = self.journal.sent_at(key)
        if unsettled:
            # The server may still be processing the request of a run that has just ended.
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
                # This attempt did nothing, and `_find` has excluded the earlier ones.
                self.journal.refused(key, row)
                raise
            else:
                self.journal.finished(key, row, made.id)
                return Result(row, Outcome.ADDED, made.id)

    def _find(self, row: Row, sha256: str, since: datetime | None) -> Target | None:
        """The target that an attempt without a response has created; None if there is none."""
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
    """The result of a finished or cancelled row."""
    try:
        return future.result()
    except CancelledError:
        return Result(row, Outcome.LEFT)


def count(results: Iterable[Result], *outcomes: Outcome) -> int:
    """How many results have one of these outcomes."""
    return sum(result.outcome in outcomes for result in results)
