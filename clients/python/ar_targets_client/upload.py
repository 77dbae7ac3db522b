"""Parallel upload of many images; none is stored twice.

Each creation has an idempotency key, which the journal keeps: however often it is sent, in this
run or the next, the server does it once, within 24 hours. After that, or with another token, the
project's targets are searched for one with the same image, name and description, created since.

A name that another target of the project has is taken: such a row fails, or is left
out, or its image replaces the target's, as the caller chooses. So does the caller for pictures
that are hard to track, or resemble the project's.
"""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from .analysis import Similar, SimilarTargetError, named
from .errors import HOPELESS, ApiError, ClientError, ConflictError, NotFoundError
from .journal import Journal, Sent, key_of
from .names import folded
from .records import Target
from .rows import Row, SourceError
from .targets import Targets
from .transport import KEY_HEADER, new_key

# Tolerance between the server's clock and that of the Date header, which may be a proxy's.
CLOCKS_DIFFER = timedelta(seconds=5)
# How long a key is sent again: the server's 24 hours, but for the time that attempts may take.
KEY_LASTS = timedelta(hours=23)


class Outcome(StrEnum):
    """The outcome of a row."""

    ADDED = "added"
    # The image of the target with the row's name.
    REPLACED = "replaced"
    # In an earlier run.
    DONE = "done before"
    PRESENT = "present"
    # Its name, by another target.
    TAKEN = "taken"
    # Its picture's rating, below the one that is asked for.
    LOW = "low rating"
    # Its picture, to that of a target of the project.
    SIMILAR = "similar"
    FAILED = "failed"
    # Not sent, or outcome unknown: the next run resumes here.
    LEFT = "left"


@dataclass(frozen=True)
class Result:
    """A row's outcome, with the target's id, or the reason why there is none.

    ``converted``: the format that the file was converted from, if it was. ``similar``: the targets
    for which the picture may be taken, where it is refused for them.
    """

    row: Row
    outcome: Outcome
    target_id: int | None = None
    reason: str | None = None
    converted: str | None = None
    similar: tuple[Similar, ...] = ()


@dataclass(frozen=True)
class Job:
    """A row with its JPEG, and its key in the journal."""

    row: Row
    image: bytes
    sha256: str
    key: str
    converted: str | None

    def result(
        self,
        outcome: Outcome,
        target_id: int | None = None,
        reason: str | None = None,
        similar: tuple[Similar, ...] = (),
    ) -> Result:
        """The result of the row."""
        return Result(self.row, outcome, target_id, reason, self.converted, similar)


class Present:
    """What a project had before an upload: its targets by name, or picture and description."""

    def __init__(self, targets: Iterable[Target] = (), *, pictures: bool = False) -> None:
        self.by_name: dict[str, Target] = {}
        self.by_picture: dict[tuple[str, str], Target] = {}
        self.nameless: dict[tuple[str, str], Target] = {}
        for target in targets:
            if target.name is not None:
                self.by_name[folded(target.name)] = target
            if pictures:
                picture = (target.sha256, target.description)
                self.by_picture[picture] = target
                if target.name is None:
                    self.nameless[picture] = target

    def find(self, job: Job) -> Target | None:
        """The target that a row is: of its name, or of its picture where one has no name."""
        picture = (job.sha256, job.row.description)
        if job.row.target_name is None:
            return self.by_picture.get(picture)
        return self.named(job.row) or self.nameless.get(picture)

    def named(self, row: Row) -> Target | None:
        """The target that has the row's name."""
        return self.by_name.get(folded(row.target_name or ""))


