"""Sections 6.4, 6.7 and 6.8: the effect of each hyperparameter on time, perplexity and verses.

From one set of settings each hyperparameter alone is moved down and up. Times are of one epoch, perplexities after the same
number of epochs, on the text itself (how well it is known by heart) and on the last tenth of it, held out.
"""
from __future__ import annotations

import math
from typing import Any, Dict, Mapping, Sequence, Tuple

from ...corpora.sampling import num_batches
from ...tables import Row, Table
from .drawing import Panel, draw_panels, verse_lines
from .frame import Outcome
from .scoring import known_share
from .workbench import Training, Workbench

# Low, base, high.
FACTORS: Dict[str, Tuple[float, ...]] = {
    'num_hiddens': (32, 128, 384), 'num_steps': (10, 35, 70), 'batch_size': (8, 32, 64), 'lr': (10, 100, 1000),
    'clipping_theta': (1e-3, 1e-2, 1e-1)}
BASE = {name: values[1] for name, values in FACTORS.items()}


def attempt(bench: Workbench, factor: str, value: float, **changes: Any) -> Tuple[Training, Row]:
    """Train with one hyperparameter moved; the training, and its row of the table."""
    corpus = bench.corpus()
    changes = {**BASE, 'valid_fraction': 0.1, **changes, **({factor: value} if factor in BASE else {})}
    run, settings = bench.train(f'{factor} {value:g}', verses=True, **changes), bench.settings(**changes)
    updates = num_batches(len(corpus.split(0.1)[0]), settings.batch_size, settings.num_steps, 'consecutive')
    known = known_share(run.verses[-1][1], corpus.decode(corpus.indices)) if run.verses else math.nan
    return run, {**run.row, 'updates an epoch': updates, 'lowest held-out perplexity': run.best_held_out[0],
                 'threes of the verses in the text': known}


def after(run: Training, epochs: float) -> float | None:
    """The perplexity of the last whole epoch by then; None: there was none, or the training ended before."""
    return run.records[int(epochs) - 1].perplexity if 1 <= epochs < len(run.records) + 1 else None


def hyperparameters(bench: Workbench, cell: str) -> Outcome:
    """6.4.1, 6.7.2 and 6.8.1: a training with the base settings, one from another seed, and two for each factor."""
    how: Dict[str, Any] = {'cell': cell, 'num_epochs': bench.size(40, 2)}
    base = attempt(bench, 'base', bench.seed, **how)
    other = attempt(bench, 'base, seed', bench.seed + 1, seed=bench.seed + 1, **how)
    trials = {factor: [base if value == BASE[factor] else attempt(bench, factor, value, **how) for value in values]
              for factor, values in FACTORS.items()}
    moved = [trial for of_factor in trials.values() for trial in of_factor if trial is not base]
    updates = base[1]['updates an epoch'] * len(base[0].records)
    rows = [{**row, f'after {updates} updates': after(run, updates / row['updates an epoch'])}
            for run, row in (base, other, *moved)]
    ends = {factor: [run.perplexity for run, _ in some] for factor, some in trials.items()}
    held_out = {factor: [run.best_held_out[0] for run, _ in some] for factor, some in trials.items()}
    settings = ', '.join(f'{name} {value:g}' for name, value in BASE.items())
    return Outcome([
        Table.of((f'{cell.upper()}, {how["num_epochs"]} epochs, one hyperparameter moved at a time; base: {settings}',
                  f'{cell.upper()}，{how["num_epochs"]} 个迭代周期，每次只变一个超参数；基准：{settings}'), rows),
        verse_lines([run for run, _ in (base, *moved)])],
        {**{f'{factor}_{side}': some[k] for factor, some in ends.items() for side, k in (('low', 0), ('high', 2))},
         'base': base[0].perplexity, 'other': other[0].perplexity, 'epochs': how['num_epochs'],
         'held_out': min(run.best_held_out[0] for run, _ in (base, *moved))},
        strongest(ends),
        draw_panels(*(
            Panel(factor, {'the text itself': (values, ends[factor]), 'held out, lowest': (values, held_out[factor])},
                  {'xscale': 'log', 'yscale': 'log'}) for factor, values in FACTORS.items())))


def strongest(perplexities: Mapping[str, Sequence[float]]) -> str:
    """'step' where learning rate or threshold move the perplexity by the largest factor, or make it infinite; else 'size'."""
    factors = {name: max(values) / min(values) for name, values in perplexities.items() if math.isfinite(min(values))}
    return 'step' if max(factors, key=lambda name: factors[name], default='lr') in ('lr', 'clipping_theta') else 'size'
