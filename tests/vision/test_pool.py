"""Work on pictures in processes of their own: what it may cost, and how it may end."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ar_targets.vision.picture import PictureError
from ar_targets.vision.pool import Pool, PoolError, memory_limit

from ..pictures import CHINA, drawn
from ..unit.jpegs import arithmetic
from . import behaviour

SECONDS = 2
MEMORY = memory_limit(10 * 2**20, 50_000_000)


@pytest.fixture(scope="module")
def pool():
    return Pool(2, MEMORY, seconds=SECONDS)


def test_a_child_has_limits_and_no_settings():
    os.environ["AR_TARGETS_JWT_KEYS"] = "a secret"
    said = Pool(1, MEMORY, seconds=SECONDS).run(behaviour.told, b"")
    assert "AR_TARGETS_JWT_KEYS" not in os.environ
    assert said["limits"] == {"CPU": SECONDS, "AS": MEMORY, "CORE": 0}
    assert said["oom_score_adj"] == "1000"
    # Another test may have started the fork server before.
    assert b"a secret" not in said["environ"]
    assert not {"sqlalchemy", "pyramid", "ar_targets.settings"} & said["modules"]


def test_each_picture_has_a_process_of_its_own(pool):
    first, second = (pool.run(behaviour.told, b"")["pid"] for _ in range(2))
    assert len({first, second, os.getpid()}) == 3


ENDS = {
    behaviour.spin: (PictureError, "more than 2 s of CPU"),
    behaviour.broken: (PictureError, "SIGSEGV"),
    behaviour.greedy: (PictureError, "MiB of memory"),
    behaviour.refused: (PictureError, "ValueError: it is no picture"),
    behaviour.killed: (PoolError, "ended with -9"),
    behaviour.uninstalled: (PoolError, "ended with 1"),
}


@pytest.mark.parametrize("function", ENDS, ids=lambda function: function.__name__)
def test_an_end_without_a_result(pool, function):
    kind, words = ENDS[function]
    with pytest.raises(kind, match=words):
        pool.run(function, CHINA)
    assert pool.run(len, CHINA) == len(CHINA)


def test_what_never_ends_is_ended():
    with pytest.raises(PoolError, match=r"not done within 0.2 s"):
        Pool(1, MEMORY, patience=0.2).run(behaviour.silent, b"")


def test_no_more_processes_than_allowed(tmp_path):
    pool, files = Pool(2, MEMORY), [tmp_path / str(number) for number in range(3)]
    with ThreadPoolExecutor(3) as threads:
        results = [threads.submit(pool.run, behaviour.named, bytes(file)) for file in files]
        while len(at_work := list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)
        # Whoever waits begins when another one is done.
        at_work[0].unlink()
        (third,) = set(files) - set(at_work)
        while not third.exists():
            time.sleep(0.01)
        for file in (at_work[1], third):
            file.unlink()
        assert sorted(each.result() for each in results) == ["0", "1", "2"]


def test_a_killed_fork_server_is_started_again(pool):
    server = pool.run(behaviour.told, b"")["parent"]
    os.kill(server, signal.SIGKILL)
    # Dead, but not buried.
    while ") Z " not in Path(f"/proc/{server}/stat").read_text():
        time.sleep(0.01)
    assert pool.run(len, b"four") == 4


def test_a_hostile_picture_costs_seconds_of_one_core(pool):
    """Without a limit, a fast machine takes five seconds for it."""
    with pytest.raises(PictureError, match="more than 2 s of CPU"):
        pool.extract(arithmetic(64))
    assert pool.extract(CHINA) is not None


@pytest.mark.parametrize("data", [b"", b"no picture", drawn("PNG")[:40]], ids=str)
def test_what_is_no_picture(pool, data):
    with pytest.raises(PictureError):
        pool.extract(data)
