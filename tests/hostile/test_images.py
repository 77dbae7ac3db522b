"""Images that are none: the proof refuses them, and spends next to nothing on the worst."""

import random

import pytest

from ar_targets.images.jpeg import MAX_SCANS, JpegError, prove

from ..pictures import CHINA, FLOWER, base64_of
from ..unit.jpegs import costly, jpeg
from .cost import cheap

MIB = 2**20
PIXELS = 50_000_000
PICTURE = jpeg(size=(8, 8))
SCAN = PICTURE.index(b"\xff\xda")
HEAD = PICTURE[: SCAN + 14]
END = b"\xff\xd9"


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def filled(start, piece, end=b""):
    """So many of a piece as the largest image has room for."""
    return start + piece * ((10 * MIB - len(start) - len(end)) // len(piece)) + end


ONE_TABLE = b"\0\1" + bytes(15) + b"x"
# The Exif header's thumbnail of a thumbnail of a thumbnail …
NESTED = PICTURE
while len(NESTED) < 60_000:
    NESTED = NESTED[:2] + segment(0xE1, NESTED) + NESTED[2:]
COSTLY = {
    "bomb": HEAD.replace(b"\0\x08\0\x08", b"\xff\xff\xff\xff", 1) + END,
    "tables": filled(b"\xff\xd8", segment(0xC4, ONE_TABLE * 3640)),
    "small tables": filled(b"\xff\xd8", segment(0xC4, ONE_TABLE)),
    "comments": filled(b"\xff\xd8", segment(0xFE, b"")),
    "large comments": filled(b"\xff\xd8", segment(0xFE, bytes(65533))),
    "scans": filled(PICTURE[:SCAN], PICTURE[SCAN:-2]),
    "scans of many": filled(PICTURE[:SCAN], segment(0xDA, b"\xff" + b"\1\0" * 255 + b"\0\0\0")),
    "stuffed bytes": filled(HEAD, b"\xff\0"),
    "restarts": filled(HEAD, b"\xff\xd0"),
    "restarts between segments": filled(b"\xff\xd8", b"\xff\xd0"),
    "fill bytes": filled(b"\xff\xd8", b"\xff"),
    "fill bytes in a scan": filled(HEAD, b"\xff"),
    "nothing": filled(HEAD, b"\0"),
    # 49 megapixels in 199 and in 866 KB: to decode them takes 3 seconds, and 4 minutes.
    "a hundred scans": costly(100),
    "thousands of scans": costly(9_000),
}


# Those that are given up after so many parts, however much of them there is.
COUNTED = {"tables", "small tables", "comments", "restarts between segments"}
# Those that are given up after so many scans.
SCANNED = {"scans", "a hundred scans", "thousands of scans"}


@pytest.mark.parametrize("shape", COSTLY)
def test_the_worst_files_cost_next_to_nothing(shape):
    with cheap(), pytest.raises(JpegError) as refused:
        prove(COSTLY[shape], PIXELS)
    assert ("more than 10000 segments and tables" in str(refused.value)) == (shape in COUNTED)
    assert (f"more than {MAX_SCANS} scans" in str(refused.value)) == (shape in SCANNED)


def test_what_is_inside_a_segment_is_nobodys_business():
    assert prove(NESTED, PIXELS).width == 8


def mutated(picture, dice):
    """A copy of a picture with something wrong: bytes flipped, cut out, doubled, moved, zeroed."""
    data = bytearray(picture)
    for _ in range(dice.choice([1, 1, 1, 2, 5, 20])):
        # Most of what can go wrong is in the headers.
        end = dice.choice([len(data), min(700, len(data))])
        at = dice.randrange(end)
        span = dice.choice([1, 1, 2, 4, 64, 4096])
        match dice.randrange(7):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at : at + span] = dice.randbytes(span)
            case 2:
                del data[at : at + span]
            case 3:
                data[at:at] = data[at : at + span]
            case 4:
                data[at : at + span] = bytes(span)
            case 5:
                data[at : at + 2] = bytes([0xFF, dice.randrange(256)])
            case 6:
                data[at : at + 2] = dice.choice([b"\0\0", b"\xff\xff", b"\0\1", b"\x7f\xff"])
        if not data:
            return b""
    return bytes(data)


def judge(count, seed):
    """Let the proof judge mutated pictures; how many it takes."""
    dice, taken = random.Random(seed), 0
    pictures = [CHINA, FLOWER, jpeg(progressive=True), jpeg("CMYK"), jpeg(restart_marker_blocks=1)]
    for _ in range(count):
        data = mutated(dice.choice(pictures), dice)
        try:
            proven = prove(data, PIXELS)
        except JpegError:
            continue
        taken += 1
        assert proven.data == data
        assert 0 < proven.width * proven.height <= PIXELS
    return taken


def test_mutated_photographs_are_judged():
    with cheap():
        taken = judge(2_000, seed=1)
    assert 200 < taken < 1_800


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_many_mutated_photographs_are_judged(seed):
    with cheap(60):
        assert judge(20_000, seed) > 2_000


def test_mutated_photographs_over_http(app, project, write_token):
    upload(app, project, write_token, 150, seed=2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_many_mutated_photographs_over_http(app, project, write_token, seed):
    upload(app, project, write_token, 1_000, seed)


def upload(app, project, write_token, count, seed):
    """Send mutated pictures: each is stored and comes back as it was, or a 400 says why."""
    dice, statuses = random.Random(seed), {201: 0, 400: 0}
    for _ in range(count):
        data = mutated(dice.choice([CHINA, jpeg(), jpeg(progressive=True)]), dice)
        body = {"image": base64_of(data)}
        answer = app.call("POST", project.targets, body, who=write_token, status="*")
        statuses[answer.status_int] += 1
        if answer.status_int == 201:
            image = app.get(answer.json["image_url"], headers=write_token.headers)
            assert image.body == data
        else:
            assert [error["name"] for error in answer.json["errors"]] == ["image"]
    assert all(statuses.values())


def mangled(text, dice):
    """Base64 with something wrong."""
    at = dice.randrange(len(text))
    odd = dice.choice(
        ["=", "-", "_", " ", "\0", "é", "😀", "\u2028", "\ud800", "\n", "data:", "=="]
    )
    return dice.choice([text[:at] + odd + text[at:], text[:at], odd + text, text + odd, odd * at])


def test_mangled_base64_over_http(app, project, write_token):
    dice, text, taken = random.Random(3), base64_of(PICTURE), 0
    for _ in range(300):
        body = {"image": mangled(text, dice)}
        answer = app.call("POST", project.targets, body, who=write_token, status="*")
        assert answer.status_int in (201, 400)
        taken += answer.status_int == 201
    # Line breaks are allowed anywhere.
    assert taken
