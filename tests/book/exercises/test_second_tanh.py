"""The LSTM without its second tanh."""
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose

from gluon_rnn.book.exercises import second_tanh
from gluon_rnn.book.exercises.second_tanh import OnceTanhLSTM, gates_open, read
from gluon_rnn.cells import LSTM
from gluon_rnn.cells.hybrid import Hybrid


def twins(*kinds, sigma=0.8):
    """Networks of several kinds with the same weights."""
    networks = [kind(5, 4) for kind in kinds]
    params = {name: np.random.normal(scale=sigma, size=value.shape) for name, value in networks[0].book_params().items()}
    for network in networks:
        network.load_book_params(params)
    return networks


def test_compiled_and_by_hand_are_one():
    results = []
    X, weights = nd.random.normal(shape=(6, 3, 5)), nd.random.normal(shape=(6, 3, 4))
    for network in twins(OnceTanhLSTM, lambda *sizes: Hybrid(OnceTanhLSTM(*sizes))):
        state, found = network.begin_state(3), []
        for _ in range(2):
            with autograd.record():
                H, state = network(X, state)
                loss = (H * weights).sum() + state[1].sum()
            loss.backward()
            state = tuple(s.detach() for s in state)
            found += [H, *state, *(value.grad.copy() for value in network.parameters().values())]
        results.append([array.asnumpy() for array in found])
    for by_hand, compiled in zip(*results):
        assert_allclose(compiled, by_hand, rtol=1e-4, atol=1e-5)


def test_it_differs_from_the_books_only_where_memory_becomes_state():
    book, once = twins(LSTM, OnceTanhLSTM)
    X = nd.random.normal(shape=(1, 3, 5))
    found = []
    for network in (book, once):
        H, (_, C) = network(X, network.begin_state(3))
        found.append((H[0].asnumpy(), C.asnumpy()))
    (H, C), (H_once, C_once) = found
    assert np.array_equal(C, C_once)
    assert_allclose(H * C, H_once * np.tanh(C), rtol=1e-4, atol=1e-6)
    assert np.abs(H - H_once).max() > 1e-3


@pytest.mark.parametrize('steps', [1, 30])
def test_memory_counts_up_to_the_steps_and_the_second_tanh_bounds_it(steps):
    C, H = gates_open('book', steps)
    assert pytest.approx(steps, rel=1e-5) == C and pytest.approx(np.tanh(steps), rel=1e-5) == H
    assert gates_open('once', steps) == pytest.approx((steps, steps), rel=1e-5)


def test_the_books_state_has_a_bound_whatever_the_weights():
    book, once = twins(LSTM, OnceTanhLSTM, sigma=5)
    indices = np.arange(60) % 5
    traces = read(book, indices), read(once, indices)
    assert np.abs(traces[0]['H']).max() <= 1 < np.abs(traces[0]['C']).max()
    assert np.abs(traces[1]['H']).max() > 1
    assert traces[0]['H'].shape == (60, 4)


def test_read_goes_on_from_character_to_character():
    network, = twins(LSTM)
    H, (_, C) = network(nd.one_hot(nd.array([[1], [3], [0]]), 5), network.begin_state(1))
    trace = read(network, [1, 3, 0])
    assert_allclose(trace['H'], H[:, 0].asnumpy(), rtol=1e-5)
    assert_allclose(trace['C'][-1], C[0].asnumpy(), rtol=1e-5)


def test_both_begin_alike(bench):
    runs = [second_tanh.learn(bench, kind, num_epochs=1) for kind in ('book', 'once')]
    assert runs[0].records[0].perplexity == pytest.approx(runs[1].records[0].perplexity, rel=1e-2)
    assert [type(run.model.network.network) for run in runs] == [LSTM, OnceTanhLSTM]


@pytest.mark.parametrize('once, again, said', [
    (64.0, 73.0, 'free'), (90.0, 73.0, 'bounded'), (66.0, 73.0, 'alike'), (60.0, 90.0, 'alike'),
    (float('inf'), 73.0, 'bounded')])
def test_perplexities_are_told_apart_only_beyond_chance(once, again, said):
    assert second_tanh.which_is_better(72.0, once, again) == said
