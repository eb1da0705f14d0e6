"""The Hybrid networks are the Scratch ones: the same outputs, states, gradients and training; and what a graph is made of."""
from __future__ import annotations

import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn.cells import NetworkConfig, OneHot, build_network
from gluon_rnn.cells.gru import GRU
from gluon_rnn.cells.hybrid import Hybrid
from gluon_rnn.cells.output_layer import OutputLayer
from gluon_rnn.cells.scratch import Scratch
from gluon_rnn.corpora.sampling import num_batches

INNER_BIAS = 'gru reset after, inner bias'      # no NetworkConfig describes it: it is there to take over Gluon's weights
VARIANTS = {
    'rnn tanh': {'cell': 'rnn'},
    'rnn relu': {'cell': 'rnn', 'activation': 'relu'},
    'rnn sigmoid': {'cell': 'rnn', 'activation': 'sigmoid'},
    'gru': {'cell': 'gru'},
    'gru reset after': {'cell': 'gru', 'reset_after': True},
    INNER_BIAS: {'cell': 'gru', 'reset_after': True},
    'lstm': {'cell': 'lstm'},
    'deep gru': {'cell': 'gru', 'num_layers': 3},
    'bidirectional lstm': {'cell': 'lstm', 'bidirectional': True, 'backward_hiddens': 4},
    'deep bidirectional rnn': {'cell': 'rnn', 'num_layers': 2, 'bidirectional': True},
    'clockwork': {'cell': 'clockwork', 'periods': (1, 3, 2, 5, 4)},
    'residual lstm': {'cell': 'lstm', 'num_layers': 3, 'residual': True},
    'both forward': {'cell': 'rnn', 'bidirectional': True, 'both_forward': True},
}


def build(variant, impl, num_inputs=6, num_hiddens=5, ctx=None):
    if variant == INNER_BIAS:
        network = GRU(num_inputs, num_hiddens, reset_after=True, inner_bias=True, ctx=ctx)
        return Hybrid(network) if impl == 'hybrid' else network
    return build_network(NetworkConfig(impl=impl, num_hiddens=num_hiddens, **VARIANTS[variant]), num_inputs, ctx)


def large_weights(model):
    """None of them small or alike."""
    rng = np.random.default_rng(3)
    return {name: rng.normal(scale=0.5, size=value.shape).astype('float32') for name, value in model.parameters().items()}


def twins(variant, ctx=None):
    """The same network by hand and compiled, with the same weights."""
    pair = [build(variant, impl, ctx=ctx) for impl in ('scratch', 'hybrid')]
    params = large_weights(pair[0])
    for network in pair:
        network.load_book_params(params)
    return pair


def run(network, inputs, states, weights):
    """Outputs of two chained calls, the last state, and the gradients of one scalar made of them all."""
    states = [nd.array(state, ctx=network.ctx) for state in states]
    for array in [*states, *(x for x in inputs if not isinstance(x, OneHot))]:
        array.attach_grad()
    with autograd.record():
        H1, state = network(inputs[0], tuple(states))
        H2, state = network(inputs[1], state)
        total = (H1 * weights[0]).sum() + (H2 * weights[1]).sum() + sum((s * s * (k + 1)).sum() for k, s in enumerate(state))
    total.backward()
    found = {'outputs 1': H1, 'outputs 2': H2, **{f'state {k}': s for k, s in enumerate(state)}}
    found.update({f'gradient of state {k}': s.grad for k, s in enumerate(states)})
    found.update({f'gradient of inputs {k}': x.grad for k, x in enumerate(inputs) if not isinstance(x, OneHot)})
    found.update({f'gradient of {name}': p.grad for name, p in network.parameters().items()})
    assert {value.context for value in found.values()} == {network.ctx}
    return {name: value.asnumpy() for name, value in found.items()}


