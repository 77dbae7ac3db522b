"""Sends a response from where it is."""

from waitress.buffers import ReadOnlyFileBasedBuffer

# What is left of a response: its headers, and its body.
Parts = tuple[memoryview, ...]


class WholeResponse(ReadOnlyFileBasedBuffer):  # type: ignore[misc]  # waitress has no types
    """A response that is in memory.

    Waitress would copy it into a buffer, one above 1 MiB into a file, and copy
    from there, each time that the client can take some more, as much as the
    system could ever take. For it, this is a file that somebody else has made.
    """

    def __init__(self, headers: bytes, body: bytes) -> None:
        self._rest: Parts = (memoryview(headers), memoryview(body))

    def __len__(self) -> int:
        return sum(map(len, self._rest))

    def get(self, numbytes: int = -1, skip: bool = False) -> Parts:  # noqa: ARG002, FBT001, FBT002  # as waitress has it
        """All that is left, for `ImpatientChannel.send`: it takes no copy to offer too much."""
        parts = self._rest
        if skip:
            self.skip(len(self))
        return parts

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # as waitress has it
        """These have been sent."""
        parts = self._rest
        while parts and numbytes >= len(parts[0]):
            numbytes -= len(parts[0])
            parts = parts[1:]
        self._rest = (parts[0][numbytes:], *parts[1:]) if numbytes else parts

    def close(self) -> None:
        """Let go of what is left."""
        self._rest = ()
