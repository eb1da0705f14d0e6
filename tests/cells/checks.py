"""Checks of a network that several files here share: its outputs, states and gradients in the book's layout, and what is close.

Weights, biases and first states are random and large, the batch is of two or more, and two calls are chained without a cut
between them, so that nothing is equal by chance: a swapped gate, a lost bias or a state not handed on shows.
"""
from dataclasses import replace

import numpy as np
from mxnet import autograd, nd
from numpy.testing import assert_allclose

from gluon_rnn.cells import build_network
from gluon_rnn.cells.base import Composite
from gluon_rnn.cells.gluon_layer import GluonLayer
from gluon_rnn.cells.weights import PACKED, unpack

NUM_INPUTS, NUM_HIDDENS, BATCH_SIZE = 4, 5, 3
CLOSE = 3e-6        # of an array's largest number: some 30 units in float32's last place, over seven steps


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


def assert_is_the_page(network, equations, seed):
    """A network by hand is the book's equations: forward in float64 from the page; the gradients by central differences of that.

    equations(p, X, *state) -> H and the new state, in NumPy.
    """
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


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
