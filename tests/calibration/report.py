"""Compares the score with what the referee found, in figures and as a table."""

import numpy as np

from .pictures import QUOTA, Sample

Numbers = np.ndarray


def report(chosen: list[Sample], scores: dict[str, float], truth: dict[str, float]) -> str:
    """In Markdown: one line for each half, then the means of each kind."""
    lines = ["| half | pictures | AUC 75 % | AUC 25 % | Spearman |", "|---|---|---|---|---|"]
    for half in ("tuned", "judged"):
        some = [sample.sha256 for sample in chosen if sample.half == half]
        ours, theirs = (np.array([of[one] for one in some]) for of in (scores, truth))
        figures = auc(ours, theirs >= 0.75), auc(ours, theirs >= 0.25), spearman(ours, theirs)
        lines.append(f"| {half} | {len(some)} | " + " | ".join(f"{n:.3f}" for n in figures) + " |")
    lines += [
        "",
        "| kind | half | pictures | found by the score | by MindAR |",
        "|---|---|---|---|---|",
    ]
    for kind in QUOTA:
        for half in ("tuned", "judged"):
            some = [one.sha256 for one in chosen if (one.kind, one.half) == (kind, half)]
            ours, theirs = (np.mean([of[one] for one in some]) for of in (scores, truth))
            lines.append(f"| {kind} | {half} | {len(some)} | {ours:.2f} | {theirs:.2f} |")
    return "\n".join(lines)


def auc(scores: Numbers, wanted: Numbers) -> float:
    """How often a wanted one has a higher score than another; equal ones count half."""
    high, low = scores[wanted][:, None], scores[~wanted]
    return float((high > low).mean() + (high == low).mean() / 2)


def spearman(first: Numbers, second: Numbers) -> float:
    """The correlation of ranks."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def ranks(values: Numbers) -> Numbers:
    """Equal ones have the same."""
    below = (values[:, None] > values).sum(axis=1)
    equal = (values[:, None] == values).sum(axis=1)
    return below + equal / 2
