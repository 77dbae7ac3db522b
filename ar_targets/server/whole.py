"""Sends a response from where it is."""

from waitress.buffers import ReadOnlyFileBasedBuffer


class WholeBody(ReadOnlyFileBasedBuffer):  # type: ignore[misc]  # waitress has no types
    """The body of a response that is in memory.

    Waitress would copy it into a buffer, one above 1 MiB into a file, and copy
    from there, each time that the client can take some more, as much as the
    system could ever take. For it, this is a file that somebody else has made.
    """

    def __init__(self, data: bytes) -> None:
        self._rest = memoryview(data)

    def __len__(self) -> int:
        return len(self._rest)

    def get(self, numbytes: int = -1, skip: bool = False) -> memoryview:  # noqa: FBT001, FBT002  # as waitress has it
        """The next bytes: all, or so many at most."""
        part = self._rest if numbytes < 0 else self._rest[:numbytes]
        if skip:
            self.skip(len(part))
        return part

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # as waitress has it
        """These have been sent."""
        self._rest = self._rest[numbytes:]

    def close(self) -> None:
        """Let go of what is left."""
        self._rest = memoryview(b"")
