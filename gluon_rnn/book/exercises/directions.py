"""Section 6.10: directions of unequal width, and several bidirectional layers, on the task that fits them: filling gaps."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...models.fill_in import MaskedText, Score, build_fill_in, evaluate_gaps, held_out_batches, network_log_probabilities
from ...models.language_model import ModelConfig, build_model
from ...plots import COLOURS, new_figure, save_figure
from ...runs.settings import pick
from ...training.config import TrainConfig
from ...training.trainer import Trainer
from .frame import Exercise, Outcome, Table, Text
from .scoring import near_lowest
from .workbench import Workbench

MASK_RATE = 0.2
ALL = 0             # characters: the book's 10,000 are too few to learn what fills a gap
HOW: Dict[str, Any] = {'cell': 'gru', 'sampling': 'random', 'num_steps': 35, 'batch_size': 32, 'lr': 0.01, 'optimizer': 'adam',
                       'clipping_theta': 1}


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
    parts = [total * k // 8 for k in bench.size((1, 2, 4, 6, 7), (2, 4))]
    sizes: List[tuple] = []
    for forward in parts:
        seen = shapes(forward, total - forward)
        sizes.append((forward, total - forward, *(' x '.join(map(str, seen[name])) for name in
                                                  ('H_t', 'forward.W_hh', 'backward.W_hh', 'W_hq'))))
    rows: List[tuple] = []
    seeds = bench.size((0, 1), (0,))
    for forward in (total, *reversed(parts)):
        backward = total - forward
        ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
        runs = [learn(bench, f'{forward} + {backward}, seed {seed}', num_hiddens=forward, num_epochs=epochs,
                      seed=bench.seed + seed, **ways) for seed in seeds]
        accuracies, perplexities = [run.best.accuracy for run in runs], [run.best.perplexity for run in runs]
        rows.append((forward, backward, runs[0].parameters, float(np.mean(accuracies)), float(np.mean(perplexities)),
                     float(np.ptp(perplexities)), runs[0].seconds))
    return Outcome(_directions_answer(sizes, rows), [
        Table(('Shapes, batch of 2, 30 characters', '形状：批量 2，30 个字符'),
              ('forward', 'backward', 'H_t', 'W_hh forward', 'W_hh backward', 'W_hq'), sizes),
        Table((f'{total} hidden units split between the directions, gaps filled in the last fifth of all {num_chars:,} '
               f'characters, best of {epochs} epochs, mean of {len(seeds)} seed{"s" * (len(seeds) != 1)}',
               f'{total} 个隐藏单元分给两个方向，在全文 {num_chars:,} 个字符的最后五分之一上填空，{epochs} 个迭代周期中'
               f'最好的，{len(seeds)} 个随机种子的平均值'),
              ('forward', 'backward', 'parameters', 'accuracy', 'perplexity', 'perplexity, between seeds', 'seconds an epoch'),
              rows),
    ], partial(draw_splits, rows=rows))


def _directions_answer(sizes: Sequence[tuple], rows: Sequence[tuple]) -> Text:
    single, split, first = rows[0], [row for row in rows[1:] if np.isfinite(row[4])], sizes[0]
    en = (f'H_t is the two states side by side, (batch size, forward + backward): with {first[0]} and {first[1]} units it was '
          f'{first[2]}, W_hh {first[3]} in one direction and {first[4]} in the other, and W_hq {first[5]}. The sum alone '
          'counts for the output layer. ')
    zh = (f'H_t 是两个方向的隐藏状态并排相连，形状为（批量大小，正向 + 反向）：{first[0]} 与 {first[1]} 个单元时为 {first[2]}，'
          f'两个方向的 W_hh 分别为 {first[3]} 与 {first[4]}，W_hq 为 {first[5]}；输出层只与总数有关。')
    if not split:
        return en + 'No split came to a finite perplexity.', zh + '没有一种分法得到有限的困惑度。'
    best, worst = min(split, key=lambda row: row[4]), max(split, key=lambda row: row[4])
    noise = max(row[5] for row in rows)
    near = near_lowest({f'{row[0]} + {row[1]}': (row[4], noise) for row in split})
    if len(near) == len(split):
        said = 'no clear difference between them', '它们之间没有明显差别'
    elif len(near) == 1:
        said = f'{near[0]} is clearly best', f'{near[0]} 明显最好'
    else:
        said = (f'{", ".join(near)} are best, with no clear difference between them',
                f'{"、".join(near)} 最好，它们之间没有明显差别')
    alone = (('which cannot be compared', '无法比较') if not np.isfinite(single[4]) else
             ('clearly worse than any split', '明显不如任何一种分法') if single[4] - worst[4] > noise else
             ('clearly worse than the best split', '明显不如最好的分法') if single[4] - best[4] > noise else
             ('clearly better than any split', '明显好于任何一种分法') if best[4] - single[4] > noise else
             ('no clear difference from the best split', '与最好的分法没有明显差别'))
    en += (f'Gaps filled by splits of {single[0]} units have perplexities from {best[4]:.4g} ({best[0]} + {best[1]}) to '
           f'{worst[4]:.4g} ({worst[0]} + {worst[1]}): {said[0]}. One direction alone with all units has {single[4]:.4g}, '
           f'{alone[0]}. Two seeds of one network are up to {noise:.3g} apart, which is the measure of chance.')
    zh += (f'{single[0]} 个单元的各种分法填空的困惑度从 {best[4]:.4g}（{best[0]} + {best[1]}）到 {worst[4]:.4g}（{worst[0]} + '
           f'{worst[1]}）：{said[1]}。全部单元只用于一个方向时为 {single[4]:.4g}，{alone[1]}。同一网络换随机种子最多相差 '
           f'{noise:.3g}，以此衡量随机波动。')
    return en, zh


def draw_splits(path: Path, rows: Sequence[tuple]) -> None:
    """Perplexity and accuracy over the units of the forward direction; a bar spans the seeds."""
    figure, (left, right) = new_figure(9, 3.8, ncols=2)
    rows = sorted(rows)
    forward = [row[0] for row in rows]
    left.errorbar(forward, [row[4] for row in rows], yerr=[row[5] / 2 for row in rows], marker='o', capsize=3, color=COLOURS[0])
    right.plot(forward, [100 * row[3] for row in rows], marker='o', color=COLOURS[1])
    for axis, label in ((left, 'perplexity of gaps'), (right, 'gaps filled rightly, %')):
        axis.set(xlabel=f'forward units, the other {max(forward)} - n backward', ylabel=label, xticks=forward)
        axis.grid(True, alpha=0.25)
        axis.spines[['top', 'right']].set_visible(False)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.10.1', ('If the two directions have different numbers of hidden units, what shape has H_t, and what follows?',
                        '若两个方向的隐藏单元个数不同，H_t 的形状是什么？又有什么影响？'), directions),
)
