"""What an undetached state changes, and what is said of it."""
import copy

import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.book.exercises import undetached


def test_a_kept_graph_mixes_old_states_with_new_weights():
    x, w = nd.ones((1,)), nd.array([0.5])
    x.attach_grad()
    with autograd.record():
        y = nd.tanh(x * w)
    w[:] = 2        # as an update does
    y.backward()
    assert x.grad.asscalar() == pytest.approx((1 - np.tanh(0.5) ** 2) * 2)      # tanh's slope at the old, the weight the new


def test_weights_are_held_where_asked(bench):
    held = {name: value + 0.1 for name, value in undetached.train_batches(bench, 'detached', 2)['weights'].items()}
    short, whole = (undetached.train_batches(bench, way, 3, held) for way in ('detached', 'graph kept'))
    for found in (short, whole):
        assert all((found['weights'][name] == value).all() for name, value in held.items())
    assert short['loss'] == whole['loss'] and short['norm'][0] == whole['norm'][0] and short['norm'][2] != whole['norm'][2]
    assert whole['nodes'][2] > whole['nodes'][1] > short['nodes'][1] == short['nodes'][2]


def found(kept_nodes=(10, 20), book_nodes=(10, 10), grown=2 ** 20):
    one = {'nodes': [10, 10], 'seconds': [1.0, 1.0], 'bytes': [0, 0], 'loss': [3.0, 2.0]}
    return {'detached': one, 'as in the book': {**copy.deepcopy(one), 'nodes': list(book_nodes)},
            'graph kept': {**copy.deepcopy(one), 'nodes': list(kept_nodes), 'bytes': [0, grown]}}


@pytest.mark.parametrize('options, differs, norm, english, chinese', [
    ({}, 0, 1.01, ['nothing changes', 'it grows', '1 MiB more', 'add little'], ['没有任何变化', '不断增长', '多 1', '影响很小']),
    ({'book_nodes': (10, 20)}, 0.5, 9, ['something changes', 'up to 0.5', 'do change'], ['有所变化', '最多相差 0.5', '确实改变']),
    ({'kept_nodes': (10, 10), 'grown': -2 ** 21}, 0, float('nan'), ['does not grow', '2 MiB less', 'no finite number'],
     ['没有增长', '少 2', '不是有限的数'])])
def test_says_what_was_measured(options, differs, norm, english, chinese):
    en, zh = undetached._answer(found(**options), {'as in the book': differs}, [(1, 1.0, 1.0), (2, 1.0, norm)])
    assert all(word in en for word in english) and all(word in zh for word in chinese), (en, zh)
    assert ('frees the graph, and the old state is then a constant' in en) == (differs == 0)
