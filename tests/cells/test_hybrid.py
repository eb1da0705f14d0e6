"""The Hybrid networks are the Scratch ones: the same outputs, states, gradients and training."""
from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn.cells import NetworkConfig, OneHot, build_network
from gluon_rnn.cells.gru import GRU, HybridGRU
from gluon_rnn.cells.output_layer import OutputLayer
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
}


def build(variant, impl, num_inputs=6, num_hiddens=5, ctx=None):
    if variant == INNER_BIAS:
        return {'scratch': GRU, 'hybrid': HybridGRU}[impl](num_inputs, num_hiddens, reset_after=True, inner_bias=True, ctx=ctx)
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
    states = [rng.normal(size=s.shape) for s in scratch.begin_state(batch_size)]
    weights = [nd.array(rng.normal(size=(num_steps, batch_size, scratch.num_outputs)), ctx=ctx) for _ in range(2)]
    wanted, found = run(scratch, inputs, states, weights), run(hybrid, inputs, states, weights)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert np.abs(value).max() > 0, f'{name} says nothing'
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
    for num_steps in range(1, 30):
        hybrid(OneHot(nd.zeros((num_steps, 1)), 6), hybrid.begin_state(1))
    assert hybrid.graphs.cache_info().currsize == 8


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
            hybrid.params['W_xz'].attach_grad('null')
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


def test_without_recording_no_gradient_is_built():
    _, hybrid = twins('gru')
    inputs, graphs = inputs_of('characters', np.random.default_rng(2), 3, 2), hybrid.graphs(3, 2)
    hybrid(inputs, hybrid.begin_state(2))
    assert 'backward' not in vars(graphs)
    with autograd.record():
        hybrid(inputs, hybrid.begin_state(2))
    assert 'backward' in vars(graphs)


@pytest.mark.parametrize('sampling', ['random', 'consecutive'])
@pytest.mark.parametrize('variant', VARIANTS)
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


def test_a_wrong_state_is_told():
    _, hybrid = twins('lstm')
    with pytest.raises(ValueError, match=r'state must be \(H, C\)'):
        hybrid(OneHot(nd.zeros((2, 1)), 6), (nd.zeros((1, 5)),))


@pytest.mark.parametrize('residual', [False, True])
@pytest.mark.parametrize('choices', [{'cell': 'rnn', 'activation': 'relu'}, {'cell': 'gru'}, {'cell': 'gru', 'reset_after': True},
                                     {'cell': 'lstm'}], ids=str)
@pytest.mark.parametrize('num_layers', [1, 3])
def test_greedy_generation_in_one_graph(choices, num_layers, residual):
    """The same characters as Scratch chooses one by one, whatever the number of them."""
    letters = 'abcdefghijkl'
    models = [gluon_rnn.build_model(gluon_rnn.ModelConfig(impl=impl, num_hiddens=7, num_layers=num_layers, residual=residual,
                                                          vocab_size=len(letters), **choices)) for impl in ('scratch', 'hybrid')]
    rng = np.random.default_rng(6)
    params = {name: rng.normal(scale=0.8, size=value.shape).astype('float32') for name, value in models[0].book_params().items()}
    for model in models:
        model.load_book_params(params)
    assert models[1].greedy() is not None
    for num_chars in (0, 1, 2, 16, 17, 18, 40):
        wanted, found = (gluon_rnn.generate(model, letters, 'bad', num_chars) for model in models)
        assert found == wanted
        assert len(found) == 3 + num_chars
    assert len(set(found)) > 2, 'the text says nothing'


def test_bidirectional_networks_are_generated_from_step_by_step():
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(impl='hybrid', num_hiddens=4, bidirectional=True, vocab_size=3))
    assert model.greedy() is None
    assert len(gluon_rnn.generate(model, 'abc', 'a', 5)) == 6
