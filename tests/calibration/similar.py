"""How well changed copies of real pictures are found again: `python -m tests.calibration.similar`.

Takes all pictures below a folder; a hash of the name says to which half one belongs: thresholds
were chosen on the half 0, and are reported on the half 1, with other seeds. Give the same
``--seed`` again for the same figures.
"""

import argparse
import collections
import time
import zlib
from pathlib import Path

import cv2
import numpy as np

from ar_targets.vision.features import extract
from ar_targets.vision.index import Index
from ar_targets.vision.matching import SIMILAR, similarity

from ..vision.copies import turned

LONGEST = 1024
# Smaller pictures are no targets.
SHORTEST = 160


def opened(path):
    """In colour, on white where it is transparent; None where it is too small, or blank."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or min(picture.shape[:2]) < SHORTEST:
        return None
    if picture.dtype == np.uint16:
        picture = (picture // 257).astype(np.uint8)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.shape[2] == 4:
        opaque = picture[:, :, 3:] / np.float32(255)
        picture = (picture[:, :, :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
    if cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std() < 3:
        return None
    return resized(picture, min(1, LONGEST / max(picture.shape[:2])))


def resized(picture, factor):
    if factor == 1:
        return picture
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way)


def coded(picture, quality):
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def cropped(picture, area, chance):
    height, width = (round(side * area**0.5) for side in picture.shape[:2])
    y = chance.integers(picture.shape[0] - height + 1)
    x = chance.integers(picture.shape[1] - width + 1)
    return picture[y : y + height, x : x + width]


def recoloured(picture, chance):
    """Another hue, saturation, contrast and lightness."""
    colours = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
    colours[..., 0] = (colours[..., 0] + chance.uniform(5, 25)) % 180
    colours[..., 1] *= chance.uniform(0.5, 1.4)
    colours = colours.clip(0, (179, 255, 255)).astype(np.uint8)
    changed = cv2.cvtColor(colours, cv2.COLOR_HSV2BGR) * chance.uniform(0.75, 1.2)
    return (changed + chance.uniform(-20, 20)).clip(0, 255).astype(np.uint8)


def bordered(picture, chance):
    side = round(max(picture.shape[:2]) * chance.uniform(0.03, 0.12))
    colour = [int(value) for value in chance.integers(0, 256, 3)]
    return cv2.copyMakeBorder(picture, *[side] * 4, cv2.BORDER_CONSTANT, value=colour)


def captioned(picture, chance):
    """White over a fifth, with words."""
    picture = picture.copy()
    height, width = picture.shape[:2]
    picture[height - height // 5 :] = 255
    place = width // 20, height - height // 15
    cv2.putText(picture, "Summer Sale 2026", place, 0, width / 500, (0, 0, 0), width // 200 + 1)
    return picture


CHANGES = {
    "JPEG 30": lambda one, chance: coded(one, 30),
    "resized 0.25 to 2": lambda one, chance: resized(one, 2 ** chance.uniform(-2, 1)),
    "resized to a quarter": lambda one, chance: resized(one, 0.25),
    "colours": recoloured,
    "grey": lambda one, chance: np.repeat(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)[..., None], 3, 2),
    "turned by 90": lambda one, chance: np.rot90(one),
    "turned by 180": lambda one, chance: np.rot90(one, 2),
    "turned by 5": lambda one, chance: turned(one, 5),
    "turned by any angle": lambda one, chance: turned(one, chance.uniform(10, 350)),
    "border": bordered,
    "caption": captioned,
    "crop to 0.9": lambda one, chance: cropped(one, 0.9, chance),
    "crop to 0.7": lambda one, chance: cropped(one, 0.7, chance),
    "crop to 0.5": lambda one, chance: cropped(one, 0.5, chance),
    "mirrored": lambda one, chance: one[:, ::-1],
}


def features(picture):
    grey = cv2.cvtColor(coded(picture, 90), cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    return extract(grey, width, height)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--half", type=int, choices=(0, 1), default=1)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--most", type=int, default=400, help="pictures")
    arguments.add_argument("--pairs", action="store_true", help="name what is flagged, what is not")
    options = arguments.parse_args()
    evaluate(list(chosen(options)), options)


def drawn_number(path, seed=0):
    return zlib.crc32(str(path).encode(), seed)


def chosen(options):
    """Paths of one half: of each package as many as of the others, while it has any."""
    packages = collections.defaultdict(list)
    for path in options.folder.rglob("*"):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}:
            inside = path.relative_to(options.folder)
            # A wallpaper in all its sizes is one picture.
            family = str(inside).split("/contents/")[0]
            if drawn_number(family) % 2 == options.half:
                packages[inside.parts[0]].append((drawn_number(family, options.seed), family, path))
    ordered = []
    for name, members in packages.items():
        of_family, of_folder = collections.Counter(), collections.Counter()
        for _, family, path in sorted(members):
            of_family[family] += 1
            of_folder[path.parent] += 1
            # Clip art comes in series.
            if of_family[family] == 1 and of_folder[path.parent] <= 6:
                ordered.append((of_folder.total(), name, path))
    return (path for _, _, path in sorted(ordered))


def evaluate(paths, options):
    targets, copies, spent = {}, collections.defaultdict(list), 0.0
    for path in paths:
        if len(targets) == options.most:
            break
        picture = opened(path)
        if picture is None:
            continue
        began = time.process_time()
        targets[path] = features(picture)
        spent += time.process_time() - began
        for number, (name, change) in enumerate(CHANGES.items()):
            chance = np.random.default_rng((options.seed, number, drawn_number(path)))
            copies[name].append((path, features(change(picture, chance))))
    print(f"{len(targets)} pictures, {spent / len(targets):.3f} s each with a JPEG's round trip")
    index, names = Index(), list(targets)
    for number, target in enumerate(targets.values()):
        index.add(number, target)
    for name, changed in copies.items():
        found, alike = 0, 0
        for path, copy in changed:
            similar = similarity(targets[path], copy) >= SIMILAR
            candidate = names.index(path) in index.search(copy)
            alike += similar
            found += similar and candidate
            if options.pairs and (similar and candidate) == (name == "mirrored"):
                said = "found" if name == "mirrored" else "missed"
                print(said, name, similar, candidate, len(targets[path]), path)
        print(f"{name:22} found {found / len(changed):.3f}  similar {alike / len(changed):.3f}")
    different(targets, index, names, options)


def different(targets, index, names, options):
    """The pairs of different pictures that are most alike: the candidates of each picture."""
    pairs, spent, searching = {}, 0.0, 0.0
    for number, path in enumerate(names):
        began = time.process_time()
        candidates = index.search(targets[path], exclude={number})
        searching += time.process_time() - began
        for other in candidates[:12]:
            pair = min(number, other), max(number, other)
            if pair not in pairs:
                began = time.process_time()
                pairs[pair] = similarity(targets[names[pair[0]]], targets[names[pair[1]]])
                spent += time.process_time() - began
    flagged = [pair for pair, value in pairs.items() if value >= SIMILAR]
    for one, other in flagged if options.pairs else ():
        print(f"flagged {pairs[one, other]:.2f} {names[one]} {names[other]}")
    total = len(names) * (len(names) - 1) // 2
    print(
        f"different: {len(flagged)} flagged of the {len(pairs)} pairs most alike ({total} in all);"
        f" {spent / len(pairs) * 1000:.1f} ms a pair, {searching / len(names) * 1000:.1f} a search"
    )


if __name__ == "__main__":
    main()
