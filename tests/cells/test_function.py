"""Gradients written by hand, of Scratch and Hybrid networks: what of them is left, and what may be under way with them."""
from __future__ import annotations

import gc
import subprocess
import sys
import time

import pytest
from mxnet import autograd, nd

from gluon_rnn.cells import NetworkConfig, OneHot, build_network, function

VARIANTS = {
    'rnn': {'cell': 'rnn'},
    'gru': {'cell': 'gru'},
    'gru reset after': {'cell': 'gru', 'reset_after': True},
    'lstm': {'cell': 'lstm'},
    'deep gru': {'cell': 'gru', 'num_layers': 3},
    'bidirectional lstm': {'cell': 'lstm', 'bidirectional': True},
}
# how many of Scratch's: a gate each
FUNCTIONS = {'rnn': 1, 'gru': 3, 'gru reset after': 2, 'lstm': 4, 'deep gru': 9, 'bidirectional lstm': 8}


def emptied():
    """Whether MXNet has let go of all records; its own thread does so when it comes to it."""
    for _ in range(100):
        if function._recorded:
            time.sleep(0.05)
    return not function._recorded


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
@pytest.mark.parametrize('variant', VARIANTS)
def test_nothing_of_a_step_is_left_when_it_is_over(variant, impl):
    """The record of a step is freed with its last output, and not by Python's collector of cycles, which comes late."""
    net = build_network(NetworkConfig(impl=impl, num_hiddens=5, **VARIANTS[variant]), 6)
    gc.collect()
    gc.disable()
    try:
        state = net.begin_state(2)
        for _ in range(3):
            with autograd.record():
                H, state = net(OneHot(nd.array([[0, 1], [2, 3]]), 6), state)
            H.backward()
            state = tuple(s.detach() for s in state)
        del H
        for array in net.parameters().values():
            array.grad.wait_to_read()
        assert emptied()
    finally:
        gc.enable()


@pytest.mark.parametrize('variant', VARIANTS)
def test_scratch_has_one_product_for_the_gradient_of_each_recurrent_weight(variant):
    """However many steps there are."""
    assert emptied()
    net = build_network(NetworkConfig(impl='scratch', num_hiddens=5, **VARIANTS[variant]), 6)
    with autograd.record():
        H, _ = net(OneHot(nd.zeros((7, 2)), 6), net.begin_state(2))
    assert len(function._recorded) == FUNCTIONS[variant]
    del H, _
    assert emptied()


START = """
import numpy as np
import gluon_rnn
from gluon_rnn.cells import NetworkConfig, OneHot, build_network
from mxnet import autograd, nd

net = build_network(NetworkConfig(impl={impl!r}, cell='gru', num_hiddens=3, num_layers={num_layers}), 6)
inputs, state = OneHot(nd.array([[0, 1], [2, 3], [1, 5]]), 6), net.begin_state(2)

def backward_passes(number):
    for _ in range(number):
        with autograd.record():
            H, _ = net(inputs, state)
        H.backward()

def grads():
    return {{name: array.grad.asnumpy() for name, array in net.parameters().items()}}
"""
PASSES = START + """
backward_passes(1)
once = grads()
for array in net.parameters().values():
    array.attach_grad('add')
backward_passes(20)
for name, grad in grads().items():
    np.testing.assert_allclose(grad, 20 * once[name], rtol=1e-4, atol=1e-6, err_msg=name)
backward_passes(50)         # and the process ends while most of them wait
"""
LEARNED_STATE = START + """
H0, = state
H0.attach_grad()
for _ in range(20):
    H0[:] = 0.5
    backward_passes(1)
    nd.sgd_update(H0, H0.grad, lr=0.1, out=H0)
    H0[:] = 7
found, H0_grad = grads(), H0.grad.asnumpy()
H0[:] = 0.5
backward_passes(1)
for name, grad in grads().items():
    assert np.abs(grad).max() > 0, name
    np.testing.assert_allclose(found[name], grad, rtol=1e-5, err_msg=name)
np.testing.assert_allclose(H0_grad, H0.grad.asnumpy(), rtol=1e-5)
"""


def run(code, **choices):
    """In a process of its own, for what is looked for is that it ends."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', code.format(**choices)], check=True, timeout=60)


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
def test_many_passes_may_be_under_way_also_at_the_end(impl):
    """Layers on layers, one backward pass behind the other, nothing between them: none waits for ever, their gradients add up."""
    run(PASSES, impl=impl, num_layers=4)


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
def test_the_first_state_may_be_written_to_once_backward_was_called(impl):
    """By an optimizer, where it is learned: the gradient still to come is that of the state that was read."""
    run(LEARNED_STATE, impl=impl, num_layers=1)
