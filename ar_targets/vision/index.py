"""Which of a project's targets may look like a picture: an index of their features, in memory.

It keeps descriptors and hashes alone. What it finds are candidates; `matching` verifies them with
their feature sets, which the caller keeps elsewhere.

The descriptors are in faiss's inverted lists, as bytes. Few are in one list, so that all are
compared; more are divided among lists, of which a search reads the nearest `_PROBES`. The same
calls in the same order make the same index.
"""

from collections.abc import Iterable
from math import sqrt

import faiss
import numpy as np
from faiss.contrib.inspect_tools import get_invlist
from numpy.typing import NDArray

from .arrays import Bytes, Floats, Int64s, UInt64s
from .features import FeatureSet
from .phash import NEAR, distances, phash

_DIMENSIONS = 128
# Of a slot: the ids in faiss are slot × 512 + number of the feature.
_SLOT_BITS = 9
# So many descriptors are in one list; it is divided anew whenever they are `_GROWTH` times as many.
_FLAT = 10_000
_GROWTH = 4
_PROBES = 16
# More make searching quicker, and adding slower: each descriptor is compared with all of them.
_MOST_LISTS = 2048
# Of k-means.
_TRAINING_PER_LIST = 40
_ROUNDS = 10
_SEED = 1
# Of memory a descriptor: 136 for its bytes and its id, and as much for room to grow. Measured with
# 1.3 million: 290.
_BYTES = 290
# Neighbours of each feature that vote.
_NEIGHBOURS = 8
# A distance between features of different things.
_FAR = 300.0
# Votes that a target has by chance at most.
_MANY = 50.0
# Candidates by their votes, beside those that are like them by hash.
_VOTED = 24
# Candidates in all.
COUNT = 100


