"""The value of a field that is not there, where None would mean null."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __bool__(self) -> Literal[False]:
        """False, as None is."""
        return False


UNSET: Final = Unset.UNSET
