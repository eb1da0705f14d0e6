"""Exercise 6.10.2: several bidirectional layers, what each can see, and what more of them are worth."""
from __future__ import annotations

from functools import partial
from typing import Any, Dict, Sequence

import numpy as np

from ...models.language_model import ModelConfig, build_model, redraw_weights
from ...plots import new_figure
from .. import diagnostics
from .directions import ALL, MEANS, learn, means, shapes
from .frame import Outcome, Table
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
    sight, h, epochs, seeds = seen(3), bench.size(64, 8), bench.size(6, 2), bench.size((0, 1), (0,))
    weights, looked = shapes(h, h, num_layers=3), []
    for name, matrix in sight.items():
        _, layer, direction = name.split()
        looked.append((int(layer), direction, ' x '.join(map(str, weights[f'layer{int(layer) - 1}.{direction}.W_xh'])),
                       int(matrix[0].sum()), int(matrix[-1].sum()), int(matrix.sum())))
    rows = []
    for layers in (1, 2, 3):
        runs = [learn(bench, f'{layers} layers, seed {seed}', num_hiddens=h, bidirectional=True, num_layers=layers,
                      num_epochs=epochs, seed=bench.seed + seed) for seed in seeds]
        rows.append((layers, 2 * layers, *means(runs)))
    steps, num_chars, chance = len(sight['layer 1 forward']), len(bench.corpus(ALL)), max(row[5] for row in rows)
    return Outcome([
        Table((f'What each state depends on, a text of {steps} characters', f'每个状态依赖于哪些字符（文本 {steps} 个字符）'),
              ('layer', 'direction', 'W_xh', 'characters that H_1 depends on', f'that H_{steps} depends on', 'of all pairs'),
              looked),
        Table((f'Gaps filled in the last fifth of all {num_chars:,} characters, {h} hidden units a direction, '
               f'weights from N(0, 0.01), best of {epochs} epochs, seeds: {len(seeds)}',
               f'在全文 {num_chars:,} 个字符的最后五分之一上填空，每个方向 {h} 个隐藏单元，权重初始化为 '
               f'N(0, 0.01)，{epochs} 个迭代周期中最好的，随机种子 {len(seeds)} 个'),
              ('layers', 'walks over the text', *MEANS), rows)],
        {'hiddens': h, 'rows': 2 * h, 'steps': steps, 'epochs': epochs, 'seen_one': int(sight['layer 1 forward'][0].sum()),
         'seen_two': int(sight['layer 2 forward'][0].sum()), **{f'layers_{row[0]}': row[4] for row in rows},
         'times_2': rows[1][6] / rows[0][6], 'chance': chance},
        which_is_best([row[4] for row in rows], chance), partial(draw, sight))


def which_is_best(perplexities: Sequence[float], chance: float) -> str:
    """perplexities: of one layer, and of more; chance: how far apart two seeds of one network are."""
    one, *more = (value if np.isfinite(value) else np.inf for value in perplexities)
    return 'one' if one < min(more) - chance else 'deep' if min(more) < one - chance else 'alike'


def draw(sight: Dict[str, np.ndarray]) -> Any:
    """A square for each layer and direction: dark where the state at t depends on character s."""
    layers = sorted({name.split()[1] for name in sight})
    figure, axes = new_figure(2.6 * len(layers) + 0.6, 5.4, nrows=2, ncols=len(layers))
    for name, matrix in sight.items():
        _, layer, direction = name.split()
        axis = axes[('forward', 'backward').index(direction)][layers.index(layer)]
        axis.imshow(matrix, cmap='Blues', vmin=0, vmax=1.3, extent=(0.5, len(matrix) + 0.5, len(matrix) + 0.5, 0.5))
        axis.set(title=name, xlabel='character s', ylabel='state H_t')
    return figure
