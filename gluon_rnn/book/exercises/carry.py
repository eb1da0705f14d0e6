"""Exercise 6.7.1: the gates that carry one character over any distance, set by hand and learned."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np

from ...plots import new_figure, save_figure
from .. import diagnostics
from .frame import Exercise, Lines, Outcome, Table, Text
from .recall import CHARACTERS, OPEN, VALUES, Gates, Recall, by_hand, example, recall, sequences, trained
from .workbench import Workbench

TRIALS = {
    'Z 0, R 0 at the character to keep; Z 1 after it': Gates(),
    'the same, R 1 where nothing is kept': Gates(reset_passing=OPEN),
    'R 1 at the character to keep': Gates(reset_keeping=OPEN),
    'Z 0.9 after it': Gates(update_passing=float(np.log(9))),
    'Z 0.98 after it': Gates(update_passing=4.0),
}


def traced(model: Recall, row: Sequence[int]) -> diagnostics.Trace:
    return diagnostics.trace(model.config, model.book_params(), row)['layer 1']


def mean_gates(model: Recall, X: np.ndarray) -> Tuple[float, ...]:
    """Z and R at the characters to keep, then Z and R at those to pass by, mean over units and sequences."""
    traces = [traced(model, row.tolist()) for row in X]
    keep, by = (np.isin(X, [CHARACTERS.index(char) for char in chars]) for chars in (VALUES.upper(), VALUES))
    return tuple(float(np.stack([trace[gate] for trace in traces])[where].mean()) for where in (keep, by) for gate in 'ZR')


def carrying(bench: Workbench) -> Outcome:
    """6.7.1: hand-set gates tested on random sequences, gates set otherwise, and a network that has learned the task."""
    distances = bench.size((1, 10, 100, 500), (1, 10, 30))
    greatest = bench.size(20, 5)
    learner = trained(bench.size(40, 2), greatest, seed=bench.seed, on_step=bench.on_step)
    tests = bench.seed + 1      # what is asked is not what was learned from
    models = {**{name: by_hand(gates) for name, gates in TRIALS.items()}, f'learned, distances 1 to {greatest}': learner}
    X, _ = sequences(bench.rng(), 20, range(1, greatest + 1))
    rows: List[tuple] = []
    for name, model in models.items():
        bench.tell(name)
        rows.append((name, *mean_gates(model, X), *(recall(model, distance, seed=tests) for distance in distances)))
    shown = example(bench.size(18, 5), tests)
    pictures = {'by hand': traced(models[next(iter(TRIALS))], shown), 'learned': traced(learner, shown)}
    return Outcome(_answer(rows, distances), [
        Lines(('A sequence: A to J are to be kept, ? asks for the last of them', '一个序列：A 到 J 要记住，? 询问最后一个'),
              [''.join(CHARACTERS[i] for i in shown)]),
        Table(('Gates, and the part of random sequences recalled after so many steps (guessing: 0.1)',
               '门的值，以及相隔若干步后答对的比例（猜测为 0.1）'),
              ('gates', 'Z keeping', 'R keeping', 'Z passing', 'R passing', *(f'{distance} steps' for distance in distances)),
              rows),
    ], partial(draw, traces=pictures, characters=[CHARACTERS[i] for i in shown]))


def _answer(rows: Sequence[tuple], distances: Sequence[int]) -> Text:
    ideal, either, reset_open, leaky, _, learner = rows
    perfect, free = all(value == 1 for value in ideal[5:]), either[5:] == ideal[5:]
    first, last = distances[0], distances[-1]
    steps = f'{first} step{"s" * (first != 1)}'
    en = ("At t' shut both gates: Z = 0, so that the candidate takes the place of the state, and R = 0, so that the candidate "
          'is made of the input alone. From there to t open the update gate: Z = 1, and H stays what it is; R '
          f'{"is then of no account (the second row recalls as much)" if free else "then does make a difference (second row)"}. '
          f'Set by hand so, the GRU named {"every character" if perfect else "not all characters, but at least"}'
          f'{"" if perfect else f" {min(ideal[5:]):.0%},"} after {first} to {last} steps. With R = 1 at t\' it recalled '
          f'{reset_open[5]:.0%} after {steps}: what was kept before '
          f'{"leaks in" if reset_open[5] < ideal[5] else "does no harm here"}. With Z = 0.9 it recalled {leaky[-1]:.0%} after '
          f'{last} steps: what was kept {"fades" if leaky[-1] < ideal[-1] else "lasts so long even then"}. A GRU that learned '
          f'the task recalled {learner[5]:.0%} after {steps} and {learner[-1]:.0%} after {last}; its Z is {learner[1]:.2f} where '
          f'it keeps and {learner[3]:.2f} where it passes by, its R {learner[2]:.2f} and {learner[4]:.2f}, mean over all units.')
    zh = ("在 t' 关闭两个门：Z = 0，候选隐藏状态取代旧的隐藏状态；R = 0，候选隐藏状态只来自输入。此后到 t 打开更新门：Z = 1，H 保"
          f'持不变；此时 R {"无关紧要（第二行答对的一样多）" if free else "并非没有影响（见第二行）"}。这样手工设置的 GRU 在相隔 '
          f'{first} 到 {last} 步后{"全部答对" if perfect else f"未能全部答对，最少答对 {min(ideal[5:]):.0%}"}。若 t\' 时 R = 1，'
          f'相隔 {first} 步答对 {reset_open[5]:.0%}：先前记住的{"会混进来" if reset_open[5] < ideal[5] else "在这里没有妨碍"}。'
          f'若 Z = 0.9，相隔 {last} 步答对 {leaky[-1]:.0%}：记忆{"会衰减" if leaky[-1] < ideal[-1] else "仍能保持这么久"}。从样本'
          f'学会此任务的 GRU 相隔 {first} 步答对 {learner[5]:.0%}，{last} 步 {learner[-1]:.0%}；它的 Z 在要记住处为 '
          f'{learner[1]:.2f}，其余处为 {learner[3]:.2f}，R 分别为 {learner[2]:.2f} 和 {learner[4]:.2f}（全部单元的平均值）。')
    return en, zh


def draw(path: Path, traces: Dict[str, diagnostics.Trace], characters: Sequence[str]) -> None:
    """Z, R and H over a sequence, a row a hidden unit."""
    figure, axes = new_figure(13, 5.6, nrows=len(traces), ncols=3)
    for row, (name, trace) in zip(axes, traces.items()):
        for axis, gate in zip(row, 'ZRH'):
            style = {'cmap': 'RdBu_r', 'vmin': -1, 'vmax': 1} if gate == 'H' else {'cmap': 'viridis', 'vmin': 0, 'vmax': 1}
            image = axis.imshow(trace[gate].T, aspect='auto', interpolation='nearest', **style)
            axis.set_title(f'{name}: {gate}', fontsize=10)
            axis.set_xticks(range(len(characters)), characters, fontsize=7)
            axis.set_yticks([])
            figure.colorbar(image, ax=axis, pad=0.02)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.7.1', ("A GRU is to use the input of one early step t' alone to say something at a later step t. Which values "
                       'of reset and update gate are best at each step?',
                       "若只用时间步 t' 的输入来预测后面时间步 t 的输出，重置门和更新门各取什么值最好？"), carrying),
)
