"""Section 6.4, exercises 2 and 5: the recurrent network without clipping, and with other activations."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Dict, Mapping

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot
from ...corpora.corpus import unigram_perplexity
from .drawing import draw_runs, verse_lines
from .frame import Outcome, Table
from .scoring import compared
from .workbench import Workbench

# Clipping threshold (0: none) and learning rate.
TRAININGS = {'bare': (0, 100), 'lr_10': (0, 10), 'lr_1': (0, 1), 'lr_01': (0, 0.1),
             'loose': (0.1, 100), 'clipped': (0.01, 100), 'tight': (0.001, 100)}


def no_clipping(bench: Workbench) -> Outcome:
    """6.4.2: without clipping at four learning rates, and clipped at three thresholds."""
    epochs, single = bench.size(40, 2), unigram_perplexity(bench.corpus().indices)
    runs = {name: bench.train(f'{f"clipped at {theta:g}" if theta else "not clipped"}, lr {lr:g}', cell='rnn', num_epochs=epochs,
                              clipping_theta=theta, lr=lr, verses=True, pred_len=30) for name, (theta, lr) in TRAININGS.items()}
    rows = [(run.label, len(run.records), run.perplexity, max((r.grad_norm for r in run.records), default=math.nan),
             run.diverged.partition(':')[0] or None) for run in runs.values()]
    figures = {name: run.perplexity for name, run in runs.items()}
    return Outcome([
        Table((f'At most {epochs} epochs', f'最多 {epochs} 个迭代周期'),
              ('training', 'whole epochs', 'perplexity', 'largest norm of an epoch', 'stopped because'), rows),
        verse_lines(list(runs.values()))],
        {**figures, 'bare_epochs': len(runs['bare'].records), 'single': single},
        without_clipping(figures, single), partial(draw_runs, list(runs.values())))


def without_clipping(perplexities: Mapping[str, float], single: float) -> str:
    """Whether the training exploded, and if so, whether one of the small rates kept up with clipping."""
    if perplexities['bare'] <= single:
        return 'trains'
    slower = min((value for name, value in perplexities.items() if name.startswith('lr_') and math.isfinite(value)),
                 default=math.nan)
    return 'explodes' if compared(slower, perplexities['clipped']) == 'higher' else 'slow'


def activations(bench: Workbench) -> Outcome:
    """6.4.5: relu, tanh and sigmoid, clipped at two thresholds, and what their states are like."""
    epochs, corpus = bench.size(60, 2), bench.corpus()
    slow: Dict[str, Any] = {'clipping_theta': 1, 'lr': 1}
    kinds: Dict[str, Any] = {'tanh': ('tanh', {}), 'relu': ('relu', {}), 'sigmoid': ('sigmoid', {}),
             'tanh_slow': ('tanh', slow), 'relu_slow': ('relu', slow)}
    runs, states = {}, {}
    for name, (activation, changes) in kinds.items():
        label = f'{activation}, clipped at 1, lr 1' if changes else activation
        runs[name] = run = bench.train(label, cell='rnn', activation=activation, num_epochs=epochs, verses=True, pred_len=30,
                                       **changes)
        X = nd.array(corpus.indices[:bench.size(2000, 40)].reshape(10, -1))
        H, _ = run.model.network(OneHot(X.T, corpus.vocab_size), run.model.network.begin_state(10))
        states[name] = np.abs(H.asnumpy())
    rows = [(run.label, len(run.records), run.perplexity, run.seconds_an_epoch, run.grad_norm, states[name].mean(),
             states[name].max(), (states[name] == 0).mean(), (states[name] > 0.99).mean(), bool(run.diverged))
            for name, run in runs.items()]
    single = unigram_perplexity(corpus.indices)
    return Outcome([
        Table((f'After {epochs} epochs', f'{epochs} 个迭代周期之后'),
              ('activation', 'whole epochs', 'perplexity', 'seconds an epoch', 'norm of the gradient', 'mean |H|', 'largest |H|',
               'H exactly 0', '|H| above 0.99', 'broke off'), rows), verse_lines(list(runs.values()))],
        {**{name: run.perplexity for name, run in runs.items()}, 'epochs': epochs, 'single': single,
         'relu_largest': states['relu'].max(), 'tanh_largest': states['tanh'].max(), 'relu_zero': (states['relu'] == 0).mean(),
         'relu_norm': runs['relu'].grad_norm, 'tanh_norm': runs['tanh'].grad_norm},
        'breaks' if runs['relu'].diverged else 'trains' if runs['relu'].perplexity < single else 'hardly',
        partial(draw_runs, list(runs.values())))
