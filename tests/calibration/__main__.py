"""`make calibrate`: judges pictures by the score and by MindAR, and prints how they agree.

Everything is kept in var/calibration: remove hard.jsonl and ordinary.jsonl there to ask MindAR
again, which takes an hour of two cores.
"""

import time
from pathlib import Path

import cv2

from ar_targets.vision.picture import decode
from ar_targets.vision.rating import assess

from .camera import CONDITIONS
from .judged import shares
from .pictures import samples
from .report import report

FOLDER = Path("var/calibration")


def main() -> None:
    """Print the tables of docs/vision.md."""
    cv2.setNumThreads(1)
    chosen, backgrounds = samples(FOLDER)
    scores, seconds = {}, []
    for sample in chosen:
        began = time.process_time()
        scores[sample.sha256] = assess(decode(sample.jpeg)).trackability / 100
        seconds.append(time.process_time() - began)
    print(f"{len(chosen)} pictures, {sum(seconds) / len(seconds):.2f} s of a core each, ", end="")
    print(f"{max(seconds):.2f} s at most", flush=True)
    for kind in CONDITIONS:
        truth = shares(FOLDER / f"{kind}.jsonl", kind, chosen, backgrounds)
        print(f"\n## {kind}\n\n{report(chosen, scores, truth)}")


if __name__ == "__main__":
    main()
