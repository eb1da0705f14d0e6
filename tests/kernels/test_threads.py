"""Who walks what: the same bits for any number of threads, and a fair share of the work on machines that are not at hand."""
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gluon_rnn import runtime
from tests.kernels.page import Page

with runtime.kernel_cache():
    from gluon_rnn.kernels.direction import GATES, Direction
    from gluon_rnn.kernels.language_model import LanguageModel, Update
    from gluon_rnn.kernels.network import Network
    from gluon_rnn.kernels.threads import Pool, plan
    from gluon_rnn.kernels.tile import PANEL


def steps(cell, threads, batch_size, *, dropout=0.0, optimizer='sgd'):
    """Weights and figures after three steps of two layers, the first of them in both directions."""
    rng, V, h = np.random.default_rng(0), 23, 2 * PANEL + 5
    layers = [[Direction(cell, V, h, one_hot=True), Direction(cell, V, PANEL - 3, one_hot=True, reverse=True)],
              [Direction(cell, h + PANEL - 3, h)]]
    params = [[{f'{kind}{gate}': rng.normal(size=shape).astype(np.float32) * 0.3 for gate in GATES[cell]
                for kind, shape in (('W_x', (d.num_inputs, d.num_hiddens)), ('W_h', (d.num_hiddens, d.num_hiddens)),
                                    ('b_', (d.num_hiddens,)))} for d in layer] for layer in layers]
    output = {'W_hq': rng.normal(size=(h, V)).astype(np.float32), 'b_q': np.zeros(V, np.float32)}
    moments = {f'{i}.{d}.{name}': (np.zeros_like(value), np.zeros_like(value)) for i, layer in enumerate(params)
               for d, own in enumerate(layer) for name, value in own.items()}
    moments.update({name: (np.zeros_like(value), np.zeros_like(value)) for name, value in output.items()})
    model = LanguageModel(Network(layers, Pool(threads), dropout=dropout), V)
    state = [np.zeros((batch_size, d.num_hiddens), np.float32) for layer in layers for d in layer for _ in range(d.num_states)]
    figures = []
    for step in range(3):
        X, Y = rng.integers(0, V, (2, 9, batch_size))
        update = Update(optimizer, 0.1, 1.0, moments=moments)
        loss, norm, state = model.step(X, Y, state, params, output, update, dropout_key=step)
        figures += [loss, norm]
    return figures, [value for layer in params for own in layer for value in own.values()] + [*output.values(), *state]


@pytest.mark.parametrize('cell', sorted(GATES))
@pytest.mark.parametrize(('batch_size', 'meeting'), [(1, 6.0), (2, 6.0), (101, 6.0), (2, -1.0), (5, -1.0)])
def test_the_same_bits_for_any_number_of_threads(monkeypatch, cell, batch_size, meeting):
    """meeting: what it costs; below 0 threads share columns wherever they can."""
    monkeypatch.setattr('gluon_rnn.kernels.threads._MEETING', meeting)
    (figures, arrays), *others = [steps(cell, threads, batch_size, dropout=0.4, optimizer='adam') for threads in (1, 2, 3, 5)]
    for other_figures, other in others:
        assert other_figures == figures
        for one, two in zip(other, arrays):
            assert_array_equal(one, two)


@pytest.mark.parametrize(('threads', 'groups', 'columns'), [(1, 1, 1), (2, 2, 1)])
def test_the_books_batch_is_shared_by_rows(threads, groups, columns):
    assert plan(32, 16, threads) == (groups, columns)


@pytest.mark.parametrize('batch_size', [1, 3, 32, 256])
@pytest.mark.parametrize('panels', [1, 16, 64])
@pytest.mark.parametrize('threads', [1, 2, 8, 64])
def test_no_thread_walks_much_more_than_its_share(threads, panels, batch_size):
    groups, columns = plan(batch_size, panels, threads)
    assert 1 <= groups * columns <= threads and groups <= batch_size and columns <= panels
    most = -(-batch_size // groups) * -(-panels // columns)
    assert most <= batch_size * panels        # never more than one thread would have alone
    if batch_size >= 2 * threads:
        assert most <= 2 * batch_size * panels / threads


@pytest.mark.parametrize('panels', [8, 16])
@pytest.mark.parametrize('threads', [1, 2, 8, 64])
def test_the_books_batch_keeps_all_threads_at_work(threads, panels):
    groups, columns = plan(32, panels, threads)
    assert -(-32 // groups) * -(-panels // columns) <= 2 * 32 * panels / threads


def test_a_thread_that_fails_is_heard():
    def fail(k):
        if k == 1:
            raise ZeroDivisionError(k)
    with pytest.raises(ZeroDivisionError):
        Pool(2).run(fail)
    with pytest.raises(ValueError, match='threads must be 1 or more'):
        Pool(0)


def test_an_interrupt_waits_for_the_other_threads():
    """Who walks on would write into the arrays of the next call; and nobody is left waiting for the caller's part."""
    pool, ended = Pool(2), []

    def interrupted(k):
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        time.sleep(0.2)
        ended.append(k)
    with pytest.raises(KeyboardInterrupt):
        pool.run(interrupted)
    assert ended == [1]
    pool.run(interrupted, meet=True)
    assert sorted(ended) == [0, 1, 1]


def test_who_fails_before_the_output_gradient_leaves_nobody_waiting(monkeypatch):
    page = Page('gru', threads=2)
    monkeypatch.setattr(page.kernels.network, 'forward', lambda p, params, learn, k: 1 / k)
    with pytest.raises(ZeroDivisionError):
        page.kernels.step(page.X, page.Y, page.state, page.params, page.output, Update())