def inputs_of(kind, rng, num_steps, batch_size, num_inputs=6, ctx=None):
    if kind == 'characters':
        return OneHot(nd.array(rng.integers(num_inputs, size=(num_steps, batch_size)), ctx=ctx), num_inputs)
    return nd.array(rng.normal(size=(num_steps, batch_size, num_inputs)), ctx=ctx)


def assert_equal_runs(scratch, hybrid, kind, num_steps, batch_size):
    """Outputs, states and every gradient."""
    rng, ctx = np.random.default_rng(11), hybrid.ctx
    inputs = [inputs_of(kind, rng, num_steps, batch_size, ctx=ctx) for _ in range(2)]
    # of a Clockwork RNN the second is a clock, which has no gradient
    states = [np.full(s.shape, 3) if s.shape[1] == 1 else rng.normal(size=s.shape) for s in scratch.begin_state(batch_size)]
    weights = [nd.array(rng.normal(size=(num_steps, batch_size, scratch.num_outputs)), ctx=ctx) for _ in range(2)]
    wanted, found = run(scratch, inputs, states, weights), run(hybrid, inputs, states, weights)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert np.abs(value).max() > 0 or value.shape == (batch_size, 1), f'{name} says nothing'
        assert_allclose(found[name], value, rtol=2e-5, atol=2e-5, err_msg=f'{name}, {num_steps} steps of {batch_size}')


@pytest.mark.parametrize('kind', ['characters', 'vectors'])
@pytest.mark.parametrize('variant', VARIANTS)
def test_equal_outputs_states_and_gradients(variant, kind):
    assert_equal_runs(*twins(variant), kind, 4, 3)


@pytest.mark.parametrize('variant', ['rnn tanh', 'gru', 'gru reset after', INNER_BIAS, 'lstm'])
def test_any_shape_one_after_the_other(variant):
    scratch, hybrid = twins(variant)
    for num_steps, batch_size in [(1, 1), (7, 2), (1, 4), (3, 1), (7, 2), (2, 9)]:
        assert_equal_runs(scratch, hybrid, 'characters', num_steps, batch_size)


@pytest.mark.parametrize('kind', ['characters', 'vectors'])
@pytest.mark.parametrize('variant', ['gru reset after', 'lstm', 'bidirectional lstm'])
def test_on_another_context(variant, kind):
    assert_equal_runs(*twins(variant, mx.cpu(1)), kind, 4, 3)


def test_many_shapes_do_not_pile_up():
    _, hybrid = twins('gru')
    for num_steps in range(1, 12):
        hybrid(OneHot(nd.zeros((num_steps, 1)), 6), hybrid.begin_state(1))
    assert hybrid.graph.cache_info().currsize == 8


@pytest.mark.parametrize('variant', VARIANTS)
def test_without_recording_the_same(variant):
    rng, (scratch, hybrid) = np.random.default_rng(2), twins(variant)
    inputs, state = inputs_of('characters', rng, 3, 2), scratch.begin_state(2)
    for network in (scratch, hybrid):
        with autograd.record():
            recorded, _ = network(inputs, state)
        assert_allclose(network(inputs, state)[0].asnumpy(), recorded.asnumpy(), rtol=1e-6, atol=1e-7)
    assert_allclose(hybrid(inputs, state)[0].asnumpy(), scratch(inputs, state)[0].asnumpy(), rtol=1e-5, atol=1e-6)


def test_the_state_of_an_earlier_call_stays():
    _, hybrid = twins('lstm')
    rng = np.random.default_rng(1)
    _, state = hybrid(inputs_of('characters', rng, 3, 2), hybrid.begin_state(2))
    before = [s.asnumpy() for s in state]
    hybrid(inputs_of('characters', rng, 3, 2), state)
    for s, value in zip(state, before):
        assert_array_equal(s.asnumpy(), value)


