"""Rows of unequal length: padding changes nothing."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import rnn

import gluon_rnn
from gluon_rnn.cells import NetworkConfig, OneHot, build_network
from gluon_rnn.cells.ops import reverse

LENGTHS = [3, 6, 1, 3, 5]
NUM_STEPS, NUM_INPUTS = 6, 4
NETWORKS = [{'cell': cell, 'impl': impl, 'num_layers': num_layers, 'bidirectional': bidirectional}
            for cell in ('rnn', 'gru', 'lstm') for impl in ('scratch', 'hybrid', 'gluon')
            for num_layers, bidirectional in ((1, False), (2, True))]
NETWORKS += [{'cell': 'gru', 'impl': impl, 'num_layers': 2, 'bidirectional': True, 'backward_hiddens': 2}
             for impl in ('scratch', 'hybrid', 'gluon')]
NETWORKS += [{'cell': 'rnn', 'impl': impl, 'activation': 'sigmoid', 'bidirectional': True}
             for impl in ('scratch', 'hybrid', 'gluon')]
NETWORKS += [{'cell': 'gru', 'impl': 'scratch', 'num_layers': 3, 'residual': True},
             {'cell': 'gru', 'impl': 'scratch', 'bidirectional': True, 'both_forward': True}]


def make(network, seed):
    """The network with weights large enough to matter, and a random state to begin from."""
    gluon_rnn.seed(seed)
    network = build_network(NetworkConfig(num_hiddens=3, **network), NUM_INPUTS)
    rng = np.random.default_rng(seed)
    network.load_book_params({name: rng.normal(0, .5, value.shape).astype('float32')
                              for name, value in network.book_params().items()})
    state = tuple(nd.array(rng.normal(0, .5, s.shape)) for s in network.begin_state(len(LENGTHS)))
    return network, state, rng


def rows_of(state, row):
    """One row of a state: the batch is the last axis but one of each array."""
    return tuple(nd.slice_axis(s, axis=s.ndim - 2, begin=row, end=row + 1) for s in state)


def run_and_differentiate(network, calls, heads, state_heads):
    """Outputs, states and summed gradients of the calls, each (inputs, state, lengths), with given head gradients."""
    for parameter in network.parameters().values():
        parameter.grad[:] = 0
    results, gradients = [], {}
    for (inputs, state, lengths), head, state_head in zip(calls, heads, state_heads):
        with autograd.record():
            outputs, last = network(inputs, state, lengths)
            loss = (outputs * head).sum() + sum((s * h).sum() for s, h in zip(last, state_head))
        loss.backward()
        for name, parameter in network.parameters().items():
            gradients[name] = gradients.get(name, 0) + parameter.grad.asnumpy()
        results.append((outputs.asnumpy(), [s.asnumpy() for s in last]))
    return results, gradients


@pytest.mark.parametrize('network', NETWORKS, ids=lambda n: ' '.join(f'{v}' for v in n.values()))
def test_padding_changes_nothing(network):
    check_padding(network, one_hot=False)


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_padding_changes_nothing_for_one_hot_inputs(impl):
    check_padding({'cell': 'gru', 'impl': impl, 'bidirectional': True}, one_hot=True)


def check_padding(network, *, one_hot):
    network, state, rng = make(network, seed=5)
    if one_hot:
        indices = rng.integers(0, NUM_INPUTS, (NUM_STEPS, len(LENGTHS))).astype('float32')
        inputs, alone = OneHot(nd.array(indices), NUM_INPUTS), lambda b, n: OneHot(nd.array(indices[:n, b:b + 1]), NUM_INPUTS)
    else:
        X = rng.normal(size=(NUM_STEPS, len(LENGTHS), NUM_INPUTS)).astype('float32')
        for row, length in enumerate(LENGTHS):
            X[length:, row] = np.nan          # what padding holds must not matter
        inputs, alone = nd.array(X), lambda b, n: nd.array(X[:n, b:b + 1])
    head = rng.normal(size=(NUM_STEPS, len(LENGTHS), network.num_outputs)).astype('float32')
    state_head = [nd.array(rng.normal(size=s.shape)) for s in state]

    (together,), gradients = run_and_differentiate(network, [(inputs, state, LENGTHS)], [nd.array(head)], [state_head])
    singly, wanted = run_and_differentiate(
        network, [(alone(b, n), rows_of(state, b), None) for b, n in enumerate(LENGTHS)],
        [nd.array(head[:n, b:b + 1]) for b, n in enumerate(LENGTHS)], [rows_of(state_head, b) for b in range(len(LENGTHS))])

    outputs, last = together
    for row, (length, (row_outputs, row_last)) in enumerate(zip(LENGTHS, singly)):
        np.testing.assert_allclose(outputs[:length, row], row_outputs[:, 0], rtol=1e-5, atol=1e-6)
        assert not outputs[length:, row].any()
        for whole, single in zip(last, row_last):
            np.testing.assert_allclose(np.take(whole, [row], axis=whole.ndim - 2), single, rtol=1e-5, atol=1e-6)
    for name in wanted:
        np.testing.assert_allclose(gradients[name], wanted[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_full_lengths_are_no_lengths(impl):
    network, state, rng = make({'cell': 'lstm', 'impl': impl, 'bidirectional': True}, seed=2)
    X = nd.array(rng.normal(size=(NUM_STEPS, len(LENGTHS), NUM_INPUTS)))
    outputs, last = network(X, state, [NUM_STEPS] * len(LENGTHS))
    wanted, wanted_last = network(X, state)
    np.testing.assert_array_equal(outputs.asnumpy(), wanted.asnumpy())
    for one, other in zip(last, wanted_last):
        np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())


def test_no_row_is_as_long_as_the_array():
    network, state, rng = make({'cell': 'gru'}, seed=3)
    X = nd.array(rng.normal(size=(NUM_STEPS, len(LENGTHS), NUM_INPUTS)))
    outputs, _ = network(X, state, [2, 2, 1, 2, 1])
    assert outputs.shape == (NUM_STEPS, len(LENGTHS), 3)
    assert outputs[:2, 0].asnumpy().all() and not outputs[2:].asnumpy().any()


def test_reverse_leaves_padding_in_place():
    indices = nd.array([[1, 5], [2, 6], [3, 0], [4, 0]])
    turned = reverse(OneHot(indices, 7), np.array([4, 2])).indices
    assert turned.asnumpy().T.tolist() == [[4, 3, 2, 1], [6, 5, 0, 0]]


@pytest.mark.parametrize('lengths, message', [
    ([3, 7, 1, 3, 5], 'from 1 to 6, the steps of the array, got .3, 7, 1, 3, 5.'),
    ([3, 0, 1, 3, 5], 'from 1 to 6'),
    ([3, -1, 1, 3, 5], 'from 1 to 6'),
    ([3, 1.5, 1, 3, 5], 'whole numbers'),
    ([3, float('nan'), 1, 3, 5], 'whole numbers'),
    (['3', '1', '1', '3', '5'], 'whole numbers'),
    ([3, 6], 'one number for each of the 5 rows'),
    (3, 'one number for each of the 5 rows'),
])
@pytest.mark.parametrize('bidirectional', [False, True])
def test_wrong_lengths(lengths, message, bidirectional):
    network, state, _ = make({'cell': 'gru', 'bidirectional': bidirectional}, seed=0)
    with pytest.raises(ValueError, match=message):
        network(nd.ones((NUM_STEPS, len(LENGTHS), NUM_INPUTS)), state, lengths)


def test_lengths_may_be_arrays():
    network, state, rng = make({'cell': 'gru'}, seed=4)
    X = nd.array(rng.normal(size=(NUM_STEPS, len(LENGTHS), NUM_INPUTS)))
    wanted = network(X, state, LENGTHS)[0].asnumpy()
    for lengths in (np.array(LENGTHS), nd.array(LENGTHS), nd.array(LENGTHS, dtype='int32')):
        np.testing.assert_array_equal(network(X, state, lengths)[0].asnumpy(), wanted)


def test_language_model_reads_rows_of_unequal_length():
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell='lstm', num_hiddens=8, vocab_size=10))
    X = nd.array([[1, 2, 3, 4], [5, 6, 0, 0]])
    logits, last = model(X, model.begin_state(2), [4, 2])
    alone, alone_last = model(X[1:, :2], model.begin_state(1))
    np.testing.assert_allclose(logits.reshape((4, 2, 10))[:2, 1].asnumpy(), alone.asnumpy(), rtol=1e-5, atol=1e-7)
    for one, other in zip(last, alone_last):
        np.testing.assert_allclose(one[1].asnumpy(), other[0].asnumpy(), rtol=1e-5, atol=1e-7)


def test_why_gluons_own_lengths_are_not_used():
    """On the CPU, `use_sequence_length` is taken without a word and ignored."""
    if mx.runtime.Features().is_enabled('CUDA'):
        pytest.skip('about the CPU')
    mx.random.seed(0)
    layer = rnn.GRU(3, input_size=2, use_sequence_length=True)
    layer.initialize()
    X, state = nd.random.normal(shape=(4, 1, 2)), layer.begin_state(1)
    short, _ = layer(X, state, nd.array([2]))
    assert short[2:].asnumpy().all()
