"""The same picture gets the same result, bit for bit, on the same machine."""

import hashlib
import subprocess
import sys

import cv2
import pytest

from ar_targets.vision.examine import examine

from ..pictures import CHINA, FLOWER
from . import made

PROGRAM = """
import sys
import cv2
from tests.vision.test_identical import hash_of
cv2.setNumThreads(int(sys.argv[1]))
print(hash_of(sys.stdin.buffer.read()))
"""
PICTURES = {
    "china": CHINA,
    "flower": FLOWER,
    "text": made.jpeg_of(made.text(20)),
    "chessboard": made.jpeg_of(made.chessboard(40)),
}


def hash_of(jpeg: bytes) -> str:
    return hashlib.sha256(repr(examine(jpeg).assessment).encode()).hexdigest()


@pytest.mark.parametrize("name", PICTURES)
def test_in_other_processes_with_other_numbers_of_threads(name):
    def elsewhere(threads: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(threads)],
            input=PICTURES[name],
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    assert {elsewhere(1), elsewhere(4), hash_of(PICTURES[name])} == {hash_of(PICTURES[name])}


def test_after_other_pictures_and_random_numbers():
    before = hash_of(CHINA)
    cv2.setRNGSeed(99)
    hash_of(FLOWER)
    assert hash_of(CHINA) == before


def test_other_pictures_have_other_results():
    assert len({hash_of(jpeg) for jpeg in PICTURES.values()}) == len(PICTURES)
