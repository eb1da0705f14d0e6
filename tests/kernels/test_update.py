"""SGD and Adam by hand in float64, rows without a gradient among them, and no row but those asked for."""
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.update import adam, sgd

SLOTS = np.array([1, -1, 0, 1, -1])     # which row of the gradient is a row's: two rows have none


def arrays():
    rng = np.random.default_rng(0)
    W, G = rng.normal(size=(5, 4)).astype(np.float32), rng.normal(size=(2, 9)).astype(np.float32)[:, :4]
    exact = np.where(SLOTS[:, None] >= 0, G[np.maximum(SLOTS, 0)], 0).astype(np.float64)
    return W, G, exact


@pytest.mark.parametrize('shrink', [0.0, 0.1])
def test_sgd(shrink):
    W, G, exact = arrays()
    before = W.astype(np.float64)
    sgd(W, G, SLOTS, 0.5, shrink, 1, 5)
    assert_allclose(W[1:], ((1 - shrink) * before - 0.5 * exact)[1:], rtol=1e-6, atol=1e-7)
    assert_array_equal(W[0], before[0])


@pytest.mark.parametrize('shrink, l2', [(0.0, 0.0), (0.01, 0.0), (0.0, 0.1)])
def test_adam(shrink, l2):
    W, G, exact = arrays()
    mean, var = np.full_like(W, 0.2), np.full_like(W, 0.3)
    before, factor, lr, beta1, beta2, epsilon = W.astype(np.float64), 0.5, 0.01, 0.9, 0.999, 1e-8
    adam(W, G, SLOTS, mean, var, factor, lr, shrink, l2, beta1, beta2, epsilon, 0, 4)
    g = factor * exact + l2 * before
    m, v = beta1 * 0.2 + (1 - beta1) * g, beta2 * 0.3 + (1 - beta2) * g ** 2
    wanted = (1 - shrink) * before - lr * m / (np.sqrt(v) + epsilon)
    for found, of in ((W, wanted), (mean, m), (var, v)):
        assert_allclose(found[:4], of[:4], rtol=1e-6, atol=1e-7)
    assert_array_equal(W[4], before[4])
