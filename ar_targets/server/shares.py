"""How many connections each worker has, for the others to see.

Whichever worker wakes first would take a new connection, and keep it: of
sixteen that came at once, one took up to all. So whoever has more than another
holds back for a moment.
"""

import mmap
from pathlib import Path

# The file that all workers map into memory, and bytes of a number in it.
NAME, SIZE = "connections", 4


class Share:
    """One worker's, in a directory that all of them have. It begins with nothing."""

    def __init__(self, directory: str, place: int) -> None:
        with Path(directory, NAME).open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 0)).cast("i")
        self._place = place
        self.note(0)

    @staticmethod
    def prepare(directory: str, workers: int) -> None:
        """Make room for that many."""
        Path(directory, NAME).write_bytes(bytes(SIZE * workers))

    def note(self, connections: int) -> None:
        """Tell the others how many there are."""
        self._numbers[self._place] = connections

    def is_larger(self) -> bool:
        """Whether another worker has fewer."""
        return self._numbers[self._place] > min(self._numbers)
