"""How many connections each worker has, for the others to see.

Whichever worker wakes first would take a new connection, and keep it: of
sixteen that came at once, one took up to all. So whoever has more than another
holds back for a moment.
"""

import mmap

# Bytes of a number.
SIZE = 4


class Shares:
    """One number for each worker, in memory that outlives a fork."""

    def __init__(self, workers: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, SIZE * workers)).cast("i")

    def of(self, place: int) -> "Share":
        """What the worker in that place has. It begins with nothing."""
        share = Share(self._numbers, place)
        share.note(0)
        return share


class Share:
    """One worker's."""

    def __init__(self, numbers: memoryview, place: int) -> None:
        self._numbers, self._place = numbers, place

    def note(self, connections: int) -> None:
        """Tell the others how many there are."""
        self._numbers[self._place] = connections

    def is_larger(self) -> bool:
        """Whether another worker has fewer."""
        return self._numbers[self._place] > min(self._numbers)
