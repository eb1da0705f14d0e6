"""Exercise 6.10.2: several bidirectional layers, what each can see, and what more of them are worth."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Dict, Sequence

import numpy as np

from ...models.language_model import ModelConfig, build_model, redraw_weights
from ...plots import new_figure, save_figure
from .. import diagnostics
from .directions import ALL, learn, shapes
from .frame import Exercise, Outcome, Table, Text
from .scoring import near_lowest
from .workbench import Workbench


def seen(num_layers: int, *, num_steps: int = 8, num_hiddens: int = 6) -> Dict[str, np.ndarray]:
    """On which characters each state depends: 'layer 1 forward' -> (num_steps, num_steps), row t, column s.

    Found by trial: character s of a text is exchanged for another; H_t either stays the same to the last bit, or does not.
    """
    model = build_model(ModelConfig(cell='gru', num_hiddens=num_hiddens, bidirectional=True, num_layers=num_layers,
                                    vocab_size=20))
    redraw_weights(model, 0.8)
    indices, params = np.arange(num_steps), model.book_params()
    before = diagnostics.trace(model.config, params, indices.tolist())
    found = {name: np.zeros((num_steps, num_steps), dtype=bool) for name in before}
    for s in range(num_steps):
        exchanged = np.where(indices == s, 19, indices)
        for name, trace in diagnostics.trace(model.config, params, exchanged.tolist()).items():
            found[name][:, s] = (trace['H'] != before[name]['H']).any(axis=1)
    return found


def bidirectional_layers(bench: Workbench) -> Outcome:
    """6.10.2: shapes and sight of each layer, and 1, 2 and 3 of them learning to fill gaps."""
    bench.model(20, cell='gru')        # seeds
    sight, h = seen(3), bench.size(64, 8)
    weights = shapes(h, h, num_layers=3)
    looked = []
    for name, matrix in sight.items():
        _, layer, direction = name.split()
        looked.append((int(layer), direction, ' x '.join(map(str, weights[f'layer{int(layer) - 1}.{direction}.W_xh'])),
                       int(matrix[0].sum()), int(matrix[-1].sum()), int(matrix.sum())))
    rows, seeds, epochs = [], bench.size((0, 1), (0,)), bench.size(6, 2)
    for num_layers in bench.size((1, 2, 3), (1, 2)):
        runs = [learn(bench, f'{num_layers} layers, seed {seed}', num_hiddens=h, bidirectional=True, num_layers=num_layers,
                      num_epochs=epochs, seed=bench.seed + seed) for seed in seeds]
        perplexities = [run.best.perplexity for run in runs]
        rows.append((num_layers, 2 * num_layers, runs[0].parameters, float(np.mean([run.best.accuracy for run in runs])),
                     float(np.mean(perplexities)), float(np.ptp(perplexities)), float(np.mean([run.seconds for run in runs]))))
    steps, num_chars = len(sight['layer 1 forward']), len(bench.corpus(ALL))
    return Outcome(_answer(looked, rows, h, epochs), [
        Table((f'What each state depends on, a text of {steps} characters', f'每个状态依赖于哪些字符（文本 {steps} 个字符）'),
              ('layer', 'direction', 'W_xh', 'characters that H_1 depends on', f'that H_{steps} depends on', 'of all pairs'),
              looked),
        Table((f'Gaps filled in the last fifth of all {num_chars:,} characters, {h} hidden units a direction, '
               f'weights from N(0, 0.01), best of {epochs} epochs, mean of {len(seeds)} seed{"s" * (len(seeds) != 1)}',
               f'在全文 {num_chars:,} 个字符的最后五分之一上填空，每个方向 {h} 个隐藏单元，权重初始化为 '
               f'N(0, 0.01)，{epochs} 个迭代周期中最好的，{len(seeds)} 个随机种子的平均值'),
              ('layers', 'walks over the text', 'parameters', 'accuracy', 'perplexity', 'perplexity, between seeds',
               'seconds an epoch'), rows),
    ], partial(draw, sight=sight))


def _answer(looked: Sequence[tuple], rows: Sequence[tuple], h: int, epochs: int) -> Text:
    forward = {layer: (first, last) for layer, direction, _, first, last, _ in looked if direction == 'forward'}
    steps, base = forward[1][1], rows[0]
    gain = [f'{row[0]}: {row[4]:.4g} ({row[3]:.1%}, {row[6] / base[6]:.2f} times the time)' for row in rows]
    gain_zh = [f'{row[0]} 层：{row[4]:.4g}（{row[3]:.1%}，用时 {row[6] / base[6]:.2f} 倍）' for row in rows]
    said = _verdict(rows)
    en = ('Both directions of a layer read the concatenation [->H, <-H] of the layer below, so from the second layer on W_xh '
          f'has 2 x {h} = {2 * h} rows. The first state of the forward direction depends on {forward[1][0]} character in layer 1 '
          f'and on {forward[2][0]} of {steps} in layer 2: it sees through the other direction below it what stands ahead. Each '
          'layer walks over the text twice, and must wait for both walks of the one below. Perplexity in filling gaps, by '
          f'layers: {"; ".join(gain)}. In {epochs} epochs from weights of N(0, 0.01): {said[0]}. Longer training or larger '
          'weights to begin with, on which deep networks depend more (6.9), were not tried here.')
    zh = (f'一层的两个方向都读下一层的拼接 [->H, <-H]，所以从第二层起 W_xh 有 2 × {h} = {2 * h} 行。正向的第一个状态'
          f'在第 1 层依赖 {forward[1][0]} 个字符，在第 2 层依赖 {steps} 个中的 {forward[2][0]} 个：通过下层的反向看到了后文。'
          f'每一层要走两遍文本，且必须等下层两个方向都走完。填空的困惑度：{"；".join(gain_zh)}。'
          f'权重初始化为 N(0, 0.01)，训练 {epochs} 个迭代周期：{said[1]}。'
          f'这里没有试更长的训练或更大的初始权重，而深层网络更依赖它们（6.9 节）。')
    return en, zh


def _verdict(rows: Sequence[tuple]) -> Text:
    """Which numbers of layers fill gaps best, as far as the seeds tell."""
    near = near_lowest({str(row[0]): (row[4], row[5]) for row in rows})
    one = 's' * (near != ['1'])
    if not near:
        return 'no network came to a finite perplexity', '没有网络得到有限的困惑度'
    if len(near) == len(rows):
        return 'no clear difference between them, the seeds differ by as much', '它们之间没有明显差别，随机种子之间的差别同样大'
    if len(near) == 1:
        return f'{near[0]} layer{one} fill{"" if one else "s"} clearly best', f'{near[0]} 层明显最好'
    return (f'{" and ".join(sorted(near))} layers fill best, with no clear difference between them',
            f'{" 层和 ".join(sorted(near))} 层最好，它们之间没有明显差别')


def draw(path: Path, sight: Dict[str, np.ndarray]) -> None:
    """A square for each layer and direction: dark where the state at t depends on character s."""
    layers = sorted({name.split()[1] for name in sight})
    figure, axes = new_figure(2.6 * len(layers) + 0.6, 5.4, nrows=2, ncols=len(layers))
    for name, matrix in sight.items():
        _, layer, direction = name.split()
        axis = axes[('forward', 'backward').index(direction)][layers.index(layer)]
        axis.imshow(matrix, cmap='Blues', vmin=0, vmax=1.3, extent=(0.5, len(matrix) + 0.5, len(matrix) + 0.5, 0.5))
        axis.set(title=name, xlabel='character s', ylabel='state H_t')
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.10.2', ('Design a network of several bidirectional layers. What does each layer read, and what does it see?',
                        '设计一个多层双向循环神经网络：每一层读什么，看得到什么？'), bidirectional_layers),
)
