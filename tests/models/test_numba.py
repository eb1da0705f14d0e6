"""The kernels against the hand-written networks: outputs, states, every gradient, every variant; a whole step, a whole text."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn.cells import GRU, NetworkConfig, OneHot, build_network
from gluon_rnn.models.numba import NumbaNetwork
from tests.models.networks import CONFIGS

CLOSE = 3e-6        # of an array's largest number, over seven steps
NUM_INPUTS, NUM_HIDDENS, T, B = 9, 19, 7, 4


def close(got, wanted, name=''):
    got, wanted = (array.asnumpy() if isinstance(array, nd.NDArray) else array for array in (got, wanted))
    assert_allclose(got, wanted, rtol=0, atol=CLOSE * max(np.abs(wanted).max(), 1e-3), err_msg=name)


def pair(network):
    """A hand-written network of large weights, and the kernels on one of the same."""
    for param in network.parameters().values():
        param[:] = nd.random.normal(scale=0.3, shape=param.shape)
    return network, NumbaNetwork(network)


def make(variant):
    return pair(build_network(NetworkConfig(num_hiddens=NUM_HIDDENS, **CONFIGS[variant]), NUM_INPUTS))


def passes(network, inputs, state, lengths, rng):
    """Outputs, last state and all gradients of two chained calls, under random gradients of outputs and last state."""
    arrays = list(state) + ([] if isinstance(inputs, OneHot) else [inputs])
    for array in arrays:
        array.attach_grad()
    with autograd.record():
        H, middle = network(inputs, state, lengths)
        H2, last = network(inputs, middle, lengths)
        heads = [H, H2, *last]
    autograd.backward(heads, [nd.array(rng.normal(size=head.shape)) for head in heads])
    return [*heads, *(array.grad for array in arrays)], {name: param.grad.copy() for name, param in network.parameters().items()}


@pytest.mark.parametrize('with_lengths', [False, True], ids=['whole', 'lengths'])
@pytest.mark.parametrize('one_hot', [False, True], ids=['dense', 'one-hot'])
@pytest.mark.parametrize('variant', CONFIGS)
def test_the_kernels_equal_the_network_by_hand(variant, one_hot, with_lengths):
    scratch, numba = make(variant)
    rng = np.random.default_rng(1)
    indices, dense = nd.array(rng.integers(0, NUM_INPUTS, (T, B))), nd.array(rng.normal(size=(T, B, NUM_INPUTS)))
    inputs = OneHot(indices, NUM_INPUTS) if one_hot else dense
    state = tuple(nd.array(rng.normal(size=s.shape)) for s in scratch.begin_state(B))
    lengths = [3, T, 1, 5] if with_lengths else None
    wanted, wanted_gradients = passes(scratch, inputs, state, lengths, np.random.default_rng(2))
    got, gradients = passes(numba, inputs, state, lengths, np.random.default_rng(2))
    for i, (mine, theirs) in enumerate(zip(got, wanted)):
        close(mine, theirs, str(i))
    assert gradients.keys() == wanted_gradients.keys()
    for name in gradients:
        close(gradients[name], wanted_gradients[name], name)


def test_the_inner_bias_of_the_gru():
    scratch, numba = pair(GRU(NUM_INPUTS, NUM_HIDDENS, reset_after=True, inner_bias=True))
    X = nd.random.normal(shape=(T, B, NUM_INPUTS))
    state = (nd.random.normal(shape=(B, NUM_HIDDENS)),)
    (wanted, wanted_gradients), (got, gradients) = [passes(network, X, state, None, np.random.default_rng(3))
                                                    for network in (scratch, numba)]
    for mine, theirs in zip([*got, *gradients.values()], [*wanted, *wanted_gradients.values()]):
        close(mine, theirs)
    assert gradients['b_hh'].asnumpy().any()


def test_padding_is_never_read():
    _, numba = make('deep-bi-lstm')
    X, lengths = np.random.default_rng(4).normal(size=(T, B, NUM_INPUTS)), [3, T, 1, 5]
    found = []
    for filling in (0, np.nan):
        for row, length in enumerate(lengths):
            X[length:, row] = filling
        found.append(passes(numba, nd.array(X), numba.begin_state(B), lengths, np.random.default_rng(5)))
    for mine, theirs in zip([*found[0][0][:-1], *found[0][1].values()], [*found[1][0][:-1], *found[1][1].values()]):
        assert_array_equal(mine.asnumpy(), theirs.asnumpy())


def test_gradients_are_added_up_where_asked_and_a_retained_graph_gives_them_again():
    _, numba = make('gru')
    X = nd.random.normal(shape=(T, B, NUM_INPUTS))
    weight = numba.parameters()['W_hh']
    with autograd.record():
        loss = (numba(X, numba.begin_state(B))[0] ** 2).sum()
    loss.backward(retain_graph=True)
    once = weight.grad.asnumpy()
    loss.backward()
    assert_array_equal(weight.grad.asnumpy(), once)
    for param in numba.parameters().values():
        param.attach_grad('add')
    for _ in range(2):
        with autograd.record():
            loss = (numba(X, numba.begin_state(B))[0] ** 2).sum()
        loss.backward()
    close(weight.grad, 2 * once)


def test_a_pass_under_way_is_not_disturbed_by_another():
    _, numba = make('lstm')
    X, other = nd.random.normal(shape=(T, B, NUM_INPUTS)), nd.random.normal(shape=(T, B, NUM_INPUTS))

    def gradient(disturbed):
        with autograd.record():
            loss = (numba(X, numba.begin_state(B))[0] ** 2).sum()
        if disturbed:
            numba(other, numba.begin_state(B))[0].wait_to_read()
            with autograd.record():
                numba(other, numba.begin_state(B))[0].sum().backward()
        loss.backward()
        return numba.parameters()['W_xi'].grad.asnumpy()
    assert_array_equal(gradient(True), gradient(False))


def test_dropout_with_a_given_mask_equals_the_network_by_hand():
    scratch, numba = make('deep-gru')
    kernels = numba.kernels(False)
    p = kernels.make_pass(T, B)
    kernels.dropout = 0.5
    p = kernels.make_pass(T, B)
    rng = np.random.default_rng(7)
    for i in (1, 2):
        p.masks[i][...] = 2 * (rng.random(p.masks[i].shape) < 0.5)
    X = rng.normal(size=(T, B, NUM_INPUTS)).astype(np.float32)
    params = numba.by_direction({name: value.asnumpy() for name, value in numba.parameters().items()})
    kernels.begin(p, X, [np.zeros((B, NUM_HIDDENS), np.float32)] * 3)
    kernels.pack(p, params, True, 0, 1)
    kernels.pool.run(lambda k: kernels.forward(p, params, True, k), p.groups * p.columns)
    with autograd.record():
        H = nd.array(X)
        for i, layer in enumerate(scratch.parts.values()):
            H, _ = layer(H * nd.array(p.masks[i]) if i else H, layer.begin_state(B))
    close(p.Y[-1], H)
    dH = rng.normal(size=H.shape).astype(np.float32)
    H.backward(nd.array(dH))
    p.dY[-1][:, :, :NUM_HIDDENS] = dH
    kernels.begin_backward(p, [np.zeros((B, NUM_HIDDENS), np.float32)] * 3)
    kernels.pool.run(lambda k: kernels.backward(p, k, dX=np.zeros((T, B, 16), np.float32)), p.groups * p.columns)
    kernels.pool.run(lambda k: kernels.weights(p))
    for layer, (found,) in zip(scratch.parts.values(), kernels.gradients(p)):
        for gradient in found:
            wanted = layer.params[gradient.name].grad
            close(gradient.values.reshape(wanted.shape), wanted, gradient.name)


def test_nothing_is_dropped_where_a_gradient_is_recorded_in_predict_mode():
    scratch, numba = pair(build_network(NetworkConfig('gru', num_hiddens=NUM_HIDDENS, num_layers=2, dropout=0.5), NUM_INPUTS))
    X = nd.random.normal(shape=(T, B, NUM_INPUTS))
    numba.dropout_key()
    found = []
    for network in (scratch, numba):
        with autograd.record():     # leaves masks and dropped inputs behind
            network(X, network.begin_state(B))
        with autograd.record(train_mode=False):
            loss = (network(X, network.begin_state(B))[0] ** 2).sum()
        loss.backward(train_mode=False)
        found.append({name: param.grad.asnumpy() for name, param in network.parameters().items()})
    for name, gradient in found[0].items():
        close(found[1][name], gradient, name)


def test_other_devices_and_other_cells_are_refused():
    with pytest.raises(ValueError, match='impl numba has no clockwork network'):
        NetworkConfig('clockwork', 'numba')

    class Mine(GRU):
        pass
    with pytest.raises(ValueError, match='impl numba has RNN, GRU and LSTM, got Mine'):
        NumbaNetwork(Mine(3, 4))
    elsewhere = build_network(NetworkConfig(num_hiddens=3), 3, mx.cpu())
    elsewhere.ctx = mx.gpu(0)
    with pytest.raises(ValueError, match=r'runs on a CPU, got gpu\(0\): use gluon or hybrid'):
        NumbaNetwork(elsewhere)
