"""scripts/bptt_cost.py: what a gradient costs, by BPTT and by RTRL."""
import json

import bptt_cost
import numpy as np
import pytest
from numpy.testing import assert_allclose


@pytest.mark.slow
def test_draws_every_curve(script, tmp_path):
    ended = script('bptt_cost', '--out', tmp_path, '--quick')
    assert (ended.status, ended.err) == (0, '')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['cost.json', 'cost.png']
    assert (tmp_path / 'cost.png').read_bytes().startswith(b'\x89PNG')
    curves = json.loads((tmp_path / 'cost.json').read_text())['curves']
    assert len(curves) == len(bptt_cost.CURVES)
    for curve in curves:
        theory, sizes = bptt_cost.CURVES[curve['method'], curve['what'], curve['axis']]
        assert curve['theory'] == theory and [*zip(curve['num_steps'], curve['num_hiddens'])] == sizes[:3]
        assert len(curve['values']) == 3 and min(curve['values']) > 0
    flat, = (curve for curve in curves if curve['theory'] == 0)
    assert abs(flat['exponent']) < 0.05 and f'RTRL, memory: T^{flat["exponent"]:.2f} (theory T^0)' in ended.out


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
