"""Each network by hand against its twin in gluon.rnn, against the book's equations in float64, and against its own derivative.

Weights, biases and first states are random and large, the batch is of two or more, and two calls are chained without a cut
between them, so that nothing is equal by chance: a swapped gate, a lost bias or a state not handed on shows.
"""
from dataclasses import replace

import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn.cells import GRU, LSTM, RNN, BiRNN, NetworkConfig, OneHot, build_network
from gluon_rnn.cells.base import Composite
from gluon_rnn.cells.gluon_layer import GluonLayer
from gluon_rnn.cells.gru import gluon_gru
from gluon_rnn.cells.weights import PACKED, unpack

NUM_INPUTS, NUM_HIDDENS, BATCH_SIZE = 4, 5, 3
CLOSE = 3e-6        # of an array's largest number: some 30 units in float32's last place, over seven steps

CONFIGS = [
    NetworkConfig('rnn'),
    NetworkConfig('rnn', activation='relu'),
    NetworkConfig('rnn', activation='sigmoid'),
    NetworkConfig('gru', reset_after=True),
    NetworkConfig('lstm'),
    NetworkConfig('rnn', bidirectional=True),
    NetworkConfig('rnn', bidirectional=True, activation='sigmoid'),
    NetworkConfig('lstm', bidirectional=True),
    NetworkConfig('rnn', bidirectional=True, backward_hiddens=2),
    NetworkConfig('gru', bidirectional=True, backward_hiddens=7, reset_after=True),
    NetworkConfig('lstm', bidirectional=True, backward_hiddens=2),
    NetworkConfig('rnn', num_layers=2),
    NetworkConfig('rnn', num_layers=2, activation='sigmoid'),
    NetworkConfig('gru', num_layers=2, reset_after=True),
    NetworkConfig('lstm', num_layers=2),
    NetworkConfig('rnn', num_layers=2, bidirectional=True, activation='relu'),
    NetworkConfig('gru', num_layers=2, bidirectional=True, reset_after=True),
    NetworkConfig('lstm', num_layers=2, bidirectional=True),
    NetworkConfig('lstm', num_layers=2, bidirectional=True, backward_hiddens=2),
    NetworkConfig('lstm', num_layers=3, residual=True),
    NetworkConfig('rnn', num_layers=2, bidirectional=True, both_forward=True),
]


def label(config):
    parts = [config.cell, config.activation * (config.cell == 'rnn'), 'deep' * (config.num_layers > 1),
             'bidirectional' * config.bidirectional, 'unequal' * bool(config.backward_hiddens), 'residual' * config.residual,
             'both-forward' * config.both_forward]
    return '-'.join(part for part in parts if part)


def build(config):
    return build_network(replace(config, num_hiddens=NUM_HIDDENS), NUM_INPUTS)


def normal(*shape, scale=1.0):
    return np.random.normal(scale=scale, size=shape).astype(np.float32)


