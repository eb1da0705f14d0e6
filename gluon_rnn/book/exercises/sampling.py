"""Section 6.3: other ways to cut a text into batches, each a `trainer.Source`."""
from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Iterator

import numpy as np

from ...corpora.sampling import Batch, num_batches
from ...plots import new_figure, style_perplexity
from ...training.loss import evaluate
from .frame import Outcome, Table
from .workbench import Training, Workbench

Starts = Callable[[np.random.Generator], Any]


class Windows:
    """Windows of num_steps characters that begin where `starts` says, in random order, every epoch drawn anew.

    starts(rng): the first characters of an epoch's windows, more than it has batches for or not. All have the same number of
    batches, that of the book's random sampling, so that a number of epochs is a number of updates.
    """

    def __init__(self, indices: np.ndarray, starts: Starts, *, num_steps: int, batch_size: int, seed: int):
        self.indices, self.starts = indices, starts
        self.num_steps, self.batch_size, self.seed = num_steps, batch_size, seed
        self.seen = np.zeros(len(indices), dtype=np.int64)      # how often each character was asked for
        self.begun: set = set()                                 # at which characters windows have begun

    def __len__(self) -> int:
        return num_batches(len(self.indices), self.batch_size, self.num_steps, 'random')

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, epoch])
        starts = rng.permutation(self.starts(rng))
        wanted = len(self) * self.batch_size
        starts = np.resize(starts, wanted)      # too few are gone through again
        self.begun.update(starts.tolist())
        windows = starts[:, None] + np.arange(self.num_steps + 1)
        np.add.at(self.seen, windows[:, 1:], 1)
        for rows in windows.reshape(len(self), self.batch_size, -1):
            yield self.indices[rows[:, :-1]], self.indices[rows[:, 1:]]


def ways(indices: np.ndarray, space: int | None, num_steps: int) -> Dict[str, Starts]:
    """The ways to begin windows, by name. space: the index of the character between verses, None: there is none."""
    last = len(indices) - num_steps - 1     # where a window may begin at the latest
    found: Dict[str, Starts] = {
        'fixed cuts': lambda rng: np.arange(0, last + 1, num_steps),
        'shifted cuts': lambda rng: np.arange(rng.integers(min(num_steps, last + 1)), last + 1, num_steps),
        'anywhere': lambda rng: rng.integers(0, last + 1, last // num_steps),
        'half over': lambda rng: np.arange(0, last + 1, max(1, num_steps // 2)),
    }
    verses = np.flatnonzero(indices[:last] == space) + 1 if space is not None else np.array([], dtype=int)
    return {**found, 'at verses': lambda rng: verses} if len(verses) else found


def other_samplings(bench: Workbench) -> Outcome:
    """6.3.1: the same network, the same number of updates, windows chosen in several ways."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_epochs': bench.size(45, 2), 'valid_fraction': 0.1}
    config = bench.config(**changes)
    train_indices, _ = corpus.split(0.1)
    sizes = {'num_steps': config.num_steps, 'batch_size': config.batch_size}
    known = ways(train_indices, corpus.char_to_idx.get(' '), config.num_steps)
    again = 'fixed cuts, next seed'             # what chance does
    rows, runs = {}, {}
    for name in (*known, again):
        seed = bench.seed + (name == again)
        source = Windows(train_indices, known[name.partition(',')[0]], seed=seed, **sizes)
        runs[name] = bench.train(name, source=source, corpus=corpus, sampling='random', seed=seed, **changes)
        rows[name] = len(source.begun), float((source.seen[1:] > 0).mean())
    runs['consecutive'] = bench.train('consecutive', corpus=corpus, **changes)
    batches = num_batches(len(train_indices), config.batch_size, config.num_steps, 'consecutive')
    rows['consecutive'] = config.batch_size * batches, batches * config.num_steps * config.batch_size / (len(train_indices) - 1)
    held = {name: run.best_held_out[0] for name, run in runs.items()}
    own = {name: evaluate(run.model, train_indices, config.batch_size, config.num_steps) for name, run in runs.items()}
    chance = max(abs(which[again] / which['fixed cuts'] - 1) for which in (own, held))
    return Outcome([
        Table(('After the same epochs', '相同迭代周期之后'),
              ('sampling', 'different windows', 'part of the text asked for', 'perplexity on the text it learned from',
               'lowest held-out perplexity', 'at epoch', 'seconds an epoch'),
              [(name, *rows[name], own[name], *run.best_held_out, run.seconds_an_epoch) for name, run in runs.items()])],
        {'fixed': held['fixed cuts'], 'shifted': held['shifted cuts'], 'anywhere': held['anywhere'], 'half': held['half over'],
         'at_verses': held.get('at verses'), 'consecutive': held['consecutive'], 'chance': chance,
         'windows_fixed': rows['fixed cuts'][0], 'windows_anywhere': rows['anywhere'][0]},
        'better' if min(held.values()) < held['fixed cuts'] * (1 - chance) else 'alike', partial(_draw, runs))


def _draw(runs: Dict[str, Training]) -> Any:
    """The perplexities on the text itself, and beside them those on held-out text."""
    figure, axes = new_figure(11, 4.2, ncols=2)
    for axis, title, name in zip(axes, ('the text itself, in training', 'held-out text'), ('perplexity', 'valid_perplexity')):
        for label, run in runs.items():
            axis.plot([record.epoch for record in run.records], [getattr(record, name) for record in run.records], label=label,
                      linewidth=1.4)
        style_perplexity(axis, title)
    axes[1].get_legend().remove()
    return figure
