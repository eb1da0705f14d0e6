"""Sections 6.4, 6.7 and 6.8: what the hyperparameters do to time, perplexity and verses.

From one set of settings each hyperparameter alone is moved down and up. Times are of one epoch, perplexities after the same
number of epochs, on the text itself (how well it is known by heart) and on the last tenth of it, held out.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, Mapping, Sequence, Tuple

from ...corpora.sampling import num_batches
from ...plots import COLOURS, new_figure
from .drawing import rule
from .frame import Lines, Outcome, Table
from .scoring import known_share
from .workbench import Training, Workbench

# Low, base, high.
FACTORS: Dict[str, Tuple[float, ...]] = {
    'num_hiddens': (32, 128, 384), 'num_steps': (10, 35, 70), 'batch_size': (8, 32, 64), 'lr': (10, 100, 1000),
    'clipping_theta': (1e-3, 1e-2, 1e-1)}
BASE = {name: values[1] for name, values in FACTORS.items()}
_SHOWN = 1e5            # the top of the picture; a line to a higher perplexity leaves it


@dataclass
class Trial:
    """One training, `value` being what `factor` was set to. updates: of the weights in an epoch; known: see `known_share`."""
    factor: str
    value: float
    run: Training
    updates: int
    known: float

    def after(self, updates: int) -> float | None:
        """The perplexity of the last epoch that ended at or before so many updates; None: it did not make as many."""
        whole = updates // self.updates
        return self.run.records[whole - 1].perplexity if 0 < whole <= len(self.run.records) else None


def attempt(bench: Workbench, factor: str, value: float, **changes: Any) -> Trial:
    """Train with one hyperparameter moved."""
    corpus = bench.corpus()
    changes = {**BASE, 'valid_fraction': 0.1, **changes, **({factor: value} if factor in BASE else {})}
    run, config = bench.train(f'{factor} {value:g}', verses=True, **changes), bench.config(**changes)
    updates = num_batches(len(corpus.split(0.1)[0]), config.batch_size, config.num_steps, 'consecutive')
    text = corpus.decode(corpus.indices)
    return Trial(factor, value, run, updates, known_share(run.verses[-1][1], text) if run.verses else math.nan)


def hyperparameters(bench: Workbench, cell: str) -> Outcome:
    """6.4.1, 6.7.2 and 6.8.1: a training with the base settings, one from another seed, and two for each factor."""
    how: Dict[str, Any] = {'cell': cell, 'num_epochs': bench.size(40, 2)}
    base = attempt(bench, 'base', bench.seed, **how)
    other = attempt(bench, 'base, seed', bench.seed + 1, seed=bench.seed + 1, **how)
    trials = {factor: [base if value == BASE[factor] else attempt(bench, factor, value, **how) for value in values]
              for factor, values in FACTORS.items()}
    moved = [trial for of_factor in trials.values() for trial in of_factor if trial is not base]
    updates = base.updates * len(base.run.records)
    rows = [(t.factor, t.value, t.run.seconds_an_epoch, t.updates, t.run.perplexity, t.after(updates), t.run.best_held_out[0],
             t.run.grad_norm, t.known, t.run.diverged or None) for t in (base, other, *moved)]
    ends = {f'{factor}_{name}': trial.run.perplexity for factor, some in trials.items()
            for name, trial in zip(('low', '', 'high'), some) if name}
    settings = ', '.join(f'{name} {value:g}' for name, value in BASE.items())
    return Outcome([
        Table((f'{cell.upper()}, {how["num_epochs"]} epochs, one hyperparameter moved at a time; base: {settings}',
               f'{cell.upper()}，{how["num_epochs"]} 个迭代周期，每次只变一个超参数；基准：{settings}'),
              ('hyperparameter', 'value', 'seconds an epoch', 'updates an epoch', 'perplexity', f'after {updates} updates',
               'lowest held-out perplexity', 'last gradient norm', 'threes of the verses in the text', 'broke off'), rows),
        Lines(('Verses', '歌词'), [f'{t.run.label}: {t.run.verses[-1][1][0]}' for t in (base, *moved) if t.run.verses]),
    ], {**ends, 'base': base.run.perplexity, 'other': other.run.perplexity, 'epochs': how['num_epochs'],
        'held_out': min((t.run.best_held_out[0] for t in (base, *moved) if not t.run.diverged), default=math.nan)},
        strongest({factor: [t.run.perplexity for t in some] for factor, some in trials.items()}),
        partial(draw, trials, f'{cell.upper()}: one hyperparameter at a time'))


def strongest(perplexities: Mapping[str, Sequence[float]]) -> str:
    """'step' where learning rate or threshold move the perplexity by the largest factor, or make it infinite; else 'size'."""
    finite = {name: [value if math.isfinite(value) else math.inf for value in values] for name, values in perplexities.items()}
    factors = {name: max(values) / min(values) for name, values in finite.items() if math.isfinite(min(values))}
    return 'step' if max(factors, key=lambda name: factors[name], default='lr') in ('lr', 'clipping_theta') else 'size'


def draw(trials: Mapping[str, Sequence[Trial]], title: str) -> Any:
    """For each hyperparameter: the perplexities above, the seconds an epoch below."""
    figure, axes = new_figure(13, 5.2, nrows=2, ncols=len(trials), sharey='row', sharex='col', squeeze=False)
    for (upper, lower), (factor, some) in zip(axes.T, trials.items()):
        values = [trial.value if trial.factor == factor else BASE[factor] for trial in some]
        upper.plot(values, [t.run.perplexity for t in some], 'o-', color=COLOURS[0], label='the text itself')
        upper.plot(values, [t.run.best_held_out[0] for t in some], 's--', color=COLOURS[1], label='held out, lowest')
        lower.plot(values, [t.run.seconds_an_epoch for t in some], 'o-', color=COLOURS[2])
        upper.set(yscale='log', xscale='log', title=factor)
        lower.set_xticks(values, [f'{value:g}' for value in values])
        lower.minorticks_off()
        rule(upper, lower)
    axes[0][0].set(ylabel='perplexity', ylim=(None, min(axes[0][0].get_ylim()[1], _SHOWN)))
    axes[1][0].set(ylabel='seconds an epoch', ylim=(0, None))
    axes[0][0].legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    return figure
