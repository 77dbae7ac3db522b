"""Similarity: copies and parts are found, different and mirrored pictures are not."""

import itertools

import cv2
import numpy as np
import pytest

from ar_targets.vision.matching import SIMILAR, similarity
from tests.vision.copies import (
    CHINESE,
    COPIES,
    FLOWERS,
    compressed,
    cropped,
    drawn,
    features,
    resized,
)

CHINA = features(CHINESE)
FLOWER = features(FLOWERS)
POSTER = drawn(1)


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("picture", [CHINESE, FLOWERS, POSTER], ids=["china", "flower", "poster"])
def test_a_changed_copy_is_similar(picture, change):
    assert similarity(features(picture), features(change(picture))) >= SIMILAR


def test_the_same_picture_is_wholly_similar():
    assert similarity(CHINA, CHINA) > 0.99
    assert similarity(CHINA, features(resized(CHINESE, 0.5))) > 0.9


def test_of_a_part_it_is_the_mean_of_the_shares():
    assert similarity(CHINA, features(cropped(CHINESE, 0.5))) == pytest.approx(0.75, abs=0.02)
    assert similarity(CHINA, features(cropped(CHINESE, 0.9))) == pytest.approx(0.95, abs=0.02)


def test_it_is_the_same_in_both_directions():
    part = features(cropped(CHINESE, 0.5))
    assert similarity(CHINA, part) == similarity(part, CHINA)


def test_different_pictures_have_nothing_in_common():
    pictures = [CHINA, FLOWER, *(features(drawn(seed)) for seed in range(1, 5))]
    assert {similarity(one, other) for one, other in itertools.combinations(pictures, 2)} == {0.0}


@pytest.mark.parametrize("picture", [CHINESE, FLOWERS, POSTER], ids=["china", "flower", "poster"])
def test_a_mirrored_picture_is_another(picture):
    assert similarity(features(picture), features(picture[:, ::-1])) == 0


def logo(kind):
    """A thing of one colour on white."""
    picture = np.full((400, 400, 3), 255, np.uint8)
    red = (40, 40, 220)
    if kind == "disc":
        cv2.circle(picture, (200, 200), 120, red, -1)
    elif kind == "square":
        cv2.rectangle(picture, (80, 80), (320, 320), red, -1)
    elif kind == "bar":
        cv2.rectangle(picture, (10, 160), (390, 240), red, -1)
    elif kind == "triangle":
        cv2.fillPoly(picture, [np.array([(70, 310), (330, 310), (200, 70)])], red)
    elif kind == "ring":
        cv2.circle(picture, (200, 200), 120, red, 30)
    elif kind == "cross":
        cv2.line(picture, (80, 200), (320, 200), red, 50)
        cv2.line(picture, (200, 80), (200, 320), red, 50)
    elif kind == "black":
        picture[:] = 0
    elif kind == "shade":
        picture[:] = np.linspace(0, 255, 400, dtype=np.uint8)[:, None, None]
    elif kind == "disc on black":
        picture = 255 - logo("disc")
    return compressed(picture, 85)


KINDS = ("disc", "square", "bar", "triangle", "ring", "cross")
OTHERS = ("white", "black", "shade", "disc on black")


@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
def test_a_copy_of_a_simple_picture_is_similar(kind):
    simple = features(logo(kind))
    for name in ("compressed", "half the size", "a quarter", "grey", "turned by 90"):
        assert similarity(simple, features(COPIES[name](logo(kind)))) > 0.9, name


def test_different_simple_pictures_are_different():
    sets = {kind: features(logo(kind)) for kind in (*KINDS, *OTHERS)}
    pairs = itertools.combinations(sets, 2)
    assert [(a, b) for a, b in pairs if similarity(sets[a], sets[b]) > 0] == []
