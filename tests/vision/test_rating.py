"""Pictures are judged, and always alike."""

import cv2
import numpy as np
import pytest

from ar_targets.vision.assessment import Assessment
from ar_targets.vision.examine import examine
from ar_targets.vision.picture import PictureError, decode
from ar_targets.vision.rating import THRESHOLDS, rating_of

from ..pictures import CHINA, FLOWER, HEIGHT, WIDTH


def jpeg_of(grey, quality=90):
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


@pytest.fixture(scope="module")
def china() -> Assessment:
    return examine(CHINA).assessment


@pytest.fixture(scope="module")
def flat() -> Assessment:
    return examine(jpeg_of(np.full((480, 640), 128, np.uint8))).assessment


def heatmap_of(assessment):
    return cv2.imdecode(np.frombuffer(assessment.heatmap, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_good_photograph_is_found(china):
    assert china.trackability >= 65
    assert china.rating >= 4
    assert china.features == 800


def test_what_has_nothing_on_it_is_not(flat):
    assert (flat.trackability, flat.rating, flat.features) == (0, 0, 0)
    assert not heatmap_of(flat).any()


def test_the_heatmap_has_the_pictures_shape(china):
    shown = heatmap_of(china)
    assert shown.dtype == np.uint8
    assert shown.shape == (round(64 * HEIGHT / WIDTH), 64)
    assert shown.max() > 200


def test_ratings_begin_at_their_thresholds():
    assert [rating_of(lowest) for lowest in THRESHOLDS] == [1, 2, 3, 4, 5]
    assert [rating_of(lowest - 1) for lowest in THRESHOLDS] == [0, 1, 2, 3, 4]
    assert rating_of(100) == 5


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (7, 9), (40, 3)])
def test_any_size_can_be_judged(size):
    noise = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
    assessment = examine(jpeg_of(noise)).assessment
    assert 0 <= assessment.trackability <= 100
    assert max(heatmap_of(assessment).shape) <= 64


@pytest.mark.parametrize("data", [b"", b"GIF89a", FLOWER[:5000]])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(PictureError):
        examine(data)


def test_large_pictures_are_decoded_smaller():
    large = np.zeros((2000, 6500), np.uint8)
    picture = decode(jpeg_of(large))
    assert picture.grey.shape == (250, 813)
    assert (picture.width, picture.height) == (6500, 2000)
    assert picture.scaled(480).shape == (148, 480)
