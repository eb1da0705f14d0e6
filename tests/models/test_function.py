"""A gradient written by hand in autograd's record: what is asked of it, what is left of it, what may be under way with it."""
from __future__ import annotations

import gc
import subprocess
import sys
import time

import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.models import function
from gluon_rnn.models.function import Function


class Product(Function):
    """X Y and X + Y."""

    def forward(self, inputs):
        X, Y = self.saved = [array.detach() for array in inputs]
        return [nd.dot(X, Y), X + Y]

    def backward(self, output_grads, out):
        for array in self.saved:
            array.wait_to_read()
        (X, Y), (dZ, dS), (dX, dY) = self.saved, output_grads, out
        nd.elemwise_add(nd.dot(dZ, Y.T), dS, out=dX)
        nd.elemwise_add(nd.dot(X.T, dZ), dS, out=dY)


def matrices(seed, reqs=('write', 'write')):
    rng = np.random.default_rng(seed)
    arrays = [nd.array(rng.normal(size=(3, 3))) for _ in reqs]
    for array, req in zip(arrays, reqs):
        array.attach_grad(req)
    return arrays


def gradients(product, arrays, times=1):
    for _ in range(times):
        with autograd.record():
            Z, S = product(*arrays)
            total = (Z * S + nd.tanh(S)).sum()
        total.backward()
    return [None if array.grad is None else array.grad.asnumpy() for array in arrays]


def plain(X, Y):
    return nd.dot(X, Y), X + Y


@pytest.mark.parametrize('times', [1, 3])
@pytest.mark.parametrize('reqs', [('write', 'write'), ('add', 'add'), ('write', 'add'), ('null', 'write'), ('write', 'null'),
                                  ('null', 'add')], ids=str)
def test_gradients_are_written_added_or_left_out_as_asked(reqs, times):
    """`autograd.Function` would leave out all behind the first that needs none, and overwrite where 'add' is asked for."""
    found = gradients(lambda *arrays: Product()(*arrays), matrices(1, reqs), times)
    wanted = gradients(plain, matrices(1, reqs), times)
    for ours, theirs, req in zip(found, wanted, reqs):
        if req == 'null':
            assert ours is None or not ours.any()
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('which', [0, 1])
def test_an_output_that_is_not_used(which):
    X, Y = matrices(2)
    found = []
    for product in (Product(), plain):
        with autograd.record():
            product(X, Y)[which].square().sum().backward()
        found.append([X.grad.asnumpy(), Y.grad.asnumpy()])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_gradient_that_fails_is_told(capfd):
    class Broken(Product):
        def backward(self, output_grads, out):
            raise ZeroDivisionError('by hand')

    X, Y = matrices(3)
    with autograd.record():
        Z, _ = Broken()(X, Y)
    with pytest.raises(Exception, match=r'custom function|Check failed'):
        Z.backward()
        X.grad.asnumpy()
    del Z
    assert 'by hand' in capfd.readouterr().err


def emptied():
    """Whether MXNet has let go of all records; its own thread does so when it comes to it."""
    for _ in range(100):
        if function._recorded:
            time.sleep(0.05)
    return not function._recorded


def test_nothing_of_a_step_is_left_when_it_is_over():
    """The record of a step is freed with its last output, and not by Python's collector of cycles, which comes late."""
    gc.collect()
    gc.disable()
    try:
        X, Y = matrices(4)
        for _ in range(3):
            with autograd.record():
                Z, S = Product()(X, Y)
                H, _ = Product()(Z, S)
            assert len(function._recorded) >= 2
            H.backward()
        del Z, S, H, _
        X.grad.wait_to_read()
        assert emptied()
    finally:
        gc.enable()


START = """
import numpy as np
import gluon_rnn
from mxnet import autograd, nd
from gluon_rnn.models.function import Function

class Layer(Function):
    def forward(self, inputs):
        self.saved = [array.detach() for array in inputs]
        return [nd.dot(*self.saved)]

    def backward(self, output_grads, out):
        for array in self.saved:
            array.wait_to_read()
        nd.dot(output_grads[0], self.saved[1], transpose_b=True, out=out[0])
        nd.dot(self.saved[0], output_grads[0], transpose_a=True, out=out[1])

weights = [nd.array(np.random.default_rng(k).normal(size=(40, 40)) / 40) for k in range(4)]

def backward_passes(number, req):
    for W in weights:
        W.attach_grad(req)
    for _ in range(number):
        H = nd.ones((8, 40))
        with autograd.record():
            for W in weights:
                H = nd.tanh(Layer()(H, W)[0])
        H.backward()
"""
PASSES = START + """
backward_passes(1, 'write')
once = [W.grad.asnumpy() for W in weights]
backward_passes(20, 'add')
for W, grad in zip(weights, once):
    assert np.abs(grad).max() > 0
    np.testing.assert_allclose(W.grad.asnumpy(), 20 * grad, rtol=1e-4, atol=1e-6)
backward_passes(50, 'add')        # and the process ends while most of them wait
"""


@pytest.mark.slow
def test_many_passes_may_be_under_way_also_at_the_end():
    """One on the other, one backward pass behind the other, nothing between them: none waits for ever, their gradients add up."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', PASSES], check=True, timeout=60)