def test_gradients_that_are_not_wanted_cost_no_other():
    """A frozen weight in front of the others: `autograd.Function` would leave out all behind it."""
    _, hybrid = twins('gru')
    rng = np.random.default_rng(4)
    inputs = inputs_of('characters', rng, 3, 2)
    grads = []
    for frozen in (False, True):
        if frozen:
            hybrid.parameters()['W_xz'].attach_grad('null')
        with autograd.record():
            total = (hybrid(inputs, hybrid.begin_state(2))[0] ** 2).sum()
        total.backward()
        grads.append({name: p.grad.asnumpy() for name, p in hybrid.parameters().items() if name != 'W_xz'})
    for name, value in grads[0].items():
        assert_array_equal(grads[1][name], value, err_msg=name)


def test_grad_req_add_adds():
    _, hybrid = twins('gru')
    inputs = inputs_of('characters', np.random.default_rng(4), 3, 2)
    sums = []
    for times in (1, 3):
        for p in hybrid.parameters().values():
            p.attach_grad('add')
        for _ in range(times):
            with autograd.record():
                total = (hybrid(inputs, hybrid.begin_state(2))[0] ** 2).sum()
            total.backward()
        sums.append({name: p.grad.asnumpy() for name, p in hybrid.parameters().items()})
    for name, value in sums[0].items():
        assert_allclose(sums[1][name], 3 * value, rtol=1e-5, atol=1e-6, err_msg=name)


# of equal gradients, training can only go astray by the state that it carries on: of one array, of two, of layers, with a clock
@pytest.mark.parametrize('variant, sampling', [('gru', 'consecutive'), ('gru', 'random'), ('lstm', 'consecutive'),
                                               ('deep bidirectional rnn', 'consecutive'), ('clockwork', 'consecutive')])
def test_ten_steps_of_training(variant, sampling):
    """Every parameter goes the same way, held against the length of that way and not against the parameter."""
    corpus = gluon_rnn.Corpus.from_text('the quick brown fox jumps over the lazy dog, and again ' * 5)
    config = gluon_rnn.TrainConfig(num_epochs=2, num_steps=6, batch_size=8, sampling=sampling, lr=1, clipping_theta=0.1)
    assert num_batches(len(corpus.indices), 8, 6, sampling) * config.num_epochs == 10
    ends = []
    for impl in ('scratch', 'hybrid'):
        network = build(variant, impl, corpus.vocab_size)
        output = OutputLayer(network.num_outputs, corpus.vocab_size)
        model = gluon_rnn.LanguageModel(gluon_rnn.ModelConfig(vocab_size=corpus.vocab_size), network, output)
        before = large_weights(model)
        model.load_book_params(before)
        records = gluon_rnn.train(model, corpus.indices, config)
        ends.append((records[2].perplexity, {name: after - before[name] for name, after in model.book_params().items()}))
    (wanted_perplexity, wanted), (perplexity, found) = ends
    assert_allclose(perplexity, wanted_perplexity, rtol=1e-5)
    for name, way in wanted.items():
        longest = np.abs(way).max()
        assert longest > 1e-3, f'{name} moved by {longest} only: nothing is compared'
        assert_allclose(found[name], way, rtol=0, atol=1e-3 * longest, err_msg=name)


class Mine(Scratch):
    """A reader's own: `nd.dot` and `+` alone, a second state that counts, and a state that no step changes."""
    state_names = ('H', 'S', 'K')

    def __init__(self, num_inputs, num_hiddens):
        super().__init__(num_inputs, num_hiddens)
        self.W_xh, self.W_hh, self.b_h = self.gate('h')

    def step(self, X, state):
        H, S, K = state
        X = X.dense() if isinstance(X, OneHot) else X
        H = nd.tanh(nd.dot(X, self.W_xh) + nd.dot(H + K, self.W_hh) + self.b_h)
        return H, (H, S + H, K)


class Alone(Mine):
    """A step that reads an array of its own."""

    def step(self, X, state):
        H, state = super().step(X, state)
        return H + nd.full(H.shape, 3), state


