"""Operators, counted by MXNet's profiler."""
from __future__ import annotations

from mxnet import nd

from gluon_rnn.benchmark.profiling import profiled


def test_operators_are_counted():
    W = nd.ones((3, 3))
    nd.relu(W)        # queued before, so not counted

    def work():
        for _ in range(3):
            nd.dot(W, W)
        nd.Activation(W, act_type='tanh')

    found = profiled(work)
    assert found['dot'][0] == 3 and found['Activation'][0] == 1 and 'relu' not in found
    assert all(ms >= 0 for _, ms in found.values())
