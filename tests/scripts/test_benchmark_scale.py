"""What scripts/benchmark_scale.py reckons, and that it measures what it says."""
from __future__ import annotations

import json

import pytest
from benchmark_scale import VOCAB_SIZE, Measured, products, reckon

from gluon_rnn import ModelConfig
from gluon_rnn.models.base import count_parameters


def parameters(num_hiddens):
    return count_parameters(ModelConfig(cell='gru', vocab_size=VOCAB_SIZE, num_hiddens=num_hiddens), VOCAB_SIZE, VOCAB_SIZE)


def measured(workers, rows, worker_cpu, server_cpu=0.0, num_hiddens=256):
    return Measured(num_hiddens=num_hiddens, workers=workers, rows=rows, seconds=9, lowest=9, parameters=parameters(num_hiddens),
                    bytes_a_step=0, server_cpu=server_cpu, worker_cpu=worker_cpu, perplexity=1)


def test_reckons_with_a_pencil():
    assert parameters(256) == 1_250_051
    moved = 2 * 4 * 1_250_051       # bytes that one worker sends and receives
    found = reckon([measured(0, 32, 0.08), measured(0, 4, 0.02), measured(2, 32, 0.05, server_cpu=2 * moved * 1e-9)], 256)
    one_server, = (row for row in found if (row['gigabits'], row['servers']) == (1, 1))
    assert one_server['network'] == pytest.approx(8 * moved / 125e6)
    assert one_server['serving'] == pytest.approx(8 * moved * 1e-9)
    assert one_server['limit'] == 'network'
    assert one_server['shared'] == pytest.approx(0.02 + 8 * moved / 125e6)
    assert one_server['times_each'] == pytest.approx(8 * 0.08 / (0.08 + 8 * moved / 125e6))
    many, = (row for row in found if (row['gigabits'], row['servers']) == (10, 8))
    assert many['network'] == pytest.approx(one_server['network'] / 80)
    assert many['serving'] == pytest.approx(one_server['serving'] / 8)
    assert many['limit'] == 'servers'


def test_a_larger_network_takes_as_much_longer_as_its_products():
    all_measured = [measured(0, 32, 0.08), measured(0, 4, 0.02), measured(1, 32, 0.08, server_cpu=0.01)]
    small, large = (reckon(all_measured, n)[0] for n in (256, 512))
    assert large['one'] / small['one'] == pytest.approx(products(512, 32) / products(256, 32))
    assert products(256, 32) == 3 * 2 * 1120 * 256 * (3 * 256 + 1027)


@pytest.mark.parametrize('said, flags', [('--epochs must be 1 or more', ('--epochs', 0)),
                                         ('--workers must be from 1 to 32, got 33', ('--workers', 2, 33))])
def test_bad_flags(refused, said, flags):
    refused(said, 'benchmark_scale', *flags)


@pytest.mark.slow
def test_measures_what_is_sent(script, tmp_path):
    ended = script('benchmark_scale', '--num-hiddens', 32, '--larger', 64, '--workers', 2, '--epochs', 1, '--rounds', 1, '--out',
                   tmp_path)
    assert ended.status == 0, ended.err
    found = json.loads((tmp_path / 'scale.json').read_text())
    alone, together = (next(m for m in found['measured'] if m['workers'] == n and m['rows'] == 32) for n in (0, 2))
    expected = 2 * 2 * 4 * parameters(32)
    # the count begins and ends inside a step, and others may use the loopback, too
    assert 0.97 * expected <= together['bytes_a_step'] < 3 * expected
    assert together['perplexity'] == pytest.approx(alone['perplexity'], rel=1e-5)
    assert together['worker_cpu'] > 0
    assert {row['num_hiddens'] for row in found['reckoned']} == {32, 64}
