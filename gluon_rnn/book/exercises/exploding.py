"""Section 6.6, exercise 1: remedies against exploding gradients beside clipping their norm.

Each remedy is one change to a plain training whose gradient explodes.
"""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...corpora.corpus import unigram_perplexity
from ...models.language_model import LanguageModel
from ...runs.settings import pick
from ...tables import Row, Table
from ...training.config import TrainConfig
from ...training.optimizer import Optimizer, global_norm
from .. import diagnostics
from ..answers import Text
from .drawing import draw_runs
from .frame import Outcome
from .scoring import chance_of, compared
from .workbench import Training, Workbench

GAIN = 3            # the recurrent weights come from N(0, GAIN / sqrt(num_hiddens)): their singular values reach up to 2 GAIN
LR = 0.5            # without clipping, where the book's 100 stands with it
NUM_STEPS, BATCH_SIZE = 35, 8
_SHORT = 5          # steps of truncated BPTT: with as many rows more, an epoch has as many updates, each of as many characters


class Watched(Optimizer):
    """An optimizer that keeps every gradient's norm, before anything is done about it.

    limit: clip each number of the gradient to -limit … limit; 0: as they are.
    """

    def __init__(self, parameters: Dict[str, nd.NDArray], config: TrainConfig, limit: float = 0):
        super().__init__(parameters, config.optimizer, config.lr, config.clipping_theta, config.weight_decay)
        self.limit = limit
        self.norms: List[nd.NDArray] = []

    def step(self) -> nd.NDArray:
        norm = global_norm(self.grads)
        self.norms.append(norm)
        for grad in self.grads if self.limit else ():
            nd.clip(grad, -self.limit, self.limit, out=grad)
        super().step()
        return norm


def exploding_weights(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    return rng.normal(scale=GAIN / math.sqrt(shape[0]), size=shape)


def orthogonal(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """All singular values 1: it turns a vector, and makes it neither longer nor shorter (Saxe et al., 2014)."""
    Q, R = np.linalg.qr(rng.normal(size=shape))
    return Q * np.sign(np.diag(R))


@dataclass(frozen=True)
class Remedy:
    """One change to the plain training. settings: of model and trainer; recurrent: draws W_hh; limit: see `Watched`."""
    name: Text
    settings: Mapping[str, Any] = field(default_factory=dict)
    recurrent: Callable[..., np.ndarray] = exploding_weights
    limit: float = 0


REMEDIES = {
    'plain': Remedy(('nothing', '不采取措施')),
    'clip_norm': Remedy(('clip the norm to 1', '范数裁剪到 1'), {'clipping_theta': 1}),
    'clip_numbers': Remedy(('clip each number to 0.01', '逐个元素裁剪到 0.01'), limit=1e-2),
    'lower_rate': Remedy(('learning rate / 100', '学习率除以 100'), {'lr': LR / 100}),
    'adam': Remedy(('Adam, 0.001', 'Adam，学习率 0.001'), {'optimizer': 'adam', 'lr': 1e-3}),
    'decay': Remedy(('weight decay', '权重衰减'), {'weight_decay': 1e-3 / LR}),
    'short': Remedy((f'BPTT over {_SHORT} steps', f'截断为 {_SHORT} 步'),
                    {'num_steps': _SHORT, 'batch_size': BATCH_SIZE * NUM_STEPS // _SHORT}),
    'small': Remedy(("small W_hh (the book's)", '小的初始权重（照书）'),
                    recurrent=lambda shape, rng: rng.normal(scale=0.01, size=shape)),
    'orthogonal': Remedy(('orthogonal W_hh', '正交的初始权重'), recurrent=orthogonal),
    'gru': Remedy(('GRU', 'GRU'), {'cell': 'gru'}),
    'lstm': Remedy(('LSTM', 'LSTM'), {'cell': 'lstm'}),
}


def new_model(bench: Workbench, vocab_size: int, remedy: Remedy, settings: Mapping[str, Any]) -> LanguageModel:
    model = bench.model(vocab_size, **settings)
    rng, params = np.random.default_rng(settings.get('seed', bench.seed)), model.book_params()
    for name in params:
        if re.fullmatch('W_h[^q]', name):       # W_hh, and a gate's like it
            params[name] = remedy.recurrent(params[name].shape, rng=rng)
    model.load_book_params(params)
    return model


def attempt(bench: Workbench, remedy: Remedy, num_epochs: int) -> Tuple[Training, Row]:
    """Train with one remedy, up to the last epoch or to where it breaks; the training, and its row of the table."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_hiddens': 128, 'num_epochs': num_epochs, 'lr': LR,
                               'num_steps': NUM_STEPS, 'batch_size': BATCH_SIZE, 'clipping_theta': 0,
                               'impl': 'hybrid', **remedy.settings}
    eager = new_model(bench, corpus.vocab_size, remedy, {**changes, 'impl': 'scratch'})
    reach = diagnostics.reach(eager, corpus.indices[:bench.size(37, 6)].tolist())
    model = new_model(bench, corpus.vocab_size, remedy, changes)
    watched = Watched(model.parameters(), pick(TrainConfig, bench.settings(**changes)), remedy.limit)
    run = bench.train(remedy.name[0], model=model, own_optimizer=watched, **changes)
    norms = nd.concat(*watched.norms, dim=0).asnumpy()
    return run, {**run.row, 'gradient grows a step back, new network': (reach[0] / reach[-1]) ** (1 / (len(reach) - 1)),
                 'largest norm': norms.max() if np.isfinite(norms).all() else math.inf, 'median norm': np.median(norms),
                 'updates': len(norms)}


def remedies(bench: Workbench) -> Outcome:
    """6.6.1: one network whose gradient explodes, one remedy at a time, all with as many updates."""
    epochs, single = bench.size(24, 2), unigram_perplexity(bench.corpus().indices)
    again = Remedy(('nothing, another seed', '不采取措施，另一随机种子'), {'seed': bench.seed + 1})
    tried = {name: attempt(bench, remedy, epochs) for name, remedy in {**REMEDIES, 'again': again}.items()}
    ends, plain = {name: run.perplexity for name, (run, _) in tried.items()}, tried['plain'][1]
    best = min(REMEDIES, key=lambda name: ends[name])
    return Outcome(
        [Table.of((f'One remedy at a time; unigram perplexity {single:.4g}',
                   f'每次只用一种办法；一元模型的困惑度为 {single:.4g}'), [row for _, row in tried.values()])],
        {**ends, 'single': single, 'per_step': plain['gradient grows a step back, new network'],
         'largest': plain['largest norm'], 'best': REMEDIES[best].name},
        whether_one_helps(ends), draw_runs([run for run, _ in tried.values()]))


def whether_one_helps(perplexities: Mapping[str, float]) -> str:
    """Whether the best remedy is clearly below the plain network, from either seed."""
    plain = [perplexities[name] for name in ('plain', 'again')]
    best = min(value for name, value in perplexities.items() if name not in ('plain', 'again'))
    return 'helps' if compared(best, min(plain), chance_of(*plain)) == 'lower' else 'alike'
