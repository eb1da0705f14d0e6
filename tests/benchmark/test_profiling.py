"""The operators of a batch, what a batch must compute and move, and the floor made of them."""
from __future__ import annotations

import json

import pytest
from mxnet import nd

from gluon_rnn.benchmark import profiling
from gluon_rnn.benchmark.implementations import Setting
from gluon_rnn.benchmark.profiling import Profile

TINY = Setting('rnn', num_hiddens=2, num_steps=3, batch_size=1, vocab_size=5, num_chars=13)
SMALL = Setting('lstm', num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)


def profile_of(setting, **figures):
    return Profile(setting, 'hybrid', 1, **{
        'operators': {'dot': (2, 1.0), 'Activation': (6, 3.0)}, 'batch': (0.002, 0.004, 0.003), 'product': (1e-9, 3e-9, 2e-9),
        'addition': (0.1, 0.1, 0.2), **figures})


def test_operations_counted_by_hand():
    # rows 3 x 1; a product of (3, 2) with (2, 5): 3 * 5 sums of 2 multiplications and 2 additions; three such a batch
    assert profiling.operations(TINY) == {'output layer': 3 * 60, 'recurrent weights': 3 * 24}
    assert profiling.operations(Setting('lstm', 2, 3, 1, 5, 13))['recurrent weights'] == 4 * 3 * 24
    assert sum(profiling.operations(Setting('gru')).values()) == 6 * 1120 * 256 * (1027 + 3 * 256)


def test_bytes_counted_by_hand():
    # W_xh 10, W_hh 4, b_h 2, W_hq 10, b_q 5 numbers; three rows of 2 hidden units and 5 logits
    assert profiling.bytes_moved(TINY) == {
        'weights': 4 * (4 + 4 + 10 + 10 + 2 + 5 + 3 * 2),       # W_hh and W_hq twice, the biases, three rows of W_xh
        'update': 4 * 5 * 31,
        'output layer': 4 * 5 * 15,
        'states': 4 * (4 * 6 + 2 * 6 + 3 * 6)}                  # H four times, its gradient twice, that of the gate three times
    lstm = profiling.bytes_moved(Setting('lstm', 2, 3, 1, 5, 13))
    assert lstm == {
        'weights': 4 * (4 * 8 + 20 + 4 * 2 + 5 + 4 * 6),
        'update': 4 * 5 * (4 * 16 + 15),
        'output layer': 4 * 5 * 15,
        'states': 4 * (4 * 6 + 2 * 6 + 4 * 3 * 6 + 5 * 2 * 6)}  # and C and four gates, written and read
    gru = profiling.bytes_moved(Setting('gru', 2, 3, 1, 5, 13))
    assert gru['states'] == 4 * (4 * 6 + 2 * 6 + 3 * 3 * 6 + 3 * 2 * 6)


def test_floor_from_what_was_measured():
    found = profile_of(TINY)
    assert found.rate == pytest.approx(60 / 2e-9)
    assert found.bandwidth == pytest.approx(3 * (64 << 20) / 0.1)
    products, memory = found.floor
    assert products == pytest.approx((180 + 72) * 2e-9 / 60)
    assert memory == pytest.approx(1300 * 0.1 / (3 * (64 << 20)))
    assert found.reached == 0.003 and found.times_the_floor == pytest.approx(0.003 / (products + memory))
    assert json.loads(json.dumps(found.to_dict()))['floor'] == products + memory


def test_columns_of_the_table():
    found = profile_of(TINY)
    assert found.rows == [('Activation', 6, 3.0, 500.0, 0.75), ('dot', 2, 1.0, 500.0, 0.25)]
    head, _, *rows = [line.replace('|', '').split() for line in profiling.operator_table(found).splitlines()]
    assert head == ['a', 'batch', 'calls', 'ms', 'us/call', 'share']
    assert rows[:3] == [['Activation', '6', '3.000', '500.0', '0.7500'], ['dot', '2', '1.000', '500.0', '0.2500'],
                        ['all', 'operators', '8', '4.000', '500.0', '1']]
    assert [row[0] for row in rows[4:]] == ['products', 'memory', 'floor', 'reached']
    assert rows[7][1:3] == ['3.000', 'ms,']


class Model:
    def __init__(self):
        self.W = nd.ones((3, 3))
        self.W.attach_grad()

    def parameters(self):
        return {'W': self.W}


def test_operators_are_counted():
    model = Model()
    nd.relu(model.W)        # what ran before is not counted

    def work():
        for _ in range(3):
            model.W[:] = nd.dot(model.W, model.W)
        nd.Activation(model.W, act_type='tanh').wait_to_read()

    found = profiling.profiled(work, model)
    assert found['dot'][0] == 3 and found['Activation'][0] == 1 and 'relu' not in found
    assert all(ms >= 0 for _, ms in found.values())


@pytest.mark.slow
@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
def test_a_network_is_profiled(impl):
    found = profiling.profile(SMALL, impl, rounds=2, threads=1)
    assert found.threads == 1 and len(found.batch) == len(found.product) == len(found.addition) == 2
    assert min(*found.batch, *found.product, *found.addition) > 0
    calls = {name: calls for name, (calls, _) in found.operators.items()}
    assert calls['Embedding'] == calls['dot'] == 4 * 5      # a gather and a product for each gate, each step
    assert calls['softmax'] == 1
    assert calls['Activation'] == 5 * 5         # four gates and tanh(C), each step: none of them hidden in a bulk
    assert not any(':' in name or 'Custom' in name or 'CachedOp' in name for name in calls)
    assert 0 < sum(ms for _, ms in found.operators.values()) < 1000


def test_what_cannot_be_profiled_is_refused():
    with pytest.raises(ValueError, match='impl must be one of scratch, hybrid, gluon'):
        profiling.profile(SMALL, 'torch')
    with pytest.raises(ValueError, match='rounds must be 1 or more, got 0'):
        profiling.profile(SMALL, 'hybrid', rounds=0)
    with pytest.raises(ValueError, match='3 characters make no batch of 1 x 3'):
        profiling.profile(Setting('rnn', 2, 3, 1, 5, 3), 'hybrid')


@pytest.mark.parametrize('body, error, said', [
    ('import no_such_module_at_all', OSError, "No module named 'no_such_module_at_all'"),
    ('raise SystemExit(7)', OSError, 'ended with status 7'),
    ('import time; time.sleep(60)', TimeoutError, 'no answer within 0.5 seconds'),
])
def test_a_worker_that_fails_says_why(monkeypatch, tmp_path, body, error, said):
    for name in ('run.py', 'operators.py'):
        (tmp_path / name).write_text(body)
    monkeypatch.setattr(profiling, 'WORKERS', tmp_path)
    with pytest.raises(error, match=said):
        profiling.profile(SMALL, 'hybrid', rounds=1, threads=1, timeout=0.5 if 'sleep' in body else 60)
