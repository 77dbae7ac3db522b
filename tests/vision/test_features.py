"""Features: what they hold, as bytes, and that they are the same everywhere."""

import hashlib
import os
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from ar_targets.vision.features import UNIT, FeatureSet, extract
from tests.vision.copies import CHINESE, FLOWERS, features


def digest(found):
    return hashlib.sha256(found.to_bytes()).hexdigest()


def test_a_photograph_has_its_strongest_features_at_two_sizes():
    found = features(CHINESE)
    assert (found.width, found.height) == (640, 427)
    assert len(found) == 500
    assert found.descriptors.shape == (500, 128)
    assert found.descriptors.dtype == np.uint8
    # Rooted and scaled: each has the length 512.
    assert np.linalg.norm(found.descriptors.astype(float), axis=1) == pytest.approx(512, rel=0.02)


def test_points_are_in_a_unit_of_their_own():
    found, half = features(CHINESE), features(cv2.resize(CHINESE, (320, 214)))
    for one in (found, half):
        assert (one.points[:, :2] >= 0).all()
        assert (one.points[:, 0] <= UNIT).all()
        assert (one.points[:, 1] <= UNIT * 0.68).all()
        assert (one.points[:, 2] > 0).all()
    assert found.points[:, 0].mean() == pytest.approx(half.points[:, 0].mean(), abs=20)


def test_bytes_and_back():
    found = features(FLOWERS)
    again = FeatureSet.from_bytes(found.to_bytes())
    assert again.to_bytes() == found.to_bytes()
    assert (again.width, again.height, again.phash) == (640, 427, found.phash)
    assert np.array_equal(again.thumbnail, found.thumbnail)
    assert np.array_equal(again.points, found.points)
    assert np.array_equal(again.descriptors, found.descriptors)


def test_a_picture_without_features():
    found = extract(np.full((30, 40), 200, np.uint8), 40, 30)
    assert len(found) == 0
    assert len(FeatureSet.from_bytes(found.to_bytes())) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 2), (7, 9)])
def test_a_picture_of_any_shape(shape):
    noise = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    found = extract(noise, shape[1], shape[0])
    assert FeatureSet.from_bytes(found.to_bytes()).height == shape[0]


GOOD = features(FLOWERS).to_bytes()


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        GOOD[:3],
        GOOD[:20],
        GOOD[:-1],
        GOOD + b"\0",
        b"XXXX" + GOOD[4:],
        GOOD[:1000] + bytes([GOOD[1000] ^ 1]) + GOOD[1001:],
        # A count that is not that of the features, with a sum that is right.
        (body := GOOD[:20] + b"\xff" + GOOD[21:-4]) + zlib.crc32(body).to_bytes(4, "little"),
    ],
)
def test_damaged_bytes_are_refused(bad):
    with pytest.raises(ValueError, match="features"):
        FeatureSet.from_bytes(bad)


SCRIPT = """
import cv2
from tests.vision.copies import CHINESE, features
from tests.vision.test_features import digest
cv2.setNumThreads({threads})
print(digest(features(CHINESE)))
"""


@pytest.mark.parametrize("threads", [1, 4])
def test_another_process_finds_the_same_on_any_number_of_threads(threads):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(threads=threads)],
        env=os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(features(CHINESE)) == digest(features(CHINESE))
