"""What hostile input may cost."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds of CPU. What is asked of the server below takes a tenth of it at most;
# what it took where the work grew with the square of the input was minutes.
CHEAP = 5.0


@contextmanager
def cheap(seconds: float = CHEAP) -> Iterator[None]:
    """Fails where the block takes this process more CPU, whatever else the machine does."""
    before = time.process_time()
    yield
    assert time.process_time() - before < seconds


def cpu_of_children() -> float:
    """Seconds of CPU that ended child processes have taken, and those that they had ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
