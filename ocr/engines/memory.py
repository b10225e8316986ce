"""Lets a process that reads page after page keep the memory of the last page for the next one."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of malloc.h."""

KEPT_BYTES = 192 * 2**20
"""So much freed memory stays with the process: what the pixels of one page come to, several times over."""

LARGEST_KEPT = 32 * 2**20
"""The C library knows no higher limit; what is larger goes back to the kernel at once."""


def keep_freed_memory() -> None:
    """Tell the C library. Zeroing the same 50 MB again for each page costs a twentieth of its reading.

    A C library that cannot be told (it is none of GNU) is left as it is.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(M_MMAP_THRESHOLD, LARGEST_KEPT)
        tell(M_TRIM_THRESHOLD, KEPT_BYTES)
