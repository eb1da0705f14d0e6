"""The Clockwork RNN: its clocks, its block-triangular recurrence, and what it does not compute."""
import numpy as np
import pytest
from mxnet import autograd, nd

import gluon_rnn
from gluon_rnn.cells import ClockworkRNN, DeepRNN, NetworkConfig, OneHot, build_network


def make(periods, size, num_inputs=3):
    network = ClockworkRNN(num_inputs, size * len(periods), periods=periods)
    for parameter in network.parameters().values():
        parameter[:] = nd.random.normal(scale=.5, shape=parameter.shape)
    return network


def by_the_paper(network, X, H, first=0):
    """Equations (1) and (2) with one block-triangular W_H for all groups, in NumPy."""
    p, size, n = network.book_params(), network.size, network.num_hiddens
    W_x = np.concatenate([p[f'W_x{k}'] for k in range(n // size)], axis=1)
    W_h = np.zeros((n, n))
    for k in range(n // size):
        W_h[k * size:, k * size:(k + 1) * size] = p[f'W_h{k}']
    b = np.concatenate([p[f'b_{k}'] for k in range(n // size)])
    outputs = []
    for t, X_t in enumerate(X):
        due = np.repeat([(first + t) % period == 0 for period in network.periods], size)
        H = np.where(due, np.tanh(X_t @ W_x + H @ W_h + b), H)
        outputs.append(H)
    return np.stack(outputs)


@pytest.mark.parametrize('periods', [(1, 2, 4), (4, 1, 3), (1,), (2, 5)])
@pytest.mark.parametrize('first', [0, 3])
def test_equations_of_the_paper(periods, first):
    network = make(periods, 2)
    X, H = nd.random.normal(shape=(9, 4, 3)), nd.random.normal(shape=(4, 2 * len(periods)))
    outputs, (last, t) = network(X, (H, nd.full((4, 1), first)))
    wanted = by_the_paper(network, X.asnumpy(), H.asnumpy(), first)
    np.testing.assert_allclose(outputs.asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last.asnumpy(), outputs[-1].asnumpy())
    assert (t.asnumpy() == (first + 9) % np.lcm.reduce(periods)).all()


def test_two_calls_are_one():
    network, X = make((1, 2, 4), 2), nd.random.normal(shape=(11, 2, 3))
    whole, last = network(X, network.begin_state(2))
    state, parts = network.begin_state(2), []
    for start, stop in ((0, 1), (1, 4), (4, 11)):
        H, state = network(X[start:stop], state)
        parts.append(H)
    np.testing.assert_allclose(nd.concat(*parts, dim=0).asnumpy(), whole.asnumpy(), rtol=1e-6)
    for one, other in zip(state, last):
        np.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-6)


def test_one_group_of_period_1_is_the_simple_network():
    clockwork = make((1,), 4)
    simple = build_network(NetworkConfig(cell='rnn', num_hiddens=4), 3)
    simple.load_book_params({name[:-1] + 'h': value for name, value in clockwork.book_params().items()})
    X, H, head = nd.random.normal(shape=(5, 2, 3)), nd.random.normal(shape=(2, 4)), nd.random.normal(shape=(5, 2, 4))
    gradients = []
    for network, state in ((clockwork, (H, nd.zeros((2, 1)))), (simple, (H,))):
        with autograd.record():
            outputs, _ = network(X, state)
        outputs.backward(head)
        gradients.append([p.grad.asnumpy() for p in network.parameters().values()])
    for one, other in zip(*gradients):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_gradients_by_finite_differences():
    network, X = make((1, 3), 2), nd.random.normal(shape=(7, 2, 3))
    with autograd.record():
        loss = network(X, network.begin_state(2))[0].square().sum()
    loss.backward()
    zero = np.zeros((2, 4))
    for name, parameter in network.parameters().items():
        value, i = parameter.asnumpy(), tuple(0 for _ in parameter.shape)
        sides = []
        for step in (1e-3, -1e-3):
            changed = {**{k: v.astype('float64') for k, v in network.book_params().items()}}
            changed[name] = value.astype('float64')
            changed[name][i] += step
            copy = type('Copy', (), {'book_params': lambda _, p=changed: p, 'size': 2, 'num_hiddens': 4, 'periods': (1, 3)})()
            sides.append((by_the_paper(copy, X.asnumpy().astype('float64'), zero) ** 2).sum())
        assert parameter.grad.asnumpy()[i] == pytest.approx((sides[0] - sides[1]) / 2e-3, rel=1e-3, abs=1e-4), name


def test_slower_groups_never_hear_faster_ones():
    network, X = make((1, 2, 4), 2), nd.random.normal(shape=(8, 2, 3))
    H = nd.random.normal(shape=(2, 6))
    other = H.copy()
    other[:, :2] += 1           # the fastest group begins elsewhere
    one, _ = network(X, (H, nd.zeros((2, 1))))
    two, _ = network(X, (other, nd.zeros((2, 1))))
    np.testing.assert_array_equal(one[:, :, 2:].asnumpy(), two[:, :, 2:].asnumpy())
    assert np.abs((one - two)[0, :, :2].asnumpy()).max() > 1e-4


def test_one_hot_inputs_and_lengths():
    network = make((1, 2), 2, num_inputs=5)
    indices = nd.array([[0, 1], [2, 3], [4, 0], [1, 1]])
    wanted, _ = network(OneHot(indices, 5).dense(), network.begin_state(2))
    got, _ = network(OneHot(indices, 5), network.begin_state(2))
    np.testing.assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-5)
    short, state = network(OneHot(indices, 5), network.begin_state(2), [4, 3])
    np.testing.assert_allclose(short[:3, 1].asnumpy(), wanted[:3, 1].asnumpy(), rtol=1e-5)
    assert not short[3, 1].asnumpy().any() and state[1].asnumpy().ravel().tolist() == [0, 1]
    again, _ = network(OneHot(indices, 5), state)               # each row goes on with its own clock
    for row, length in enumerate((4, 3)):
        alone = [OneHot(indices[:, row:row + 1], 5), network.begin_state(1)]
        _, alone[1] = network(OneHot(indices[:length, row:row + 1], 5), alone[1])
        np.testing.assert_allclose(again[:, row].asnumpy(), network(*alone)[0][:, 0].asnumpy(), rtol=1e-5, atol=1e-7)


def test_as_a_language_model_in_any_composition():
    gluon_rnn.seed(0)
    config = gluon_rnn.ModelConfig(cell='clockwork', num_hiddens=12, periods=[1, 2, 6], num_layers=2, bidirectional=True,
                                   vocab_size=7)
    model = gluon_rnn.build_model(config)
    assert isinstance(model.network, DeepRNN) and config.periods == (1, 2, 6)
    logits, state = model(nd.array([[1, 2, 3], [4, 5, 6]]), model.begin_state(2))
    assert logits.shape == (6, 7)
    assert [s.asnumpy().max() for s in state if s.shape[1] == 1] == [3, 0, 3, 0]      # the second direction begins anew


def test_it_learns_with_the_shared_trainer(alphabet):
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(
        gluon_rnn.ModelConfig(cell='clockwork', impl='hybrid', num_hiddens=32, vocab_size=alphabet.vocab_size))
    config = gluon_rnn.TrainConfig(num_epochs=10, num_steps=9, batch_size=4, lr=.02, optimizer='adam', clipping_theta=1)
    records = gluon_rnn.train(model, alphabet.indices, config)
    assert records[10].perplexity < 3
    assert 'klmn' in gluon_rnn.generate(model, alphabet.idx_to_char, 'abcdefghij', 6)


@pytest.mark.parametrize('choice, message', [
    ({'periods': (1, 2, 4), 'num_hiddens': 16}, 'num_hiddens must be a multiple of the 3 periods'),
    ({'periods': (1, 0)}, r'periods must be whole numbers from 1, got \[1, 0\]'),
    ({'periods': (1, 1.5)}, 'periods must be whole numbers'),
    ({'periods': ()}, 'periods must be whole numbers'),
    ({'periods': (2, 2)}, 'periods must differ'),
    ({'periods': (4099, 8191)}, 'least common multiple'),
    ({'impl': 'gluon'}, 'no clockwork network: use impl scratch or hybrid'),
    ({'cell': 'gru', 'periods': (1, 2)}, 'periods belong to the clockwork network only, got cell gru'),
    ({'bidirectional': True, 'backward_hiddens': 6}, 'num_hiddens must be a multiple of the 4 periods'),
])
def test_periods_that_do_not_fit(choice, message):
    with pytest.raises(ValueError, match=message):
        NetworkConfig(**{'cell': 'clockwork', 'num_hiddens': 16, **choice})


def test_wrong_state():
    network = make((1, 2), 2)
    with pytest.raises(ValueError, match='state must be a tuple of arrays'):
        network(nd.ones((3, 2, 3)), (nd.zeros((2, 4)),))
    with pytest.raises(ValueError, match='begin a new one for this batch'):
        network(nd.ones((3, 2, 3)), network.begin_state(1))     # would be taken for both rows
