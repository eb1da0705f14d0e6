"""PyTorch measured beside the others, and the page of everything."""
from __future__ import annotations

import runpy
import sys
import textwrap
from dataclasses import asdict, replace

import pytest
import torch

from gluon_rnn.benchmark.implementations import Setting, book_cases, own_cases, torch_cases
from gluon_rnn.benchmark.measuring import measure
from gluon_rnn.benchmark.workers import run
from gluon_rnn.torch_parity import torch_trainer

SMALL = Setting(num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)
WORKER = torch_cases()[0].worker


@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_the_worker_does_the_work_that_the_others_do(cell, monkeypatch):
    from gluon_rnn.torch_parity import modules
    monkeypatch.setitem(sys.modules, 'modules', modules)                # as `run.py` finds them, beside the worker
    monkeypatch.setitem(sys.modules, 'torch_trainer', torch_trainer)
    perplexities = []
    for case in [*book_cases(), *own_cases(), *torch_cases(compiled=False)]:
        epoch = runpy.run_path(str(case.worker))['prepare']({**asdict(replace(SMALL, cell=cell)), **case.options,
                                                            'corpus_indices': run.random_text(200, 20)})
        perplexities.append(run.timed(epoch)['perplexity'])
    assert perplexities == pytest.approx([perplexities[0]] * len(perplexities), rel=0.02)


def test_the_worker_starts_small(monkeypatch):
    from gluon_rnn.torch_parity import modules
    monkeypatch.setitem(sys.modules, 'modules', modules)
    monkeypatch.setitem(sys.modules, 'torch_trainer', torch_trainer)
    model = runpy.run_path(str(WORKER))['new_model']({'impl': 'layer', 'vocab_size': 300, 'cell': 'gru', 'num_hiddens': 40})
    assert float(model.rnn.weight_ih_l0.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert not torch.cat([model.rnn.bias_hh_l0, model.dense.bias]).detach().any()


@pytest.fixture
def spying(tmp_path):
    """spying(code) -> the worker with this code behind it, a file beside the modules that it needs."""
    def write(code):
        (tmp_path / 'spy.py').write_text(WORKER.read_text() + textwrap.dedent(code))
        for name in ('modules.py', 'torch_trainer.py'):
            (tmp_path / name).write_text(WORKER.with_name(name).read_text())
        return tmp_path / 'spy.py'
    return write


@pytest.mark.slow
def test_torch_is_measured_without_mxnet_beside_it(spying):
    spy = spying('\nimport sys\nassert "mxnet" not in sys.modules\n')
    hand, _, layer = torch_cases()
    results = measure([replace(hand, worker=spy), layer], SMALL, rounds=2, threads=1, repeats=0)
    assert [result.error for result in results] == ['', '']


@pytest.mark.slow
def test_the_loop_is_compiled_before_the_rounds(spying):
    case, = (case for case in torch_cases() if case.options['impl'] == 'compile')
    spy = spying("""
        from torch._dynamo.utils import counters
        unwatched = prepare

        def prepare(options):
            epoch, graphs = unwatched(options), []

            def watched():
                perplexity = epoch()
                graphs.append(counters['stats']['unique_graphs'])
                assert 0 < graphs[0] == graphs[-1]
                return perplexity
            return watched
    """)
    result, = measure([replace(case, worker=spy)], replace(SMALL, cell='rnn', num_steps=2), rounds=2, threads=1, repeats=0)
    assert not result.error and len(result.seconds) == 2
