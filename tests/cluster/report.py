"""The figures of an experiment on a cluster."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..soak.history import Entry, Known

SHOWN = 30


@dataclass(frozen=True)
class Fault:
    """One that happened, and when all was as before."""

    kind: str
    began: float
    ended: float


@dataclass(frozen=True)
class Report:
    """What happened. Where ``wrong`` is not empty, something was lost or contradicts itself."""

    seed: int
    began: float
    ended: float
    answers: list[tuple[int | None, float, float]]
    entries: list[Entry]
    faults: list[Fault]
    purges: list[int]
    wrong: list[str]

    @property
    def acknowledged(self) -> list[float]:
        """When clients heard of each write that was done."""
        return sorted(
            entry.heard
            for entry in self.entries
            if entry.act != "use" and entry.happened is Known.YES
        )

    def gap(self, fault: Fault) -> float:
        """Seconds of the longest time without an acknowledged write, while it lasted."""
        heard = [fault.began, *self.acknowledged, self.ended]
        return max(
            after - max(before, fault.began)
            for before, after in pairwise(sorted(heard))
            if after > fault.began and before < fault.ended
        )

    def answered(self, status: int | None, fault: Fault | None = None) -> int:
        """How often, to requests that were under way in the time of a fault."""
        return sum(
            one == status and (fault is None or (heard > fault.began and sent < fault.ended))
            for one, sent, heard in self.answers
        )

    def __str__(self) -> str:
        counted = Counter(str(status) for status, _, _ in self.answers)
        known = Counter(entry.happened for entry in self.entries if entry.act != "use")
        return "\n".join(
            [
                "",
                f"seed {self.seed}: {self.ended - self.began:.0f} s, {len(self.answers)} requests",
                "answers: " + ", ".join(f"{n} {name}" for name, n in sorted(counted.items())),
                f"acknowledged writes: {known[Known.YES]}, in doubt: {known[Known.MAYBE]}",
                f"purges: {self.purges.count(0)}, and {self.purges.count(1)} that met an outage",
                *self._table(),
                f"losses and contradictions: {len(self.wrong)}",
                *self.wrong[:SHOWN],
            ]
        )

    def _table(self) -> Iterator[str]:
        yield f"{'fault':28}{'seconds':>9}{'gap':>9}{'503':>6}{'502':>6}{'no answer':>11}"
        for fault in self.faults:
            yield (
                f"{fault.kind:28}{fault.ended - fault.began:9.1f}{self.gap(fault):7.2f} s"
                f"{self.answered(503, fault):6}{self.answered(502, fault):6}"
                f"{self.answered(None, fault):11}"
            )
