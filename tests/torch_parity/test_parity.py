"""Both frameworks compute the same, and where they do not, the comparison says so."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.corpora.sampling import consecutive_batches
from gluon_rnn.torch_parity import parity, torch_trainer
from gluon_rnn.torch_parity.layout import to_torch
from gluon_rnn.torch_parity.lockstep import Lockstep, batches
from gluon_rnn.torch_parity.parity import Size

PAIRS = {pair.name: pair for pair in parity.pairs()}
SMALL = Size(num_hiddens=6, num_steps=4, batch_size=3, vocab_size=11, lockstep=4)
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
@pytest.mark.parametrize('size', [Size(5, 3, 2, 9, 3), Size(16, 7, 5, 30, 20, 1)], ids=['small', 'larger'])
def test_every_network(size):
    chosen = parity.pairs() if size.num_hiddens == 5 else [
        pair for pair in parity.pairs() if ',' not in pair.name or ('unequal' in pair.name and 'hybrid' in pair.name)]
    failed = [row for row in parity.compare_all(size, chosen=chosen) if not row.passed]
    assert not failed


def test_every_cell_has_its_pairs():
    kinds = {name.split(' | ')[0].split(',')[0] for name in PAIRS}
    assert kinds == {'RNN tanh', 'RNN relu', 'RNN sigmoid', 'GRU of the book', 'GRU reset after', 'LSTM'}
    assert {pair.network['impl'] for pair in PAIRS.values()} == set(parity.IMPLS)
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


def test_batches_are_the_samplers_in_both_frameworks():
    text = list(range(23))
    ours = list(batches(text, 2, 3))
    for (X, Y), (A, B), (P, Q) in zip(ours, consecutive_batches(text, 2, 3), torch_trainer.consecutive_batches(text, 2, 3)):
        assert X.tolist() == A.asnumpy().tolist() == P.tolist()
        assert Y.tolist() == B.asnumpy().tolist() == Q.tolist()
    assert len(ours) == len(list(torch_trainer.consecutive_batches(text, 2, 3))) == 3


def test_clipping_is_the_book_s():
    params = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    params[0].grad, params[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    torch_trainer.clip(params, 10)
    assert params[0].grad.tolist() == [3, 0]
    torch_trainer.clip(params, 2.5)
    assert params[0].grad.tolist() == [1.5, 0] and params[1].grad.tolist() == [2]
    torch_trainer.clip(params, 0)
    assert params[1].grad.tolist() == [2]


def test_state_goes_on_in_both_until_started_anew():
    model = build_model(ModelConfig(vocab_size=7, num_hiddens=4))
    parity.randomize(model, np.random.default_rng(1))
    both = Lockstep(model, to_torch(model), lr=1e-9)
    (X, Y), = list(batches(list(range(7)) * 3, 2, 8))[:1]
    both.start(2)
    first, second = both.step(X, Y), both.step(X, Y)
    both.start(2)
    again = both.step(X, Y)
    assert first[0] != second[0] and first == pytest.approx(again, rel=1e-6)
    assert first[0] == pytest.approx(first[1], rel=1e-6) and second[0] == pytest.approx(second[1], rel=1e-6)
