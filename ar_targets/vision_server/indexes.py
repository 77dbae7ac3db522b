"""The indexes of projects in memory: loaded when asked for, and caught up before each answer."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine

from ..db.session import read_scope
from ..models import feature_set
from ..vision.features import FeatureSet
from ..vision.index import Index
from .metrics import Metrics

log = logging.getLogger(__name__)

# Of a loaded index, the share of targets that are gone which makes it worth to be loaded anew.
GONE_SHARE = 0.1
# Seconds to wait for a project's index: who waits holds a place that other projects need.
PATIENCE = 5.0


class IndexBusyError(Exception):
    """Others hold the project's index; the first answer about a large project takes long."""


class ProjectIndex:
    """The index of one project. Whoever uses it has its lock."""

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self.lock = threading.Lock()
        # Of `Indexes`: how many use it or wait for it, and its bytes when it was last caught up.
        self.users = 0
        self.nbytes = 0
        self._empty()

    def _empty(self) -> None:
        self._index = Index()
        # The revision up to which it knows the project.
        self._seen = 0
        self._loaded = False
        # Those in the index that have no features in the project any more.
        self._gone: set[int] = set()

    def catch_up(self, engine: Engine) -> bool:
        """Take in all that was committed until now. Whether that was the first time."""
        if len(self._gone) > len(self._index) * GONE_SHARE:
            self._empty()
        first, self._loaded = not self._loaded, True
        with read_scope(engine) as db:
            for sets in feature_set.since(db, self.project_id, self._seen):
                for one in sets:
                    self._index.add(one.target_id, FeatureSet.from_bytes(one.data))
                    self._gone.discard(one.target_id)
                self._seen = sets[-1].revision
        self.nbytes = self._index.nbytes
        return first

    def search(self, features: FeatureSet, exclude: set[int], count: int) -> list[int]:
        """Candidates, best first."""
        return self._index.search(features, exclude | self._gone, count)

    def forget(self, target_ids: set[int]) -> None:
        """Leave out targets that are purged or moved away, which a search has come upon.

        To remove one takes as long as a search: they stay until there are many.
        """
        self._gone |= target_ids


class Indexes:
    """All that are in memory. Any number of threads may use it."""

    def __init__(self, engine: Engine, limit: int, metrics: Metrics) -> None:
        """``limit`` is in bytes."""
        self._engine, self._limit, self._metrics = engine, limit, metrics
        # Those used longest ago come first.
        self._projects: OrderedDict[int, ProjectIndex] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, project_id: int) -> Iterator[ProjectIndex]:
        """The project's index, locked and caught up. Raises IndexBusyError."""
        project = self._taken(project_id)
        try:
            if not project.lock.acquire(timeout=PATIENCE):
                raise IndexBusyError(f"the index of project {project_id} is being loaded")
            try:
                if project.catch_up(self._engine):
                    self._metrics.loads.inc()
                yield project
            finally:
                project.lock.release()
        finally:
            self._given_back(project)

    def _taken(self, project_id: int) -> ProjectIndex:
        with self._lock:
            project = self._projects.setdefault(project_id, ProjectIndex(project_id))
            self._projects.move_to_end(project_id)
            project.users += 1
            return project

    def _given_back(self, project: ProjectIndex) -> None:
        with self._lock:
            project.users -= 1
            self._drop_some()
            self._metrics.indexes.set(len(self._projects))
            self._metrics.index_bytes.set(self._nbytes())

    def _nbytes(self) -> int:
        return sum(project.nbytes for project in self._projects.values())

    def _drop_some(self) -> None:
        """Stay within the limit. The one that was used last stays, however large it is."""
        *older, last = self._projects.values()
        for project in older:
            if self._nbytes() <= self._limit:
                return
            if not project.users:
                del self._projects[project.project_id]
                self._metrics.drops.inc()
                log.info("dropped the index of project %s", project.project_id)
        if last.nbytes > self._limit:
            log.warning(
                "the index of project %s alone takes %s bytes, above ar_targets.vision_memory",
                last.project_id,
                last.nbytes,
            )
