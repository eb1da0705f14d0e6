"""Who is measured: the same work for all, and settings that somebody can train."""
import runpy
from dataclasses import asdict

import pytest

from gluon_rnn.benchmark import implementations
from gluon_rnn.benchmark.implementations import Setting, epoch_cases
from gluon_rnn.benchmark.workers import run


def test_epochs_of_everyone_with_or_without_torch(monkeypatch):
    names = {case.name for case in epoch_cases()}
    assert len(names) == len(epoch_cases()) and all(case.worker.is_file() for case in epoch_cases())
    assert names - {case.name for case in epoch_cases(compiled=False)} == {'torch.compile of it'}
    assert {'gluon_rnn numba, one thread', 'products alone, one thread'} < names
    monkeypatch.setattr(implementations.importlib.util, 'find_spec', lambda name: None)
    for compiled in (True, False):
        without = {case.name for case in epoch_cases(compiled=compiled)}
        assert names - without == {name for name in names if 'torch' in name} != set()


@pytest.mark.parametrize('name, value, wanted', [
    *((name, 0, 'must be 1 or more, got 0') for name in ('num_hiddens', 'num_steps', 'batch_size', 'vocab_size', 'num_chars')),
    ('cell', 'gur', "must be one of rnn, gru, lstm, got 'gur'"), ('lr', 0, 'must be above 0, got 0'),
    ('clipping_theta', -1, r'must be 0 \(no clipping\) or more, got -1')])
def test_a_setting_that_nobody_can_train(name, value, wanted):
    with pytest.raises(ValueError, match=f'{name} {wanted}'):
        Setting(**{name: value})


@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_all_implementations_do_the_same_work(cell):
    """d2lzh's loops and ours, on one text: the same perplexities epoch after epoch, but for the weights drawn."""
    setting = Setting(cell, num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)
    perplexities = []
    for case in implementations.book_cases() + implementations.own_cases():
        epoch = runpy.run_path(str(case.worker))['prepare']({**asdict(setting), **case.options,
                                                            'corpus_indices': run.random_text(200, 20)})
        perplexities.append(run.timed(epoch)['perplexity'])
    assert perplexities == pytest.approx([perplexities[0]] * len(perplexities), rel=0.02)
    assert 15 < perplexities[0] < 25
