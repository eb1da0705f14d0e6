"""Section 6.10: directions of unequal width, and several bidirectional layers, on the task that fits them: filling gaps."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...models.fill_in import MaskedText, Score, build_fill_in, evaluate_gaps, held_out_batches, network_log_probabilities
from ...models.language_model import ModelConfig, build_model
from ...plots import COLOURS, new_figure
from ...runs.settings import pick
from ...training.config import TrainConfig
from ...training.trainer import Trainer
from .drawing import rule
from .frame import Outcome, Table
from .workbench import Workbench

MASK_RATE = 0.2
ALL = 0             # characters: the book's 10,000 are too few to learn what fills a gap
HOW: Dict[str, Any] = {'cell': 'gru', 'sampling': 'random', 'num_steps': 35, 'batch_size': 32, 'lr': 0.01, 'optimizer': 'adam',
                       'clipping_theta': 1}

MEANS = 'parameters', 'accuracy', 'perplexity', 'perplexity, between seeds', 'seconds an epoch'


@dataclass
class Filler:
    """A network that has learned to fill gaps. scores: on held-out text after each epoch; seconds: the median of an epoch."""
    parameters: int
    scores: List[Score]
    seconds: float

    @property
    def best(self) -> Score:
        """That of the epoch with the lowest perplexity."""
        return min(self.scores, key=lambda score: score.perplexity)


def learn(bench: Workbench, label: str, **changes: Any) -> Filler:
    """Train one network to fill gaps in the first four fifths of the whole text, and score it on the rest."""
    corpus, settings = bench.corpus(ALL), bench.settings(**{**HOW, **changes})
    config, how = pick(ModelConfig, settings, vocab_size=corpus.vocab_size), pick(TrainConfig, settings)
    indices, held_out = corpus.split(0.2)
    batches = held_out_batches(held_out, corpus.vocab_size, MASK_RATE, how.num_steps)
    runtime.seed(how.seed)
    model, scores, seconds = build_fill_in(config, bench.ctx), [], []
    source = MaskedText(indices, how, corpus.vocab_size, MASK_RATE, ctx=bench.ctx)
    for record in Trainer(model, how).epochs_on(source, on_step=bench.on_step):
        scores.append(evaluate_gaps(network_log_probabilities(model), batches))
        seconds.append(record.seconds)
        bench.tell(f'{label}: epoch {record.epoch} of {how.num_epochs}, held-out perplexity {scores[-1].perplexity:.4g}')
    return Filler(model.num_parameters(), scores, float(np.median(seconds)))


def shapes(forward: int, backward: int, *, num_layers: int = 1, vocab_size: int = 30,
           batch_size: int = 2) -> Dict[str, Tuple[int, ...]]:
    """The shapes of a bidirectional GRU's H_t and weights, read from the arrays themselves."""
    model = build_model(ModelConfig(cell='gru', num_hiddens=forward, backward_hiddens=backward, bidirectional=True,
                                    num_layers=num_layers, vocab_size=vocab_size))
    H, _ = model.network(nd.one_hot(nd.zeros((5, batch_size)), vocab_size), model.begin_state(batch_size))
    return {'H_t': H[0].shape, **{name: value.shape for name, value in model.book_params().items()}}


def directions(bench: Workbench) -> Outcome:
    """6.10.1: one total of hidden units, split between the directions in several ways."""
    total, epochs, num_chars = bench.size(128, 8), bench.size(6, 2), len(bench.corpus(ALL))
    parts, seeds = [total * k // 8 for k in bench.size((1, 2, 4, 6, 7), (2, 4))], bench.size((0, 1), (0,))
    names = 'H_t', 'forward.W_hh', 'backward.W_hh', 'W_hq'
    sizes: List[Tuple[Any, ...]] = []
    for forward in parts:
        found = shapes(forward, total - forward)
        sizes.append((forward, total - forward, *(' x '.join(map(str, found[name])) for name in names)))
    rows: List[Tuple[Any, ...]] = []
    for forward in (*parts, total):
        backward = total - forward
        ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
        runs = [learn(bench, f'{forward} + {backward}, seed {seed}', num_hiddens=forward, num_epochs=epochs,
                      seed=bench.seed + seed, **ways) for seed in seeds]
        rows.append((forward, backward, *means(runs)))
    *split, single = rows
    best, worst = (pick(split, key=lambda row: row[4]) for pick in (min, max))
    chance = max(row[5] for row in rows)
    forward, backward, h_shape, forward_shape, backward_shape, output_shape = sizes[0]
    return Outcome([
        Table(('Shapes, batch of 2, 30 characters', '形状：批量 2，30 个字符'),
              ('forward', 'backward', 'H_t', 'W_hh forward', 'W_hh backward', 'W_hq'), sizes),
        Table((f'{total} hidden units split between the directions, gaps filled in the last fifth of all {num_chars:,} '
               f'characters, best of {epochs} epochs, seeds: {len(seeds)}',
               f'{total} 个隐藏单元分给两个方向，在全文 {num_chars:,} 个字符的最后五分之一上填空，{epochs} 个迭代周期中最好的，'
               f'随机种子 {len(seeds)} 个'), ('forward', 'backward', *MEANS), rows)],
        {'forward': forward, 'backward': backward, 'h_shape': h_shape, 'forward_shape': forward_shape,
         'backward_shape': backward_shape, 'output_shape': output_shape, 'total': total, 'best': best[4], 'worst': worst[4],
         'best_split': f'{best[0]} + {best[1]}', 'worst_split': f'{worst[0]} + {worst[1]}', 'single': single[4],
         'chance': chance},
        'apart' if worst[4] - best[4] > chance else 'alike', partial(draw_splits, rows))


def means(runs: Sequence[Filler]) -> Tuple[float, ...]:
    """The columns that `MEANS` names, of one network from several seeds."""
    perplexities = [run.best.perplexity for run in runs]
    return (runs[0].parameters, float(np.mean([run.best.accuracy for run in runs])), float(np.mean(perplexities)),
            float(np.ptp(perplexities)), float(np.mean([run.seconds for run in runs])))


def draw_splits(rows: Sequence[tuple]) -> Any:
    """Perplexity and accuracy over the units of the forward direction; a bar spans the seeds."""
    figure, (left, right) = new_figure(9, 3.8, ncols=2)
    forward = [row[0] for row in rows]
    left.errorbar(forward, [row[4] for row in rows], yerr=[row[5] / 2 for row in rows], marker='o', capsize=3, color=COLOURS[0])
    right.plot(forward, [100 * row[3] for row in rows], marker='o', color=COLOURS[1])
    for axis, label in ((left, 'perplexity of gaps'), (right, 'gaps filled rightly, %')):
        axis.set(xlabel=f'forward units, the other {max(forward)} - n backward', ylabel=label, xticks=forward)
    rule(left, right)
    return figure
