"""The implementation that is taken where nobody asks for one."""
import dataclasses
import importlib
import sys

import mxnet as mx
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.cells.default import default_impl


@pytest.mark.parametrize('config, impl', [
    ({'cell': 'rnn'}, 'gluon'), ({'cell': 'rnn', 'activation': 'relu'}, 'gluon'),
    ({'cell': 'rnn', 'activation': 'sigmoid'}, 'hybrid'),
    ({'cell': 'lstm', 'num_layers': 3, 'bidirectional': True}, 'gluon'),
    ({'cell': 'lstm', 'num_layers': 2, 'residual': True}, 'hybrid'),
    ({'cell': 'gru'}, 'hybrid'), ({'cell': 'gru', 'reset_after': True}, 'gluon'),
    ({'cell': 'gru', 'reset_after': False}, 'hybrid'),
    ({'cell': 'clockwork'}, 'hybrid'),
], ids=str)
def test_on_a_gpu_cudnn_where_it_has_the_equations(config, impl):
    config = ModelConfig(vocab_size=3, **config)
    assert default_impl(config, mx.gpu(0)) == impl


@pytest.mark.parametrize('config', [{'cell': 'rnn', 'activation': 'sigmoid'}, {'cell': 'gru', 'reset_after': True},
                                    {'cell': 'lstm', 'num_layers': 2, 'residual': True, 'dropout': 0.1},
                                    {'cell': 'gru', 'bidirectional': True, 'both_forward': True}], ids=str)
def test_on_a_cpu_the_kernels_which_have_the_network(config):
    config = ModelConfig(vocab_size=3, num_hiddens=2, **config)
    assert default_impl(config, mx.cpu()) == 'numba'
    build_model(dataclasses.replace(config, impl='numba'))
    assert default_impl(config, mx.cpu(), alone=False) == 'hybrid'


def test_on_a_cpu_hybrid_for_what_the_kernels_lack():
    assert default_impl(ModelConfig(cell='clockwork', vocab_size=3), mx.cpu()) == 'hybrid'


def test_without_numba_hybrid_and_one_line(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, 'numba', None)
    monkeypatch.setattr(importlib.import_module('gluon_rnn.runtime.kernel_cache'), '_told', set())
    config = ModelConfig(vocab_size=3)
    assert [default_impl(config, mx.cpu()) for _ in range(3)] == ['hybrid'] * 3
    assert [record.message[:13] for record in caplog.records] == ['no Numba here']