def randomize(network):
    """Large random weights; both biases of a gluon.rnn gate, but for the candidate's second one, which the book has not."""
    for name, param in network.parameters().items():
        param[:] = normal(*param.shape, scale=0.6)
        if name.endswith('h2h_bias') and gluon_layers(network)[0].cell == 'gru':
            param[-(param.shape[0] // 3):] = 0


def gluon_layers(network):
    return [layer for part in network.parts.values() for layer in gluon_layers(part)] if isinstance(network, Composite) \
        else [network]


def book_gradients(network):
    """Gradients under the book's names and in its layout."""
    if isinstance(network, Composite):
        return {f'{name}.{key}': grad for name, part in network.parts.items() for key, grad in book_gradients(part).items()}
    if not isinstance(network, GluonLayer):
        return {name: param.grad.asnumpy() for name, param in network.parameters().items()}
    grads, own = {}, network.parameters()
    for book, short in network._parts().items():
        packed = {name: own[short + name].grad.asnumpy() for name in PACKED}
        shared = slice(-(packed['h2h_bias'].size // 3) if network.cell == 'gru' else None)
        assert_close(packed['h2h_bias'][shared], packed['i2h_bias'][shared], book)      # one sum, so one gradient
        packed['h2h_bias'] = np.zeros_like(packed['h2h_bias'])
        grads.update({book + name: value for name, value in unpack(packed, network.cell).items()})
    return grads


def book_arrays(network, arrays):
    """A state as arrays (batch_size, num_hiddens), lowest layer first, its forward direction first, H before C."""
    if isinstance(network, Composite):
        pieces = network.split_state(arrays)
        return [array for name, part in network.parts.items() for array in book_arrays(part, pieces[name])]
    if arrays[0].ndim == 2:
        return [array.asnumpy() for array in arrays]
    return [array[i].asnumpy() for i in range(arrays[0].shape[0]) for array in arrays]


def set_state(network, state, values):
    """Write what `book_arrays` returns into a state."""
    values = list(values)
    if isinstance(network, Composite):
        pieces = network.split_state(state)
        for name, part in network.parts.items():
            count = len(book_arrays(part, pieces[name]))
            set_state(part, pieces[name], values[:count])
            values = values[count:]
    elif state[0].ndim == 2:
        for array, value in zip(state, values):
            array[:] = value
    else:
        for i in range(state[0].shape[0]):
            for array in state:
                array[i] = values.pop(0)


def run(network, inputs, first_state, seed):
    """Two chained calls, and backward from a random weighting of all that came out. Returns everything, in the book's layout."""
    rng = np.random.RandomState(seed)
    inputs = [nd.array(X) for X in inputs]
    state = network.begin_state(inputs[0].shape[1])
    set_state(network, state, first_state)
    for array in (*inputs, *state):
        array.attach_grad()
    with autograd.record():
        H_1, middle = network(inputs[0], state)
        H_2, last = network(inputs[1], middle)
        loss = sum((H * nd.array(rng.normal(size=H.shape))).sum() for H in (H_1, H_2))
        flat = sum((array ** 2).sum() for array in last)
        (loss + flat).backward()
    grads = book_gradients(network)
    grads.update({f'X_{i}': X.grad.asnumpy() for i, X in enumerate(inputs)})
    grads.update({f'state_{i}': grad for i, grad in enumerate(book_arrays(network, tuple(s.grad for s in state)))})
    outputs = {'H_1': H_1.asnumpy(), 'H_2': H_2.asnumpy()}
    outputs.update({f'{name}_{i}': array for name, s in (('middle', middle), ('last', last))
                    for i, array in enumerate(book_arrays(network, s))})
    return outputs, grads


def assert_close(array, expected, name=''):
    largest = np.abs(expected).max()
    assert largest > 1e-3, f'{name} is all but zero: nothing is compared'
    assert_allclose(array, expected, rtol=0, atol=CLOSE * largest, err_msg=name)


def assert_same(results, others):
    for mine, theirs in zip(results, others):
        assert mine.keys() == theirs.keys()
        for name in mine:
            assert_close(mine[name], theirs[name], name)


@pytest.mark.parametrize('steps', [(3, 4), (1, 1)], ids=str)
@pytest.mark.parametrize('config', CONFIGS, ids=label)
def test_scratch_equals_gluon(config, steps, seed):
    gluon, scratch = build(replace(config, impl='gluon', reset_after=None)), build(config)
    randomize(gluon)
    scratch.load_book_params(gluon.book_params())
    inputs = [normal(num_steps, BATCH_SIZE, NUM_INPUTS) for num_steps in steps]
    first_state = [normal(*array.shape, scale=0.7) for array in book_arrays(scratch, scratch.begin_state(BATCH_SIZE))]
    assert_same(run(scratch, inputs, first_state, seed), run(gluon, inputs, first_state, seed))


@pytest.mark.parametrize('config', CONFIGS, ids=label)
def test_weights_travel_both_ways(config):
    gluon, scratch = build(replace(config, impl='gluon', reset_after=None)), build(config)
    params = {name: normal(*value.shape) for name, value in scratch.book_params().items()}
    scratch.load_book_params(params)
    gluon.load_book_params(scratch.book_params())
    returned = gluon.book_params()
    assert returned.keys() == params.keys()
    for name, value in params.items():
        assert_array_equal(returned[name], value)


def test_gru_with_gluons_inner_bias(seed):
    gluon = gluon_gru(NUM_INPUTS, NUM_HIDDENS)
    for param in gluon.parameters().values():
        param[:] = normal(*param.shape, scale=0.6)
    scratch = GRU(NUM_INPUTS, NUM_HIDDENS, reset_after=True, inner_bias=True)
    scratch.load_book_params(gluon.book_params())
    inputs = [normal(num_steps, BATCH_SIZE, NUM_INPUTS) for num_steps in (3, 4)]
    state = [normal(BATCH_SIZE, NUM_HIDDENS)]
    outputs, grads = run(scratch, inputs, state, seed)
    inner = grads.pop('b_hh')
    assert_same((outputs, grads), run(gluon, inputs, state, seed))
    assert_close(inner, gluon.parameters()['l0_h2h_bias'].grad.asnumpy()[-NUM_HIDDENS:])


def test_the_books_gru_is_not_gluons(seed):
    """The book resets the state before the product with W_hh, Gluon the product: one set of weights, two networks."""
    gluon, book = gluon_gru(NUM_INPUTS, NUM_HIDDENS), GRU(NUM_INPUTS, NUM_HIDDENS)
    randomize(gluon)
    book.load_book_params(gluon.book_params())
    X, state = nd.array(normal(3, BATCH_SIZE, NUM_INPUTS)), normal(BATCH_SIZE, NUM_HIDDENS)
    H_gluon, _ = gluon(X, (nd.array(state[None]),))
    H_book, _ = book(X, (nd.array(state),))
    assert np.abs(H_gluon.asnumpy() - H_book.asnumpy()).max() > 0.05


# --------------------------------------------------------------------------------------- the book's equations, in float64

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def equations_rnn(p, X, H, phi):
    H = phi(X @ p['W_xh'] + H @ p['W_hh'] + p['b_h'])
    return H, (H,)


def equations_gru(p, X, H):
    Z = sigmoid(X @ p['W_xz'] + H @ p['W_hz'] + p['b_z'])
    R = sigmoid(X @ p['W_xr'] + H @ p['W_hr'] + p['b_r'])
    H = Z * H + (1 - Z) * np.tanh(X @ p['W_xh'] + (R * H) @ p['W_hh'] + p['b_h'])
    return H, (H,)


def equations_gru_reset_after(p, X, H):
    Z = sigmoid(X @ p['W_xz'] + H @ p['W_hz'] + p['b_z'])
    R = sigmoid(X @ p['W_xr'] + H @ p['W_hr'] + p['b_r'])
    H = Z * H + (1 - Z) * np.tanh(X @ p['W_xh'] + R * (H @ p['W_hh'] + p['b_hh']) + p['b_h'])
    return H, (H,)


def equations_lstm(p, X, H, C):
    I, F, O = (sigmoid(X @ p[f'W_x{gate}'] + H @ p[f'W_h{gate}'] + p[f'b_{gate}']) for gate in 'ifo')
    C = F * C + I * np.tanh(X @ p['W_xc'] + H @ p['W_hc'] + p['b_c'])
    H = O * np.tanh(C)
    return H, (H, C)


BOOK = {
    'rnn-tanh': (RNN, {}, lambda *args: equations_rnn(*args, np.tanh)),
    'rnn-relu': (RNN, {'activation': 'relu'}, lambda *args: equations_rnn(*args, lambda x: np.maximum(x, 0))),
    'rnn-sigmoid': (RNN, {'activation': 'sigmoid'}, lambda *args: equations_rnn(*args, sigmoid)),
    'gru': (GRU, {}, equations_gru),
    'gru-reset-after': (GRU, {'reset_after': True, 'inner_bias': True}, equations_gru_reset_after),
    'lstm': (LSTM, {}, equations_lstm),
}


@pytest.mark.parametrize('kind', BOOK)
def test_scratch_is_the_books_equations_and_their_derivative(kind, seed):
    """Forward in float64 from the page; the gradients by central differences of that."""
    network_class, options, equations = BOOK[kind]
    network = network_class(NUM_INPUTS, NUM_HIDDENS, **options)
    randomize(network)
    inputs = [normal(num_steps, 2, NUM_INPUTS) for num_steps in (3, 2)]
    first_state = [normal(2, NUM_HIDDENS, scale=0.7) for _ in network.state_names]
    outputs, grads = run(network, inputs, first_state, seed)

    exact = {name: value.astype(np.float64) for name, value in network.book_params().items()}
    exact.update({f'X_{i}': X.astype(np.float64) for i, X in enumerate(inputs)})
    exact.update({f'state_{i}': s.astype(np.float64) for i, s in enumerate(first_state)})

    def loss():
        rng = np.random.RandomState(seed)
        state, values = tuple(exact[f'state_{i}'] for i in range(len(first_state))), []
        for i in range(2):
            H = []
            for X in exact[f'X_{i}']:
                H_t, state = equations(exact, X, *state)
                H.append(H_t)
            values.append(np.stack(H))
        return values, state, sum((H * rng.normal(size=H.shape).astype(np.float32)).sum() for H in values) + \
            sum((s ** 2).sum() for s in state)

    (H_1, H_2), last, _ = loss()
    expected = {'H_1': H_1, 'H_2': H_2, **{f'last_{i}': s for i, s in enumerate(last)}}
    for name, value in expected.items():
        assert_close(outputs[name], value, name)
    for name, grad in grads.items():
        numeric = np.zeros(grad.shape)
        for at in np.ndindex(*grad.shape):
            kept = exact[name][at]
            exact[name][at] = kept + 1e-6
            above = loss()[2]
            exact[name][at] = kept - 1e-6
            numeric[at] = (above - loss()[2]) / 2e-6
            exact[name][at] = kept
        assert_close(grad, numeric, name)


# -------------------------------------------------------------------------------------------------- both directions of time

def by_hand_forward_and_backward(impl):
    """relu, W_xh 1, W_hh 10, no bias: each hidden state spells out which inputs it has read, and in which order."""
    network = build_network(NetworkConfig('rnn', impl, num_hiddens=1, bidirectional=True, activation='relu'), 1)
    values = {'W_xh': [[1]], 'W_hh': [[10]], 'b_h': [0]}
    network.load_book_params({f'{direction}.{name}': np.array(value, dtype=np.float32)
                              for direction in ('forward', 'backward') for name, value in values.items()})
    return network


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_second_direction_runs_from_the_end(impl):
    network = by_hand_forward_and_backward(impl)
    H, state = network(nd.array([1, 2, 3]).reshape((3, 1, 1)), network.begin_state(1))
    assert_array_equal(H.asnumpy()[:, 0], [[1, 321], [12, 32], [123, 3]])
    assert [float(array.item()) for array in book_arrays(network, state)] == [123, 321]
    assert [float(array.item()) for array in book_arrays(network, network.carry(state))] == [123, 0]


def test_directions_may_be_of_different_networks(seed):
    forward, backward = LSTM(NUM_INPUTS, 3), GRU(NUM_INPUTS, 2)
    network = BiRNN(forward, backward)
    randomize(network)
    X = nd.array(normal(4, 2, NUM_INPUTS))
    H, state = network(X, network.begin_state(2))
    H_forward, last = forward(X, forward.begin_state(2))
    H_backward, first = backward(nd.array(X.asnumpy()[::-1]), backward.begin_state(2))
    assert_array_equal(H.asnumpy(), np.concatenate([H_forward.asnumpy(), H_backward.asnumpy()[::-1]], axis=2))
    assert [s.shape for s in state] == [(2, 3), (2, 3), (2, 2)]
    assert_array_equal(state[2].asnumpy(), first[0].asnumpy())
    assert_array_equal(state[0].asnumpy(), last[0].asnumpy())


# ------------------------------------------------------------------------------------------------------------------- one-hot

@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
@pytest.mark.parametrize('config', [NetworkConfig('rnn'), NetworkConfig('gru'), NetworkConfig('lstm', bidirectional=True),
                                    NetworkConfig('gru', num_layers=2)], ids=label)
def test_indices_equal_one_hot_vectors(config, impl):
    network = build(replace(config, impl=impl))
    randomize(network)
    indices = nd.array([[0, 3, 3], [1, 0, 2], [3, 3, 0], [2, 2, 2]])       # characters come again, so gradients add up
    results = []
    for X in (OneHot(indices, NUM_INPUTS), nd.one_hot(indices, NUM_INPUTS)):
        with autograd.record():
            H, state = network(X, network.begin_state(3))
            (H ** 2).sum().backward()
        results.append(({'H': H.asnumpy(), 'last': state[0].asnumpy()}, book_gradients(network)))
    assert_same(*results)
