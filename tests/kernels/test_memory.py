"""Room for arrays: zeros that nobody shares."""
import numpy as np

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.memory import Memory


def test_arrays_are_zeros_that_nobody_shares():
    memory, found = Memory(), []
    for i, (shape, dtype) in enumerate([((3, 5), np.float32), ((0, 7), np.float32), ((1300, 1300), np.float64), ((7,), np.int64),
                                        ((9000, 700), np.float32), ((2,), np.float32)]):
        array = memory.zeros(shape, dtype)
        assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous and not array.any()
        assert array.ctypes.data % 64 == 0
        array[...] = i + 1
        found.append(array)
    assert all((array == i + 1).all() for i, array in enumerate(found))


def test_an_array_outlives_its_memory():
    array = Memory().zeros((1000,))
    other = Memory().zeros((1000,))
    other[:] = 1
    assert not array.any() and array.base is not other.base
