"""What an undetached state changes, and what is said of it."""
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
