"""Trainings in which one hyperparameter is moved and all others stay: what exercises 6.4.1, 6.7.2 and 6.8.1 compare."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

from ...corpora.corpus import Corpus
from ...corpora.sampling import num_batches
from .scoring import known_share
from .workbench import Training, Workbench

# The middle of each is what the others stay at; but for the hidden units it is the book's.
FACTORS: Dict[str, Tuple[float, ...]] = {
    'num_hiddens': (32, 128, 384), 'num_steps': (10, 35, 70), 'batch_size': (8, 32, 64), 'lr': (10, 100, 1000),
    'clipping_theta': (1e-3, 1e-2, 1e-1)}
ZH = {'num_hiddens': '隐藏单元数', 'num_steps': '时间步数', 'batch_size': '批量大小', 'lr': '学习率',
      'clipping_theta': '裁剪阈值'}
BASE = {name: values[1] for name, values in FACTORS.items()}


@dataclass
class Trial:
    """One training, `value` being what `factor` was set to. updates: of the weights in an epoch; known: see `known_share`."""
    factor: str
    value: float
    run: Training
    updates: int
    known: float

    @property
    def is_base(self) -> bool:
        return BASE.get(self.factor) == self.value

    @property
    def perplexity(self) -> float:
        """The last, nan where the training broke off."""
        return math.nan if self.run.diverged else self.run.perplexity

    @property
    def held_out(self) -> float:
        return math.nan if self.run.diverged else self.run.best_held_out[0]

    def after(self, updates: int) -> float | None:
        """The perplexity of the last epoch that ended at or before so many updates; None: it did not make as many."""
        whole = updates // self.updates
        return self.run.records[whole - 1].perplexity if 0 < whole <= len(self.run.records) else None


def one_at_a_time(bench: Workbench, cell: str, num_epochs: int) -> Tuple[List[Trial], Trial]:
    """A training with the base settings, and two for each factor; the base stands among the trials of each.

    With them the base settings from another seed, which tells what chance does.
    """
    corpus = bench.corpus()
    base, other = (_trial(bench, corpus, name, 0, cell=cell, num_epochs=num_epochs, seed=bench.seed + k)
                   for k, name in enumerate(('base', 'base, another seed')))
    trials = []
    for factor, values in bench.size(FACTORS, {'clipping_theta': FACTORS['clipping_theta']}).items():
        trials += [Trial(factor, value, base.run, base.updates, base.known) if value == BASE[factor] else
                   _trial(bench, corpus, factor, value, cell=cell, num_epochs=num_epochs) for value in values]
    return trials, other


def _trial(bench: Workbench, corpus: Corpus, factor: str, value: float, **changes: Any) -> Trial:
    changes = {**BASE, **changes, 'valid_fraction': 0.1, **({factor: value} if factor in BASE else {})}
    run = bench.train(f'{factor} {value:g}' if value else factor, verses=True, **changes)
    updates = num_batches(len(corpus.split(0.1)[0]), run.settings.batch_size, run.settings.num_steps, 'consecutive')
    text = corpus.decode(corpus.indices)
    return Trial(factor, value, run, updates, known_share(run.verses[-1][1], text) if run.verses else math.nan)


def factors_of(trials: Sequence[Trial]) -> List[str]:
    return list(dict.fromkeys(trial.factor for trial in trials))
