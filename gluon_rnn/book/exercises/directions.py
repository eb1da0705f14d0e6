"""Section 6.10: directions of unequal width, and several bidirectional layers, on the task that fits them: filling gaps."""
from __future__ import annotations

from typing import Any, Dict, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...models.fill_in import FillIn, MaskedText, evaluate_gaps, held_out_batches
from ...models.language_model import ModelConfig, build_model, redraw_weights
from ...plots import new_figure
from ...runs.settings import pick
from ...tables import Table
from ...training.config import TrainConfig
from .. import diagnostics
from .drawing import Panel, draw_panels
from .frame import Outcome
from .workbench import Training, Workbench

MASK_RATE = 0.2
ALL = 0             # characters: the book's 10,000 are too few to learn what fills a gap
HOW: Dict[str, Any] = {'cell': 'gru', 'sampling': 'random', 'num_steps': 35, 'batch_size': 32, 'lr': 0.01, 'optimizer': 'adam',
                       'clipping_theta': 1}
APART = 'perplexity, between seeds'


def learn(bench: Workbench, label: str, **changes: Any) -> Training:
    """Train one network to fill gaps in the first four fifths of the whole text, and score it on the rest after each epoch."""
    changes = {**HOW, **changes}
    corpus, settings = bench.corpus(ALL), bench.settings(**changes)
    indices, held_out = corpus.split(0.2)
    batches = held_out_batches(held_out, corpus.vocab_size, MASK_RATE, settings.num_steps)
    runtime.seed(settings.seed)
    model = FillIn.build(pick(ModelConfig, settings, vocab_size=corpus.vocab_size), bench.ctx)
    source = MaskedText(indices, pick(TrainConfig, settings), corpus.vocab_size, MASK_RATE)

    def score(model: Any) -> Dict[str, Any]:
        found = evaluate_gaps(model, batches)
        return {'valid_perplexity': found.perplexity, 'accuracy': found.accuracy}

    return bench.train(label, corpus=corpus, model=model, source=source, score=score, **changes)


def learn_from_seeds(bench: Workbench, label: str, seeds: Sequence[int], **changes: Any) -> Dict[str, Any]:
    """One network from several seeds: a row of means for a table, and how far the seeds are apart."""
    runs = [learn(bench, f'{label}, seed {seed}', seed=bench.seed + seed, **changes) for seed in seeds]
    perplexities, epochs = zip(*(run.best_held_out for run in runs))
    return {'parameters': runs[0].model.num_parameters(),
            'accuracy': np.mean([run.records[epoch - 1].accuracy for run, epoch in zip(runs, epochs)]),
            'perplexity': np.mean(perplexities), APART: np.ptp(perplexities),
            'seconds an epoch': np.mean([run.seconds_an_epoch for run in runs])}


def shapes(forward: int, backward: int, *, num_layers: int = 1, vocab_size: int = 30,
           batch_size: int = 2) -> Dict[str, Tuple[int, ...]]:
    """The shapes of a bidirectional GRU's H_t and weights, read from the arrays themselves."""
    model = build_model(ModelConfig(cell='gru', num_hiddens=forward, backward_hiddens=backward, bidirectional=True,
                                    num_layers=num_layers, vocab_size=vocab_size))
    H, _ = model.network(nd.one_hot(nd.zeros((5, batch_size)), vocab_size), model.begin_state(batch_size))
    return {'H_t': H[0].shape, **{name: value.shape for name, value in model.book_params().items()}}


