"""tanh, sigmoid and exp of the kernels against NumPy, over all of float32's range."""
import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels import activations

X = np.concatenate([np.linspace(-30, 30, 20001), [-3e38, -1e-30, 0, 1e-30, 3e38]])


def over(function, X):
    @numba.njit
    def run(X):
        return np.array([function(x) for x in X])
    return run(X)


@pytest.mark.parametrize(('dtype', 'rtol', 'atol'), [(np.float32, 5e-7, 2e-7), (np.float64, 1e-13, 1e-15)])
def test_values(dtype, rtol, atol):
    x = X.astype(dtype)
    exact = x.astype(np.float64)
    assert_allclose(over(activations.tanh, x), np.tanh(exact), rtol=rtol, atol=atol)
    assert_allclose(over(activations.sigmoid, x), 0.5 * np.tanh(exact / 2) + 0.5, rtol=rtol, atol=atol)
    below = x[x <= 0]
    assert_allclose(over(activations.exp_not_above_zero, below), np.exp(below.astype(np.float64)), rtol=1e-6, atol=2e-38)


def test_nan_stays_nan_and_nothing_leaves_its_range():
    odd = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert np.isnan(over(activations.tanh, odd)[0]) and np.isnan(over(activations.exp_not_above_zero, odd)[0])
    assert_array_equal(over(activations.exp_not_above_zero, np.array([0, -200, -np.inf], np.float32)), [1, 0, 0])
    assert (np.abs(over(activations.tanh, X.astype(np.float32))) <= 1).all()
