"""Which of a project's targets are similar to a picture."""

from collections.abc import Callable, Sequence

from sqlalchemy.engine import Engine

from ..db.session import read_scope
from ..models import feature_set
from ..models.feature_set import Standing
from ..vision.features import FeatureSet
from ..vision.matching import SIMILAR, similarity
from ..vision_client import Similar
from .indexes import Indexes

# Targets that are named: to who checks a picture, and to the worker.
FEW, MANY = 20, 50
# Candidates that are compared; of a picture that a project has thousands of times, the first ones.
COMPARED = 60


class NoFeaturesError(Exception):
    """The target has no features, or is not in the project."""


class Similarities:
    """Answers for any number of threads."""

    def __init__(self, engine: Engine, indexes: Indexes) -> None:
        self._engine, self._indexes = engine, indexes

    def of_picture(self, project_id: int, features: FeatureSet) -> list[Similar]:
        """The live targets that are similar, best first."""
        candidates = self._candidates(project_id, features, set(), lambda one: one.live)
        return self._compared(project_id, features, candidates)[:FEW]

    def of_target(self, project_id: int, target_id: int) -> list[Similar]:
        """The other targets that are similar to one, deleted ones too. Raises NoFeaturesError."""
        with read_scope(self._engine) as db:
            stored = feature_set.data(db, project_id, [target_id])
        if not stored:
            raise NoFeaturesError
        features = FeatureSet.from_bytes(stored[target_id])
        candidates = self._candidates(project_id, features, {target_id}, lambda _: True)
        return self._compared(project_id, features, candidates)[:MANY]

    def _candidates(
        self,
        project_id: int,
        features: FeatureSet,
        exclude: set[int],
        wanted: Callable[[Standing], bool],
    ) -> list[int]:
        """The targets that may be similar.

        The index is not told of a deletion or a move: the database is asked what has become of
        those that it names, and it is searched again without the others, which must not take the
        place of better ones.
        """
        count = COMPARED
        with self._indexes.of(project_id) as index:
            while found := index.search(features, exclude, count):
                with read_scope(self._engine) as db:
                    standings = feature_set.standings(db, project_id, found)
                index.forget(set(found) - standings.keys())
                useless = {
                    target_id
                    for target_id in found
                    if target_id not in standings
                    or not standings[target_id].current
                    or not wanted(standings[target_id])
                }
                if not useless:
                    break
                exclude |= useless
                # Of a picture that was stored and deleted many times, few rounds shall find all.
                count *= 4
            return found[:COMPARED]

    def _compared(
        self, project_id: int, features: FeatureSet, candidates: Sequence[int]
    ) -> list[Similar]:
        """Those of the candidates that are similar, best first."""
        with read_scope(self._engine) as db:
            stored = feature_set.data(db, project_id, candidates)
        values = {
            target_id: similarity(features, FeatureSet.from_bytes(data))
            for target_id, data in stored.items()
        }
        found = [Similar(target_id, value) for target_id, value in values.items()]
        return sorted(
            (one for one in found if one.value >= SIMILAR), key=lambda one: (-one.value, one.id)
        )
