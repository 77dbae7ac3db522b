"""Ten hours of requests, as fast as they can be made: nothing grows that should not.

At two requests a second ten hours have 72,000. What an hour would do by itself is done by moving
the moments in the database back, then `ar_targets_purge` removes what is old.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text, update

from ar_targets.models import Audit, Base

from ..description import default_document
from .day import ADMINISTRATOR, PASSWORD, Day, Tally
from .machine import Machine

# What may be more at the end than after the first part, of each process. The allocator keeps
# some memory, and a worker may meet the panel late; the pools of connections fill as requests meet.
MIB_MORE, FILES_MORE, CONNECTIONS_MORE = 64, 24, 24


@dataclass(frozen=True)
class Footprint:
    """What a machine takes, at rest."""

    mib: dict[int, float]
    files: dict[int, int]
    connections: int
    rows: dict[str, int]

    def __str__(self) -> str:
        mib = ", ".join(f"{each:.0f}" for each in self.mib.values())
        files = ", ".join(str(each) for each in self.files.values())
        rows = {table: number for table, number in self.rows.items() if number}
        return f"{mib} MiB, {files} files, {self.connections} connections, rows {rows}"


@pytest.fixture
def machine() -> Iterator[Machine]:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="ar-") as name, Machine(Path(name)) as made:
        call(made, "admin", "create", ADMINISTRATOR, stdin=PASSWORD)
        yield made


def call(machine: Machine, script: str, *arguments: str, stdin: str = "") -> None:
    """Run a script of ours on the machine's database."""
    subprocess.run(
        [sys.executable, "-m", f"ar_targets.scripts.{script}", str(machine.ini), *arguments],
        env=machine.environment,
        input=stdin,
        text=True,
        check=True,
        capture_output=True,
    )


def footprint(machine: Machine) -> Footprint:
    engine = create_engine(machine.url)
    with engine.connect() as connection:
        others = "SELECT COUNT(*) FROM information_schema.processlist WHERE id != CONNECTION_ID()"
        made = Footprint(
            {pid: resident(pid) for pid in machine.workers},
            {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in machine.workers},
            connection.scalar(text(others)),
            {
                name: connection.scalar(select(func.count()).select_from(table))
                for name, table in Base.metadata.tables.items()
            },
        )
    engine.dispose()
    return made


def resident(pid: int) -> float:
    """MiB that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def grow_old(machine: Machine) -> None:
    """Let a year pass for all rows, then purge."""
    engine = create_engine(machine.url)
    with engine.begin() as connection:
        for table in Base.metadata.tables.values():
            if "expires_at" in table.c:
                connection.execute(
                    update(table).values(expires_at=a_year_before(table.c.expires_at))
                )
        connection.execute(update(Audit).values(at=a_year_before(Audit.at)))
    engine.dispose()
    call(machine, "purge", "--deleted-older-than", "0", "--batch", "1000")


def a_year_before(moment: Any) -> Any:
    return func.timestampadd(text("YEAR"), -1, moment)


def days(machine: Machine, tally: Tally, until: int, at_once: int) -> None:
    """Days beside each other, until so many requests have been made."""
    url = f"http://127.0.0.1:{machine.server_port}"

    def work() -> None:
        while tally.total < until and not tally.wrong:
            Day(url, tally).live()

    with ThreadPoolExecutor(at_once) as threads:
        for done in [threads.submit(work) for _ in range(at_once)]:
            done.result()


def endure(machine: Machine, number: int, *, parts: int, at_once: int) -> None:
    tally, prints, began = Tally(), [], time.monotonic()
    for part in range(1, parts + 1):
        days(machine, tally, number * part // parts, at_once)
        assert tally.wrong == [], "\n".join(tally.wrong)
        grow_old(machine)
        prints.append(footprint(machine))
        print(f"\n{tally.total} requests, {time.monotonic() - began:.0f} s: {prints[-1]}", end="")
    print(f"\nanswers: {dict(sorted(tally.statuses.items()))}")
    first, last = prints[0], prints[-1]
    # None has died.
    assert last.mib.keys() == first.mib.keys()
    for pid in first.mib:
        assert last.mib[pid] < first.mib[pid] + MIB_MORE
        assert last.files[pid] <= first.files[pid] + FILES_MORE
    assert last.connections <= first.connections + CONNECTIONS_MORE
    assert last.rows == first.rows
    assert machine.bugs() == []
    asked = {
        (method.upper(), path)
        for path, of in default_document()["paths"].items()
        for method in of
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert asked - tally.operations == set()


def test_a_short_day(machine: Machine) -> None:
    """One day, then another."""
    endure(machine, 600, parts=2, at_once=1)


@pytest.mark.soak
def test_ten_hours(machine: Machine, request: pytest.FixtureRequest) -> None:
    endure(machine, request.config.getoption("--requests"), parts=10, at_once=6)
