"""The figures of an experiment, as a table for people."""

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .faults import Fault
from .history import Entry, Known

SHOWN = 30


@dataclass(frozen=True)
class Report:
    """What happened. Where ``wrong`` is not empty, something was lost or contradicts itself."""

    seed: int
    seconds: float
    clients: int
    answers: list[tuple[int | None, float, float]]
    entries: list[Entry]
    faults: list[Fault]
    purges: list[int]
    totals: dict[str, int]
    wrong: list[str]

    def __str__(self) -> str:
        return "\n".join(
            [
                "",
                f"seed {self.seed}: {self.clients} clients, {self.seconds:.0f} s",
                f"requests: {len(self.answers)}, faults: {len(self.faults)}",
                f"answers: {self.statuses()}",
                f"longest wait: {self.longest():.1f} s, for a 503 {self.longest(503):.1f} s",
                f"purges: {self.purges.count(0)}, and {self.purges.count(1)} that met an outage",
                ", ".join(f"{name}: {number}" for name, number in self.totals.items()),
                "",
                *self._writes(),
                "",
                *self._recoveries(),
                "",
                f"losses and contradictions: {len(self.wrong)}",
                *self.wrong[:SHOWN],
            ]
        )

    def statuses(self) -> str:
        """How many answers of each status."""
        counted = Counter(status for status, _, _ in self.answers)
        found = [f"{number} {status}" for status, number in sorted(counted.items(), key=str)]
        return ", ".join(found).replace("None", "lost")

    def longest(self, status: int | None = None) -> float:
        """Seconds of the longest wait for any answer, or for one with that status."""
        waits = [
            heard - sent
            for answered, sent, heard in self.answers
            if answered is not None and status in (None, answered)
        ]
        return max(waits, default=0.0)

    def _writes(self) -> Iterator[str]:
        yield f"{'writes':10}{'acknowledged':>14}{'refused':>10}{'in doubt':>10}"
        for kind in ("user", "project", "token", "target"):
            known = Counter(e.happened for e in self.entries if e.kind == kind and e.act != "use")
            yield f"{kind:10}{known[Known.YES]:14}{known[Known.NO]:10}{known[Known.MAYBE]:10}"

    def _recoveries(self) -> Iterator[str]:
        yield f"{'fault':28}{'times':>6}{'away':>8}{'well again after':>18}{'at most':>9}"
        for kind in sorted({fault.kind for fault in self.faults}):
            faults = [fault for fault in self.faults if fault.kind == kind]
            away = statistics.median(fault.ended - fault.began for fault in faults)
            times = [fault.recovered - fault.ended for fault in faults]
            yield (
                f"{kind:28}{len(faults):6}{away:6.1f} s{statistics.median(times):16.2f} s"
                f"{max(times):7.2f} s"
            )
