"""The range check of indices on a device: one out of range becomes NaN there, and an error where a result is read."""
from __future__ import annotations

from typing import Tuple

import numpy as np
from mxnet import autograd, nd

from .indices import check_indices


def bounded(indices: nd.NDArray, limit: int) -> Tuple[nd.NDArray, nd.NDArray]:
    """`indices` with 0 for each that is not a whole number from 0 to limit - 1; and (1,): 0, or NaN where there was one.

    Nothing waits for the device: added to a result of the first, the second makes it NaN (`Told` names the index).
    """
    with autograd.pause():
        indices = indices.astype('float32', copy=False)
        fits = nd.clip(nd.floor(indices), 0, limit - 1) == indices
        return nd.where(fits, indices, nd.zeros_like(indices)), (fits.min() - 1).sqrt()


class Told(nd.NDArray):
    """An array that is NaN where `bounded` met an index out of range. Read on the host it then raises ValueError that names it.

    checks: of what it was computed from, (indices, limit, name) each.
    """
    checks: Tuple[Tuple[nd.NDArray, int, str], ...] = ()

    @classmethod
    def of(cls, array: nd.NDArray, *checks: Tuple[nd.NDArray, int, str]) -> Told:
        """Take over the handle of `array`, which must not be used afterwards; in autograd's record it is the same array."""
        told = cls(array.handle, array.writable)
        array.handle, told.checks = None, checks
        return told

    def asnumpy(self) -> np.ndarray:
        value = super().asnumpy()
        if np.isnan(value).any():
            for check in self.checks:
                check_indices(*check)
        return value