class Upload:
    """Uploads rows to one project.

    ``skip_existing``: leaves out rows whose name is taken; where the row or a target has no
    name, those whose picture and description the project has. ``replace``: replaces the image
    of the target that has the row's name, and keeps its other fields. ``min_rating``: has each
    picture analysed before it is sent, and refuses those with fewer stars. ``allow_similar``:
    whether pictures are added that may be taken for a target of the project.
    """

    def __init__(
        self,
        targets: Targets,
        journal: Journal,
        *,
        parallel: int = 4,
        skip_existing: bool = False,
        replace: bool = False,
        min_rating: int | None = None,
        allow_similar: bool = True,
        on_result: Callable[[Result], None] | None = None,
    ) -> None:
        self.targets = targets
        self.journal = journal
        self.parallel = parallel
        self.skip_existing = skip_existing
        self.replace = replace
        self.min_rating = min_rating
        self.allow_similar = allow_similar
        self.on_result = on_result
        # The exception that stopped the upload early, if any.
        self.stopped_by: BaseException | None = None
        self._stopping = threading.Event()
        self._present = Present()
        # When the run began: by the server's clock, and by this machine's.
        self._since: datetime | None = None
        self._started = datetime.now(UTC)
        # Of the token, which is not to be in a journal.
        self._token_sha256 = hashlib.sha256((targets.transport.token or "").encode()).hexdigest()
        # Rows with the same image and description are uploaded one after the other: each must know
        # the targets of the others.
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def run(self, rows: Sequence[Row]) -> list[Result]:
        """Upload the rows; their results in the same order. See `stopped_by` afterwards."""
        self._since, self._started = self.targets.server_time(), datetime.now(UTC)
        if self.skip_existing or self.replace:
            self._present = Present(self.targets.list(), pictures=self.skip_existing)
        with ThreadPoolExecutor(self.parallel) as pool:
            futures = {
                pool.submit(self._upload, row, first): row for row, first in with_first(rows)
            }
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

    def _upload(self, row: Row, first: Row | None) -> Result:
        """Read and upload one row; ``first`` is an earlier one with its name, if any."""
        if self._stopping.is_set():
            return Result(row, Outcome.LEFT)
        try:
            return self._place(row, row.read(), first)
        except SourceError as failed:
            return Result(row, Outcome.FAILED, reason=str(failed))
        except HOPELESS as failed:
            self._stop(failed)
            return Result(row, Outcome.LEFT, reason=str(failed))
        except ClientError as refused:
            return Result(row, Outcome.FAILED, reason=str(refused))

    def _place(self, row: Row, data: bytes, first: Row | None) -> Result:
        """Upload a file unless the journal has it already."""
        read = hashlib.sha256(data).hexdigest()
        key = key_of(self.targets.transport.server, self.targets.project_id, row, read)
        with self._guard:
            alike = self._locks[read, row.description]
        with alike:
            done = self.journal.done(key)
            if done and not (self.replace and self._present.named(row)):
                return Result(row, Outcome.DONE, done)
            if first is not None:
                outcome = Outcome.PRESENT if self.skip_existing else Outcome.TAKEN
                reason = f"its name {row.target_name!r} is taken by {first.name}"
                return Result(row, outcome, reason=reason)
            image, converted = row.jpeg(data)
            sha256 = hashlib.sha256(image).hexdigest() if converted else read
            return self._create(Job(row, image, sha256, key, converted))

    def _create(self, job: Job) -> Result:
        """Create the target, unless an earlier run has done so, or the project has it."""
        earlier = self.journal.sent(job.key)
        if earlier and self._is_known(earlier):
            return self._send(job, earlier)
        if earlier and (made := self._find(job, earlier)):
            return self._finish(job, made, Outcome.DONE)
        if present := self._present.find(job):
            return self._keep(job, present)
        if low := self._low(job):
            return low
        sent = Sent(self._since, job.sha256, new_key(), self._token_sha256)
        self.journal.sending(job.key, job.row, sent)
        return self._send(job, sent)

    def _is_known(self, sent: Sent) -> bool:
        """Whether the server still knows the key of an attempt, if that was done."""
        if sent.idempotency_key is None or sent.token_sha256 != self._token_sha256:
            return False
        if sent.since is None or self._since is None:
            return False
        now = self._since + (datetime.now(UTC) - self._started)
        return now - sent.since < KEY_LASTS

    def _low(self, job: Job) -> Result | None:
        """The refusal of a row whose picture has a low rating; None if it has not."""
        if self.min_rating is None:
            return None
        why = self.targets.check(job.image).why_below(self.min_rating)
        return None if why is None else job.result(Outcome.LOW, reason=why)

    def _send(self, job: Job, sent: Sent) -> Result:
        """Create the target, or learn that an earlier attempt with the same key has done so."""
        try:
            made = self.targets.create(
                job.image,
                job.row.description,
                allow_similar=self.allow_similar,
                idempotency_key=sent.idempotency_key,
                **job.row.fields,
            )
        except ApiError as refused:
            return self._refused(job, refused, sent)
        return self._finish(job, made, Outcome.ADDED)

    def _refused(self, job: Job, refused: ApiError, sent: Sent) -> Result:
        """The outcome of a row that the server refuses, or the error."""
        if KEY_HEADER in refused.fields and (made := self._find(job, sent)):
            # Done by an earlier run; its answer is lost, or its conversion gave other bytes.
            return self._finish(job, made, Outcome.DONE)
        if isinstance(refused, SimilarTargetError):
            # A server that compares pictures knows keys: no earlier attempt has been done.
            self.journal.refused(job.key, job.row)
            reason = f"it may be taken for {named(refused.similar) or 'another target'}"
            return job.result(Outcome.SIMILAR, reason=reason, similar=refused.similar)
        taken = isinstance(refused, ConflictError) and "name" in refused.fields
        if refused.after_cut and not taken:
            raise refused
        self.journal.refused(job.key, job.row)
        if KEY_HEADER in refused.fields:
            return job.result(Outcome.FAILED, reason=str(refused))
        if not taken:
            raise refused
        name = job.row.target_name or ""
        if self.skip_existing or self.replace:
            for target in self.targets.list(name=name):
                return self._keep(job, target)
        return job.result(Outcome.TAKEN, reason=f"its name {name!r} is taken")

    def _finish(self, job: Job, target: Target, outcome: Outcome) -> Result:
        """Record that a row has become a target."""
        self.journal.finished(job.key, job.row, target.id)
        return job.result(outcome, target.id)

    def _find(self, job: Job, sent: Sent) -> Target | None:
        """The target that an earlier run's attempt has created; None if there is none."""
        claimed = self.journal.claimed()
        name = job.row.target_name
        for target in self.targets.list(sha256=sent.sha256 or job.sha256):
            if (
                target.description == job.row.description
                and folded(target.name or "") == folded(name or "")
                and target.id not in claimed
                and (sent.since is None or target.created_at >= sent.since - CLOCKS_DIFFER)
            ):
                return target
        return None

    def _keep(self, job: Job, present: Target) -> Result:
        """Leave a row out, or replace the image of the target that the project has."""
        if not self.replace:
            return job.result(Outcome.PRESENT, present.id)
        if present.sha256 == job.sha256:
            done = self.journal.done(job.key) == present.id
            return self._finish(job, present, Outcome.DONE if done else Outcome.PRESENT)
        if low := self._low(job):
            return low
        try:
            replaced = self.targets.replace_image(present.id, job.image)
        except NotFoundError:
            reason = "the target that has its name was deleted meanwhile; try again"
            return job.result(Outcome.FAILED, reason=reason)
        return self._finish(job, replaced, Outcome.REPLACED)


def with_first(rows: Iterable[Row]) -> Iterator[tuple[Row, Row | None]]:
    """Each row with the first one before it that has the same name; None if there is none."""
    seen: dict[str, Row] = {}
    for row in rows:
        name = folded(row.target_name or "")
        yield row, seen.get(name)
        if name:
            seen.setdefault(name, row)


def result_of(future: Future[Result], row: Row) -> Result:
    """The result of a finished or cancelled row."""
    try:
        return future.result()
    except CancelledError:
        return Result(row, Outcome.LEFT)


def count(results: Iterable[Result], *outcomes: Outcome) -> int:
    """How many results have one of these outcomes."""
    return sum(result.outcome in outcomes for result in results)
