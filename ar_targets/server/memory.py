"""Gives the memory of large values back to the system as soon as they are freed.

glibc maps large blocks one by one, but raises what it calls large with each
that is freed, up to 32 MiB; from then on the images of all threads are cut
from heaps that grow and hardly shrink. Setting the threshold ends that. After
sixteen uploads of 10 MiB at once a process kept 290 MiB instead of 450. A lower
one would keep less yet, but costs: at 256 KiB an image of 1 MB took twice the
CPU to send, for the pages that the system must clear each time.
"""

import ctypes

# The parameter of mallopt(3), and the bytes of a block that is mapped by itself.
M_MMAP_THRESHOLD = -3
LARGE = 4 * 1024 * 1024


def return_large_blocks() -> None:
    """Set the threshold; does nothing where the C library is another."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
