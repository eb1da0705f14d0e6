"""scripts/bptt_cost.py: what a gradient costs, by BPTT and by RTRL."""
import json

import bptt_cost
import numpy as np
import pytest
from numpy.testing import assert_allclose


@pytest.mark.slow
def test_draws_every_curve(script, tmp_path):
    ended = script('bptt_cost', '--out', tmp_path, '--scale', '0.05', '--repeats', '1')
    assert (ended.status, ended.err) == (0, '')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['cost.json', 'cost.png']
    assert (tmp_path / 'cost.png').read_bytes().startswith(b'\x89PNG')
    curves = json.loads((tmp_path / 'cost.json').read_text())['curves']
    theory = {(curve['method'], curve['what'], curve['axis']): curve['theory'] for curve in curves}
    assert theory == bptt_cost.THEORY
    for curve in curves:
        assert len(curve['values']) == len(curve['num_steps']) == len(curve['num_hiddens']) == 5
        assert min(curve['values']) > 0
    assert 'RTRL, memory: T^0.00 (theory T^0)' in ended.out


@pytest.mark.parametrize('method, sizes, power', [
    ('bptt', [(256, 32), (1024, 32)], 1),
    ('bptt', [(2048, 128), (2048, 512)], 1),
    ('rtrl', [(64, 16), (256, 16)], 0),
    ('rtrl', [(2, 64), (2, 128)], 3),
])
def test_memory_follows_the_theory(method, sizes, power):
    small, large = (bptt_cost.measure(method, 'bytes', T, h) for T, h in sizes)
    growth = sizes[1][0] / sizes[0][0] * sizes[1][1] / sizes[0][1]
    assert abs(np.log(large / small) / np.log(growth) - power) < 0.3


def test_rtrl_holds_its_sensitivities_twice_and_little_else():
    h = 64
    assert_allclose(bptt_cost.measure('rtrl', 'bytes', 3, h), 2 * 8 * h * h * (26 + h + 1), rtol=0.1)


def test_a_scale_that_would_fill_the_memory(refused, tmp_path):
    refused('--scale must be from 0.05 to 2', 'bptt_cost', '--scale', 3, '--out', tmp_path)
    assert not list(tmp_path.iterdir())