def directions(bench: Workbench) -> Outcome:
    """6.10.1: one total of hidden units, split between the directions in several ways."""
    total, epochs = bench.size(128, 8), bench.size(6, 2)
    parts, seeds = [total * k // 8 for k in bench.size((1, 2, 4, 6, 7), (2, 4))], bench.size((0, 1), (0,))
    sizes, rows = [], []
    for forward in parts:
        found = {name: ' x '.join(map(str, shape)) for name, shape in shapes(forward, total - forward).items()}
        sizes.append({'forward': forward, 'backward': total - forward, 'H_t': found['H_t'],
                      'W_hh forward': found['forward.W_hh'], 'W_hh backward': found['backward.W_hh'], 'W_hq': found['W_hq']})
    for forward in (*parts, total):
        backward = total - forward
        ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
        rows.append({'forward': forward, 'backward': backward, **learn_from_seeds(
            bench, f'{forward} + {backward}', seeds, num_hiddens=forward, num_epochs=epochs, **ways)})
    *split, single = rows
    best, worst = (pick(split, key=lambda row: row['perplexity']) for pick in (min, max))
    chance = max(row[APART] for row in rows)
    return Outcome([
        Table.of(('Shapes, batch of 2, 30 characters', '形状：批量 2，30 个字符'), sizes),
        Table.of((f'Filling gaps with {total} hidden units, best of {epochs} epochs, means of {len(seeds)} seeds',
                  f'用 {total} 个隐藏单元填空，{epochs} 个迭代周期中最好的，{len(seeds)} 个随机种子的平均'), rows)],
        {**sizes[0], 'total': total, 'best': best['perplexity'], 'worst': worst['perplexity'], 'single': single['perplexity'],
         'best_split': f'{best["forward"]} + {best["backward"]}', 'worst_split': f'{worst["forward"]} + {worst["backward"]}',
         'chance': chance},
        'apart' if worst['perplexity'] - best['perplexity'] > chance else 'alike',
        draw_panels(*(
            Panel(f'{name} of filling gaps', {name: ([row['forward'] for row in rows], [row[name] for row in rows])},
                  {'xlabel': f'forward units, of {total}'}) for name in ('perplexity', 'accuracy'))))


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
    runtime.seed(bench.seed)
    sight, h, epochs, seeds = seen(3, num_steps=bench.size(8, 4)), bench.size(64, 8), bench.size(6, 2), bench.size((0, 1), (0,))
    weights, looked, steps = shapes(h, h, num_layers=3), [], len(sight['layer 1 forward'])
    for name, matrix in sight.items():
        _, layer, direction = name.split()
        looked.append({'layer': int(layer), 'direction': direction,
                       'W_xh': ' x '.join(map(str, weights[f'layer{int(layer) - 1}.{direction}.W_xh'])),
                       'characters that H_1 depends on': int(matrix[0].sum()),
                       f'that H_{steps} depends on': int(matrix[-1].sum()), 'of all pairs': int(matrix.sum())})
    rows = [{'layers': layers, 'walks over the text': 2 * layers, **learn_from_seeds(
        bench, f'{layers} layers', seeds, num_hiddens=h, bidirectional=True, num_layers=layers, num_epochs=epochs)}
        for layers in (1, 2, 3)]
    chance = max(row[APART] for row in rows)
    return Outcome([
        Table.of(('What each state depends on', '每个状态依赖于哪些字符'), looked),
        Table.of((f'Filling gaps with {h} hidden units a direction, best of {epochs} epochs, means of {len(seeds)} seeds',
                  f'每个方向 {h} 个隐藏单元填空，{epochs} 个迭代周期中最好的，{len(seeds)} 个随机种子的平均'), rows)],
        {'hiddens': h, 'rows': 2 * h, 'steps': steps, 'epochs': epochs, 'seen_one': int(sight['layer 1 forward'][0].sum()),
         'seen_two': int(sight['layer 2 forward'][0].sum()), **{f'layers_{row["layers"]}': row['perplexity'] for row in rows},
         'times_2': rows[1]['seconds an epoch'] / rows[0]['seconds an epoch'], 'chance': chance},
        which_is_best([row['perplexity'] for row in rows], chance), draw_sight(sight))


def which_is_best(perplexities: Sequence[float], chance: float) -> str:
    """perplexities: of one layer, and of more; chance: how far apart two seeds of one network are."""
    one, *more = perplexities
    return 'one' if one < min(more) - chance else 'deep' if min(more) < one - chance else 'alike'


def draw_sight(sight: Dict[str, np.ndarray]) -> Any:
    """A square for each layer and direction: dark where the state at t depends on character s."""
    figure, axes = new_figure(8.4, 5.4, nrows=2, ncols=len(sight) // 2)
    for axis, (name, matrix) in zip(axes.T.flat, sight.items()):
        axis.imshow(matrix, cmap='Blues', vmin=0, vmax=1.3, extent=(0.5, len(matrix) + 0.5, len(matrix) + 0.5, 0.5))
        axis.set(title=name, xlabel='character s', ylabel='state H_t')
    return figure