class Index:
    """Not for several threads at once; the caller has a lock."""

    def __init__(self) -> None:
        self._slot_of: dict[int, int] = {}
        self._free: list[int] = []
        # By slot.
        self._targets: Int64s = np.zeros(0, np.int64)
        self._hashes: UInt64s = np.zeros(0, np.uint64)
        self._live: Bytes = np.zeros(0, np.uint8)
        self._lists = _lists(np.zeros((1, _DIMENSIONS), np.float32))
        self._divide_at = _FLAT

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, target: int) -> bool:
        return target in self._slot_of

    @property
    def nbytes(self) -> int:
        """An estimate of the memory it takes."""
        return int(self._lists.ntotal) * _BYTES + len(self._targets) * 200 + 100_000

    def add(self, target: int, features: FeatureSet) -> None:
        """Add a target, or replace its features."""
        _one_thread()
        self.remove(target)
        slot = self._take_slot()
        self._slot_of[target] = slot
        self._targets[slot] = target
        self._hashes[slot] = features.phash
        self._live[slot] = 1
        if len(features):
            ids = (slot << _SLOT_BITS) + np.arange(len(features), dtype=np.int64)
            self._lists.add_with_ids(features.descriptors.astype(np.float32), ids)
        if self._lists.ntotal > self._divide_at:
            self._divide()

    def remove(self, target: int) -> None:
        """Remove a target, if it is there."""
        slot = self._slot_of.pop(target, None)
        if slot is None:
            return
        self._live[slot] = 0
        self._free.append(slot)
        first = slot << _SLOT_BITS
        self._lists.remove_ids(faiss.IDSelectorRange(first, first + (1 << _SLOT_BITS)))

    def search(
        self, features: FeatureSet, exclude: Iterable[int] = (), count: int = COUNT
    ) -> list[int]:
        """The targets most like a picture, the likeliest first, at most so many.

        Those in ``exclude`` are not among them, and take no other's place.
        """
        _one_thread()
        wanted = self._live.copy()
        wanted[[self._slot_of[one] for one in exclude if one in self._slot_of]] = 0
        found: list[int] = []
        for quarter in range(4):  # turned, simple pictures are found by nothing else
            turned = phash(np.rot90(features.thumbnail, quarter))
            found += self._take(self._alike(turned, wanted), wanted)
        crowded = True
        while crowded and len(found) < count:
            slots, votes = self._voted(features.descriptors, wanted)
            # Where as many as there are votes have many, they may hide others.
            crowded = int((votes > _MANY).sum()) >= _NEIGHBOURS
            for slot in slots:
                if wanted[slot]:
                    # Of identical copies some get no vote; their hashes are the same.
                    copies = self._alike(int(self._hashes[slot]), wanted)
                    found += self._take(np.concatenate([[slot], copies[copies != slot]]), wanted)
        return [int(target) for target in self._targets[found[:count]]]

    def _take(self, slots: Int64s, wanted: Bytes) -> list[int]:
        wanted[slots] = 0
        return [int(slot) for slot in slots]

    def _alike(self, bits: int, wanted: Bytes) -> Int64s:
        """The slots whose hashes are near, nearest first."""
        apart = distances(bits, self._hashes)
        (slots,) = np.nonzero((apart <= NEAR) & (wanted > 0))
        return slots[np.lexsort((self._targets[slots], apart[slots]))].astype(np.int64)

    def _voted(self, descriptors: Bytes, wanted: Bytes) -> tuple[Int64s, NDArray[np.float64]]:
        """The slots for which the picture's features vote, most votes first, and the votes."""
        if not len(descriptors) or not wanted.any():
            return np.zeros(0, np.int64), np.zeros(0, np.float64)
        # A bit for each id in faiss.
        bitmap = np.repeat(wanted * np.uint8(255), (1 << _SLOT_BITS) // 8)
        among = faiss.SearchParametersIVF(sel=faiss.IDSelectorBitmap(bitmap), nprobe=_PROBES)
        squares, ids = self._lists.search(descriptors.astype(np.float32), _NEIGHBOURS, params=among)
        near = np.sqrt(squares)
        # A neighbour's weight is how much nearer it is than the last one, or than what is far:
        # of many copies all are near.
        weights = np.clip(1 - near / np.maximum(near[:, -1:], _FAR), 0, 1)
        rows, columns = np.nonzero(ids >= 0)
        slots: Int64s = ids[rows, columns] >> _SLOT_BITS
        # Each feature votes for a target once, by the nearest.
        _, first = np.unique(rows * len(wanted) + slots, return_index=True)
        votes = np.bincount(slots[first], weights[rows, columns][first], len(wanted))
        (voted,) = np.nonzero(votes)
        order = np.lexsort((self._targets[voted], -votes[voted]))
        best: Int64s = voted[order[:_VOTED]].astype(np.int64)
        return best, votes[best].astype(np.float64)

    def _take_slot(self) -> int:
        if self._free:
            return self._free.pop()
        slot = len(self._slot_of)
        if slot == len(self._targets):
            size = max(64, slot * 5 // 4)
            more = size - slot
            self._targets = np.pad(self._targets, (0, more))
            self._hashes = np.pad(self._hashes, (0, more))
            self._live = np.pad(self._live, (0, more))
        return slot

    def _divide(self) -> None:
        """Divide the descriptors among new lists: twice the root of their number."""
        old, total = self._lists, self._lists.ntotal
        self._divide_at = total * _GROWTH
        lists = min(round(2 * sqrt(total)), _MOST_LISTS)
        parts = [get_invlist(old.invlists, number) for number in range(old.nlist)]
        every = max(1, total // (lists * _TRAINING_PER_LIST))
        sample = np.concatenate([codes.reshape(-1, _DIMENSIONS) for _, codes in parts])[::every]
        means = faiss.Kmeans(
            _DIMENSIONS, lists, niter=_ROUNDS, seed=_SEED, min_points_per_centroid=1
        )
        means.train(sample.astype(np.float32))
        self._lists = _lists(means.centroids)
        for ids, codes in parts:
            if len(ids):
                self._lists.add_with_ids(codes.reshape(-1, _DIMENSIONS).astype(np.float32), ids)


def _one_thread() -> None:
    """Keep faiss to one thread. OpenMP has this number for each thread that calls."""
    faiss.omp_set_num_threads(1)


def _lists(centroids: Floats) -> faiss.IndexIVFScalarQuantizer:
    """Empty inverted lists around centroids."""
    quantizer = faiss.IndexFlatL2(_DIMENSIONS)
    quantizer.add(centroids)
    by_residual = False  # bytes as they are
    kind = faiss.ScalarQuantizer.QT_8bit_direct
    made = faiss.IndexIVFScalarQuantizer(
        quantizer, _DIMENSIONS, len(centroids), kind, faiss.METRIC_L2, by_residual
    )
    made.train(centroids)  # nothing is learnt: the centroids are there
    return made
