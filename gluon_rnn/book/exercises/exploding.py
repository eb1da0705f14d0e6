"""Section 6.6: what else helps against exploding gradients, beside clipping them to a norm."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, Mapping

import numpy as np
from mxnet import nd

from ...corpora.corpus import unigram_perplexity
from ...models.language_model import LanguageModel
from ...plots import COLOURS, new_figure
from .. import diagnostics
from .drawing import legend_beside, rule
from .frame import Outcome, Table
from .remedies import BATCH_SIZE, LR, NUM_STEPS, REMEDIES, Remedy, Watched
from .scoring import CHANCE, compared
from .workbench import Training, Workbench

PLAIN = REMEDIES['plain']


@dataclass
class Tried:
    """One remedy, tried. norms: the gradient's, a number a step; per_step: how many times it grows a step back, at first."""
    remedy: Remedy
    per_step: float
    norms: np.ndarray
    run: Training

    @property
    def largest(self) -> float:
        """The largest norm, infinite where one was no longer finite."""
        return float(self.norms.max()) if np.isfinite(self.norms).all() else math.inf


def new_model(bench: Workbench, vocab_size: int, remedy: Remedy, settings: Mapping[str, Any]) -> LanguageModel:
    model = bench.model(vocab_size, **settings)
    rng, params = np.random.default_rng(settings.get('seed', bench.seed)), model.book_params()
    for name in params:
        if re.fullmatch('W_h[^q]', name):       # W_hh, and a gate's like it
            params[name] = remedy.recurrent(params[name].shape, rng=rng)
    model.load_book_params(params)
    return model


def attempt(bench: Workbench, remedy: Remedy, num_epochs: int, *, seed: int | None = None) -> Tried:
    """Train with one remedy, up to the last epoch or to where it breaks. seed: None: the workbench's."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_hiddens': 128, 'num_epochs': num_epochs, 'lr': LR,
                               'num_steps': NUM_STEPS, 'batch_size': BATCH_SIZE, 'clipping_theta': 0,
                               'seed': bench.seed if seed is None else seed, 'impl': 'hybrid', **remedy.settings}
    eager = new_model(bench, corpus.vocab_size, remedy, {**changes, 'impl': 'scratch'})
    reach = diagnostics.reach(eager, corpus.indices[:bench.size(37, 12)].tolist())
    model = new_model(bench, corpus.vocab_size, remedy, changes)
    watched = Watched(model.parameters(), bench.config(**changes), **remedy.optimizer)
    run = bench.train(remedy.name, model=model, own_optimizer=watched, **changes)
    norms = nd.concat(*watched.norms, dim=0).asnumpy()
    return Tried(remedy, float((reach[0] / reach[-1]) ** (1 / (len(reach) - 1))), norms, run)


def remedies(bench: Workbench) -> Outcome:
    """6.6.1: one network whose gradient explodes, one remedy at a time, all with as many updates."""
    epochs, single = bench.size(24, 2), unigram_perplexity(bench.corpus().indices)
    tried = {name: attempt(bench, remedy, epochs) for name, remedy in REMEDIES.items()}
    tried['again'] = attempt(bench, PLAIN, epochs, seed=bench.seed + 1)
    rows = [(t.remedy.name + (', another seed' if name == 'again' else ''), t.remedy.zh, t.per_step, float(t.norms.max()),
             float(np.median(t.norms)), len(t.run.records), len(t.norms), t.run.perplexity, t.run.diverged or None)
            for name, t in tried.items()]
    ends = {name: t.run.perplexity for name, t in tried.items()}
    best = min(REMEDIES, key=lambda name: ends[name] if math.isfinite(ends[name]) else math.inf)
    return Outcome([
        Table(('One remedy at a time', '每次只用一种办法'),
              ('remedy', '办法', 'gradient grows a step back, new network', 'largest norm', 'median norm', 'epochs', 'updates',
               'perplexity', 'broke off'), rows),
        Table(('To compare with', '对照'), ('', 'perplexity'), [('knowing how often each character occurs', single)])],
        {**ends, 'single': single, 'per_step': tried['plain'].per_step, 'largest': tried['plain'].largest,
         'best': REMEDIES[best].name}, whether_one_helps(ends), partial(draw, tried, single))


def whether_one_helps(perplexities: Mapping[str, float]) -> str:
    """Whether the best remedy is clearly below the plain network, from either seed."""
    plain = [perplexities[name] for name in ('plain', 'again') if math.isfinite(perplexities[name])]
    chance = max(CHANCE, max(plain) / min(plain)) if plain else CHANCE
    others = [value for name, value in perplexities.items() if name not in ('plain', 'again') and math.isfinite(value)]
    return 'helps' if compared(min(others, default=math.inf), min(plain, default=math.inf), chance) == 'lower' else 'alike'


def draw(tried: Mapping[str, Tried], single: float) -> Any:
    """The norms over the updates, and the perplexities over the epochs."""
    figure, (left, right) = new_figure(12, 4.8, ncols=2)
    for k, (name, t) in enumerate(tried.items()):
        plain = name in ('plain', 'again')
        style = {'color': 'black' if plain else COLOURS[k % len(COLOURS)],
                 'linestyle': '-' if k <= len(COLOURS) and name != 'again' else '--'}
        part = np.linspace(0, 1, len(t.norms))
        left.plot(part, np.where(t.norms > 0, t.norms, np.nan), **style, linewidth=0.7)
        right.plot([record.epoch for record in t.run.records], [record.perplexity for record in t.run.records], **style,
                   linewidth=2.2 if plain else 1.3, label=t.remedy.name + (', another seed' if name == 'again' else ''))
    left.set(yscale='log', xlabel='part of the training', ylabel='gradient norm before anything is done to it')
    right.set(yscale='log', xlabel='epoch', ylabel='perplexity per character')
    right.xaxis.get_major_locator().set_params(integer=True)
    right.axhline(single, color='#bbb', linewidth=1, label='frequencies alone')
    rule(left, right)
    legend_beside(right)
    return figure
