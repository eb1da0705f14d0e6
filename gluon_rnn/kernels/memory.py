"""Room for a batch's arrays, side by side in huge pages where the system has them: many loops go from page to page."""
from __future__ import annotations

import contextlib
import math
import mmap
from typing import Any

import numpy as np

_HUGE = 1 << 21         # bytes of a huge page
_CHUNK, _LINE = 4 * _HUGE, 64


class Memory:
    """Gives arrays of zeros. Pages that nobody writes to take no memory."""

    def __init__(self) -> None:
        self._free = np.empty(0, np.uint8)

    def zeros(self, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        """Like np.zeros, beginning at a cache line."""
        wanted = math.prod(shape) * np.dtype(dtype).itemsize
        size = -(-wanted // _LINE) * _LINE
        if size > len(self._free):
            self._free = _pages(max(size, _CHUNK))
        found, self._free = self._free[:wanted], self._free[size:]
        return found.view(dtype).reshape(shape)


def _pages(size: int) -> np.ndarray:
    """So many bytes of zeros or a few more, from the start of a huge page on."""
    size = -(-size // _HUGE) * _HUGE
    pages = mmap.mmap(-1, size + _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, 'MADV_HUGEPAGE'):
        with contextlib.suppress(OSError):      # a system without them
            pages.madvise(mmap.MADV_HUGEPAGE)
    array = np.frombuffer(pages, np.uint8)
    return array[-array.ctypes.data % _HUGE:][:size]
