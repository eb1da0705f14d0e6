"""AdamW: without decay it is Adam."""
import numpy as np
from mxnet import nd
from numpy.testing import assert_allclose

from gluon_rnn.training.optimizer import Optimizer
from tests.training.parameters import numbers, parameters


def test_adamw_without_decay_is_adam():
    found = []
    for name in ('adam', 'adamw'):
        params = parameters()
        np.random.seed(0)
        for param in params.values():
            param[:], param.grad[:] = (nd.array(np.random.normal(size=param.shape)) for _ in range(2))
        optimizer = Optimizer(params, name, 0.1, 1)
        for _ in range(3):
            optimizer.step()
        found.append(numbers(params))
    for one, other in zip(*found):
        assert_allclose(one[0], other[0], rtol=1e-5, atol=1e-6)
