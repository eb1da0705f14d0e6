"""What is shown of a network is what the network does."""
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

import gluon_rnn
from gluon_rnn import ModelConfig, build_model
from gluon_rnn.book import diagnostics
from gluon_rnn.corpora.sampling import consecutive_batches
from gluon_rnn.models.language_model import redraw_weights

NETWORKS = [
    {'cell': 'rnn'}, {'cell': 'rnn', 'activation': 'relu', 'impl': 'gluon'}, {'cell': 'gru'}, {'cell': 'gru', 'impl': 'gluon'},
    {'cell': 'lstm'}, {'cell': 'lstm', 'impl': 'gluon'}, {'cell': 'gru', 'num_layers': 2}, {'cell': 'lstm', 'num_layers': 3,
                                                                                         'impl': 'gluon', 'residual': True},
    {'cell': 'gru', 'bidirectional': True, 'backward_hiddens': 3, 'num_layers': 2},
    {'cell': 'rnn', 'bidirectional': True, 'both_forward': True, 'activation': 'sigmoid'},
    {'cell': 'lstm', 'bidirectional': True, 'impl': 'gluon'},
    {'cell': 'clockwork', 'num_hiddens': 6, 'periods': (1, 2, 3)}, {'cell': 'clockwork', 'num_hiddens': 8, 'num_layers': 2},
    {'cell': 'clockwork', 'num_hiddens': 6, 'periods': (4, 1), 'bidirectional': True},
]


def model_of(options):
    model = build_model(ModelConfig(vocab_size=9, **{'num_hiddens': 5, **options}))
    redraw_weights(model, 0.8)
    for name, value in model.parameters().items():
        if 'bias' in name or name.startswith('b_') or '.b_' in name:
            value[:] = nd.random.normal(scale=0.5, shape=value.shape)
    return model


@pytest.mark.parametrize('options', NETWORKS, ids=str)
def test_the_trace_ends_where_the_network_does(options):
    model, indices = model_of(options), [1, 5, 2, 8, 0, 3]
    traces = diagnostics.trace(model.config, model.book_params(), indices)
    top = [trace['H'] for name, trace in traces.items() if name.startswith(f'layer {model.config.num_layers}')]
    H = np.concatenate(top, axis=1)
    if model.config.residual:
        H = H + traces['layer 2']['H'] + traces['layer 1']['H']
    params = model.book_params()
    logits, _ = model(nd.array([indices]), model.begin_state(1))
    assert_allclose(H @ params['W_hq'] + params['b_q'], logits.asnumpy(), rtol=1e-4, atol=1e-5)
    gates = [trace[gate] for trace in traces.values() for gate in trace if gate in 'ZRIFO']
    assert all(gate.min() >= 0 and gate.max() <= 1 for gate in gates)


@pytest.mark.parametrize('options', [{'cell': 'rnn'}, {'cell': 'gru'}, {'cell': 'lstm'}, {'cell': 'lstm', 'impl': 'gluon'},
                                     {'cell': 'gru', 'num_layers': 2}], ids=str)
def test_reach_is_the_derivative_by_the_state(options):
    model, indices = model_of(options), [1, 5, 2, 8, 0]
    norms = diagnostics.reach(model, indices)
    assert norms.shape == (3,)

    def loss(state):        # from the state after the first two characters
        logits, _ = model(nd.array([indices[2:4]]), state)
        return -float(nd.log_softmax(logits)[-1, indices[4]].asscalar())

    _, state = model(nd.array([indices[:2]]), model.begin_state(1))
    squares, step = 0, 1e-2
    for array in state:
        value = array.asnumpy()
        for at in np.ndindex(*value.shape):
            sides = []
            for sign in (1, -1):
                moved = value.copy()
                moved[at] += sign * step
                sides.append(loss(tuple(nd.array(moved) if a is array else a for a in state)))
            squares += ((sides[0] - sides[1]) / (2 * step)) ** 2
    assert norms[1] == pytest.approx(np.sqrt(squares), rel=2e-2)


def test_reach_over_a_long_text_is_small_but_not_zero():
    model, indices = model_of({'cell': 'rnn', 'impl': 'scratch'}), [k % 9 for k in range(40)]
    redraw_weights(model, 0.04)             # each step back leaves about a tenth
    params = {name: value.astype(np.float64) for name, value in model.book_params().items()}
    H = diagnostics.trace(model.config, params, indices[:-1])['layer 1']['H']
    logits = H[-1] @ params['W_hq'] + params['b_q']
    p = np.exp(logits - logits.max())
    gradient = params['W_hq'] @ (p / p.sum() - np.eye(9)[indices[-1]])
    expected = []
    for t in range(len(H) - 1, 0, -1):
        gradient = params['W_hh'] @ ((1 - H[t] ** 2) * gradient)
        expected.insert(0, np.linalg.norm(gradient))
    assert expected[0] < 1e-24              # whose square float32 does not have
    assert_allclose(diagnostics.reach(model, indices), expected, rtol=1e-3, atol=1e-44)      # float32 ends at 1.4e-45


def test_gradients_of_low_layers_are_small_but_not_zero():
    model = model_of({'cell': 'rnn', 'num_layers': 3})
    redraw_weights(model, 1e-8)
    X, Y = next(consecutive_batches(np.arange(41) % 9, 2, 5))
    norms = diagnostics.grad_norms_by_layer(model, X, Y)
    assert 0 < norms[0] < norms[1] < norms[2] and norms[0] < 1e-23


def test_reach_refuses_what_has_no_earlier_states():
    with pytest.raises(ValueError, match='second direction comes from the end'):
        diagnostics.reach(model_of({'bidirectional': True}), [1, 2, 3])
    with pytest.raises(ValueError, match='3 characters or more, got 2'):
        diagnostics.reach(model_of({}), [1, 2])


def test_singular_values_are_of_the_recurrent_matrices_alone():
    model = model_of({'cell': 'lstm', 'num_layers': 2})
    params, values = model.book_params(), diagnostics.singular_values(model.book_params())
    assert sorted(values) == [f'layer{k}.W_h{gate}' for k in (0, 1) for gate in 'cfio']
    W = params['layer1.W_hf']
    assert_allclose(values['layer1.W_hf'] ** 2, np.sort(np.linalg.eigvalsh(W.T @ W))[::-1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_norms_by_layer_add_up_to_all(impl):
    model = model_of({'cell': 'lstm', 'num_layers': 3, 'impl': impl})
    X, Y = next(consecutive_batches(np.arange(60) % 9, 2, 5))
    norms = diagnostics.grad_norms_by_layer(model, X, Y)
    everything = sum(float((value.grad ** 2).sum().asscalar()) for value in model.network.parameters().values())
    assert len(norms) == 3
    assert sum(norm ** 2 for norm in norms) == pytest.approx(everything, rel=1e-5)


def test_six_layers_of_the_books_weights_hardly_pass_a_gradient_down():
    gluon_rnn.seed(1)
    norms = {}
    for residual in (False, True):
        model = build_model(ModelConfig(vocab_size=9, num_hiddens=16, cell='lstm', num_layers=6, residual=residual))
        norms[residual] = diagnostics.grad_norms_by_layer(model, *next(consecutive_batches(np.arange(200) % 9, 4, 10)))
    assert norms[False][0] < 1e-6 * norms[False][-1]
    assert norms[True][0] > 1e-2 * norms[True][-1]
