"""Short names for the types of arrays."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
