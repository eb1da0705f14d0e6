"""Parameters with gradients for the tests of optimizers."""
import numpy as np
from mxnet import nd


def parameters(count=3, scale=1):
    params = {f'p{i}': nd.random.normal(shape=(3, 1 + i % 4)) for i in range(count)}
    for param in params.values():
        param.attach_grad()
        param.grad[:] = scale * nd.random.normal(shape=param.shape)
    return params


def numbers(params):
    """Each weight and its gradient, in float64."""
    return [(param.asnumpy().astype(np.float64), param.grad.asnumpy().astype(np.float64)) for param in params.values()]
