"""Workers that are no implementation of ours: the products alone, the training script, JAX."""
import time
from dataclasses import asdict, replace

import pytest

from gluon_rnn.benchmark.implementations import Setting, own_cases, peer_cases, script_case
from gluon_rnn.benchmark.measuring import measure
from gluon_rnn.benchmark.workers import floor, run

SMALL = Setting(num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)


def test_operations_counted_by_hand():
    # rows 3 x 1; a product of (3, 2) with (2, 5): 3 * 5 sums of 2 multiplications and 2 additions; three such a batch
    assert floor.operations(Setting('rnn', 2, 3, 1, 5, 13)) == {'output layer': 3 * 60, 'recurrent weights': 3 * 24}
    assert floor.operations(Setting('lstm', 2, 3, 1, 5, 13))['recurrent weights'] == 4 * 3 * 24
    assert sum(floor.operations(Setting('gru')).values()) == 6 * 1120 * 256 * (1027 + 3 * 256)


def test_the_products_of_an_epoch_at_the_rate_of_one(monkeypatch):
    monkeypatch.setattr(floor, 'mean_seconds', lambda work: 2.0)
    work = floor.operations(SMALL)
    batches = SMALL.tokens // 20
    assert floor.prepare(asdict(SMALL))()['seconds'] == pytest.approx(
        batches * (3 * 2.0 + 2.0 * work['recurrent weights'] / (work['output layer'] / 3)))


def test_the_mean_of_what_is_timed_without_the_first():
    ran = []
    assert floor.mean_seconds(lambda: ran.append(time.sleep(0 if ran else 0.5))) < 0.05
    assert len(ran) == 11


def test_what_other_programs_used_is_told():
    told = run.timed(lambda: sum(range(10 ** 5)))
    assert told['others'] >= 0 and told['perplexity'] == sum(range(10 ** 5))


@pytest.mark.slow
@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_jax_does_the_same_work(cell, crowded):
    if not peer_cases():
        pytest.skip('JAX is not there: make peers')
    same_work([*own_cases(['numba']), *peer_cases()], replace(SMALL, cell=cell))


@pytest.mark.slow
def test_the_script_does_the_same_work(crowded):
    found = same_work([*own_cases(['numba']), script_case()], SMALL)
    assert found[1].memory > found[0].library_memory        # of the script's own process, not of the one that starts it


def same_work(cases, setting):
    """Measure these cases once; all must come to about the same perplexity."""
    found = measure(cases, setting, rounds=1, threads=1)
    assert [m.error for m in found] == [''] * len(found)
    assert [m.perplexity for m in found] == pytest.approx([found[0].perplexity] * len(found), rel=0.02)
    assert 15 < found[0].perplexity < 25
    return found
