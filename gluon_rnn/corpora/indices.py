"""The range check of indices, made before anything reads memory by them."""
from __future__ import annotations

from typing import Any

import numpy as np


def to_numpy(values: Any) -> np.ndarray:
    """A list, an NDArray or any other array as NumPy has it."""
    return values.asnumpy() if hasattr(values, 'asnumpy') else np.asarray(values)


def check_indices(indices: Any, limit: int, name: str) -> np.ndarray:
    """`indices` as an array. Raises ValueError that names the first that is no whole number from 0 to below `limit`."""
    array = to_numpy(indices)
    if array.dtype.kind not in 'iufb':
        raise ValueError(f'{name} must be whole numbers from 0 to {limit - 1}, got {array.dtype}')
    if array.dtype.kind in 'iu' and array.size and array.min() >= 0 and array.max() < limit:
        return array        # a long text is not copied
    wrong = ~((array >= 0) & (array < limit))       # NaN among them
    if array.dtype.kind == 'f':
        wrong |= array != np.floor(array)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(f'{name} must be whole numbers from 0 to {limit - 1}, got {array[place]} at '
                         f'{place[0] if len(place) == 1 else place}')
    return array
