"""All that is found out about one picture: what the processes of `pool` are asked for."""

from dataclasses import dataclass

from . import features
from .assessment import Assessment
from .features import FeatureSet
from .picture import Picture, decode
from .rating import assess


@dataclass(frozen=True, slots=True)
class Examination:
    """Of one picture."""

    assessment: Assessment
    features: FeatureSet


def examine(jpeg: bytes) -> Examination:
    """Judge a picture, and extract its features. Raises PictureError."""
    picture = decode(jpeg)
    return Examination(assess(picture), _features(picture))


def extract(jpeg: bytes) -> FeatureSet:
    """The features of a picture. Raises PictureError."""
    return _features(decode(jpeg))


def _features(picture: Picture) -> FeatureSet:
    return features.extract(picture.grey, picture.width, picture.height)