@pytest.mark.parametrize('kind', ['characters', 'vectors'])
@pytest.mark.parametrize('cell', [Mine, Alone])
def test_a_readers_own_cell(cell, kind):
    """A step that makes arrays from numbers has no graph and runs as it is."""
    scratch, hybrid = cell(6, 5), Hybrid(cell(6, 5))
    params = large_weights(scratch)
    for network in (scratch, hybrid):
        network.load_book_params(params)
    assert_equal_runs(scratch, hybrid, kind, 4, 3)
    shapes = [s.shape for s in scratch.begin_state(3)]
    graph = hybrid.graph(*((6, np.float32, (4, 3)) if kind == 'characters' else (None, np.float32, (4, 3, 6))), *shapes)
    assert (graph is None) == (cell is Alone)


def test_indices_of_any_type():
    _, hybrid = twins('gru')
    indices = nd.array([[0, 1], [5, 2]])
    wanted, _ = hybrid(OneHot(indices, 6), hybrid.begin_state(2))
    found, _ = hybrid(OneHot(indices.astype('int32'), 6), hybrid.begin_state(2))
    assert_array_equal(found.asnumpy(), wanted.asnumpy())


def test_weights_loaded_after_the_graph_was_made():
    scratch, hybrid = twins('deep gru')
    inputs = inputs_of('characters', np.random.default_rng(5), 3, 2)
    before, _ = hybrid(inputs, hybrid.begin_state(2))
    params = {name: 2 * value + 0.1 for name, value in scratch.book_params().items()}
    for network in (scratch, hybrid):
        network.load_book_params(params)
        for parameter in network.parameters().values():
            parameter.attach_grad()         # and each has a new place for its gradient
    assert np.abs((hybrid(inputs, hybrid.begin_state(2))[0] - before).asnumpy()).max() > 1e-2
    assert_equal_runs(scratch, hybrid, 'characters', 3, 2)


def test_making_a_graph_draws_no_random_numbers():
    """Else the dropout of a run that goes on would be another than that of a run without a break."""
    config = NetworkConfig(impl='hybrid', num_hiddens=4, num_layers=2, dropout=0.5)
    network, inputs, found = build_network(config, 6), OneHot(nd.array([[0, 1], [2, 3]]), 6), []
    for _ in range(2):
        gluon_rnn.seed(3)
        with autograd.record():
            H, _ = network(inputs, network.begin_state(2))
        found.append(H.asnumpy())
    assert_array_equal(*found)
    assert hybrid_calls(network) == (1, 1)


def hybrid_calls(network):
    """How many graphs were made, and how many calls found theirs."""
    info = network.graph.cache_info()
    return info.misses, info.hits


PASSES = """
import numpy as np
import gluon_rnn
from gluon_rnn.cells import NetworkConfig, OneHot, build_network
from mxnet import autograd, nd

net = build_network(NetworkConfig(impl={impl!r}, cell='gru', num_hiddens=3, num_layers=4), 6)
for array in net.parameters().values():
    array[:] = nd.random.normal(shape=array.shape)
inputs, state = OneHot(nd.array([[0, 1], [2, 3], [1, 5]]), 6), net.begin_state(2)

def backward_passes(number):
    for _ in range(number):
        with autograd.record():
            H, _ = net(inputs, state)
        H.backward()
    return {{name: array.grad.asnumpy() for name, array in net.parameters().items()}}

once = backward_passes(1)
for array in net.parameters().values():
    array.attach_grad('add')
for name, grad in backward_passes(20).items():
    np.testing.assert_allclose(grad, 20 * once[name], rtol=1e-4, atol=1e-4, err_msg=name)
for _ in range(50):         # and the process ends while most of them wait
    with autograd.record():
        H, _ = net(inputs, state)
    H.backward()
"""


@pytest.mark.slow
@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
def test_many_passes_may_be_under_way_also_at_the_end(impl):
    """In a process of its own, for what is looked for is that it ends: none waits for ever, and their gradients add up."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', PASSES.format(impl=impl)], check=True, timeout=60)
