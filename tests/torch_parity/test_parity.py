"""Both frameworks compute the same, and where they do not, the comparison says so."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.torch_parity import parity
from gluon_rnn.torch_parity.layout import to_torch
from gluon_rnn.torch_parity.parity import Size

SMALL = Size(num_hiddens=6, num_steps=4, batch_size=3, vocab_size=11, lockstep=4)
PAIRS = {pair.name: pair for pair in parity.pairs(SMALL)}
FEW = ['RNN relu | gluon | torch.nn', 'RNN sigmoid | gluon | by hand', 'RNN tanh, 2 layers | hybrid | by hand',
       'GRU of the book | scratch | by hand', 'GRU reset after, bidirectional | hybrid | torch.nn',
       'LSTM, bidirectional, unequal | scratch | torch.nn', 'LSTM, 2 bidirectional layers | gluon | torch.nn']


@pytest.mark.parametrize('name', FEW)
def test_a_network_and_its_twin(name):
    row = parity.compare_pair(PAIRS[name], SMALL)
    assert row.passed, row
    assert set(row.relative) == set(parity.TOLERANCES)
    assert 0 < row.relative['weights'] < 1e-4       # they were trained: two frameworks do not round alike by chance


@pytest.mark.slow
def test_every_network():
    size = Size(num_hiddens=5, num_steps=3, batch_size=2, vocab_size=9, lockstep=2)
    assert not [row for row in (parity.compare_pair(pair, size) for pair in parity.pairs(size)) if not row.passed]


def test_every_cell_has_its_pairs():
    kinds = {name.split(' | ')[0].split(',')[0] for name in PAIRS}
    assert kinds == {'RNN tanh', 'RNN relu', 'RNN sigmoid', 'GRU of the book', 'GRU reset after', 'LSTM'}
    assert {pair.config.impl for pair in PAIRS.values()} == set(parity.IMPLS)
    assert PAIRS['LSTM | scratch | torch.nn'].second_bias == 'frozen'
    assert PAIRS['LSTM | gluon | torch.nn'].second_bias == 'trained'
    assert PAIRS['LSTM | scratch | by hand'].second_bias == 'none'


@pytest.mark.parametrize('quantity', ['logits', 'gradients', 'weights'])
def test_a_wrong_twin_is_caught(quantity):
    """One weight a tenth too large, one gradient a thousandth too large, one bias left untrained: not equal."""
    model = build_model(ModelConfig(vocab_size=11, cell='gru', num_hiddens=6))
    parity.randomize(model, np.random.default_rng(0))
    twin = to_torch(model)
    if quantity == 'logits':
        with torch.no_grad():
            twin.rnn.W_hz[2, 3] *= 1.1
    elif quantity == 'gradients':
        twin.rnn.b_r.register_hook(lambda grad: grad * 1.001)
    else:
        twin.rnn.b_z.requires_grad_(False)
    row = parity.measure_pair('wrong', 'none', model, twin, SMALL)
    assert not row.passed and row.relative[quantity] > parity.TOLERANCES[quantity]
    assert row.to_dict()['verdict'] == 'NOT EQUAL'


def test_difference_is_of_the_largest_numbers():
    assert parity.difference(np.array([1.0, -4.0]), np.array([1.0, -5.0])) == (1, 0.2)
    assert parity.difference(np.zeros(2), np.zeros(2)) == (0, 0)
    assert parity.difference(np.ones(1), np.zeros(1)) == (1, np.inf)
    assert parity.difference(np.array([np.nan]), np.ones(1)) == (np.inf, np.inf)
