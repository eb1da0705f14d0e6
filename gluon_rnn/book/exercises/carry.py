"""Exercise 6.7.1: the gates that carry one character over any distance, set by hand and learned."""
from __future__ import annotations

from functools import partial
from typing import Any, Dict, Sequence, Tuple

import numpy as np

from ...plots import new_figure
from .. import diagnostics
from .frame import Lines, Outcome, Table
from .recall import CHARACTERS, OPEN, VALUES, Gates, Recall, by_hand, example, recall, sequences, trained
from .workbench import Workbench

# The hand-set gates that are tried.
TRIALS = {
    'ideal': ('Z 0, R 0 at the character to keep; Z 1 after it', Gates()),
    'either': ('the same, R 1 where nothing is kept', Gates(reset_passing=OPEN)),
    'reset_open': ('R 1 at the character to keep', Gates(reset_keeping=OPEN)),
    'leaky': ('Z 0.9 after it', Gates(update_passing=float(np.log(9)))),
    'slow': ('Z 0.98 after it', Gates(update_passing=4.0)),
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
    distances, greatest = bench.size((1, 10, 100, 500), (1, 10, 30)), bench.size(20, 5)
    learner = trained(bench.size(40, 2), greatest, seed=bench.seed, on_step=bench.on_step)
    tests = bench.seed + 1      # what is asked is not what was learned from
    models = {name: (label, by_hand(gates)) for name, (label, gates) in TRIALS.items()}
    models['learned'] = f'learned, distances 1 to {greatest}', learner
    X, _ = sequences(bench.rng(), bench.size(20, 2), range(1, greatest + 1))
    gates, shares = {}, {}
    for name, (label, model) in models.items():
        bench.tell(label)
        gates[name], shares[name] = mean_gates(model, X), [recall(model, distance, seed=tests) for distance in distances]
    shown = example(bench.size(18, 5), tests)
    characters = [CHARACTERS[i] for i in shown]
    return Outcome([
        Lines(('A sequence: A to J are to be kept, ? asks for the last of them', '一个序列：A 到 J 要记住，? 询问最后一个'),
              [''.join(characters)]),
        Table(('Gates, and the part of random sequences recalled after so many steps (guessing: 0.1)',
               '门的值，以及相隔若干步后答对的比例（猜测为 0.1）'),
              ('gates', 'Z keeping', 'R keeping', 'Z passing', 'R passing', *(f'{distance} steps' for distance in distances)),
              [(label, *gates[name], *shares[name]) for name, (label, _) in models.items()])],
        {'near': distances[0], 'far': distances[-1], 'ideal_near': shares['ideal'][0], 'ideal_far': shares['ideal'][-1],
         'either_far': shares['either'][-1], 'reset_open': shares['reset_open'][0], 'leaky_far': shares['leaky'][-1],
         'learned_near': shares['learned'][0], 'learned_far': shares['learned'][-1], 'learned_z_keep': gates['learned'][0],
         'learned_z_pass': gates['learned'][2]},
        'exact' if min(shares['ideal']) == 1 else 'inexact',
        partial(draw, {name: traced(models[name][1], shown) for name in ('ideal', 'learned')}, characters))


def draw(traces: Dict[str, diagnostics.Trace], characters: Sequence[str]) -> Any:
    """Z, R and H over a sequence, a row a hidden unit."""
    figure, axes = new_figure(13, 5.6, nrows=len(traces), ncols=3)
    for row, (name, trace) in zip(axes, traces.items()):
        for axis, gate in zip(row, 'ZRH'):
            style = {'cmap': 'RdBu_r', 'vmin': -1, 'vmax': 1} if gate == 'H' else {'cmap': 'viridis', 'vmin': 0, 'vmax': 1}
            image = axis.imshow(trace[gate].T, aspect='auto', interpolation='nearest', **style)
            axis.set_title(f'{"by hand" if name == "ideal" else name}: {gate}', fontsize=10)
            axis.set_xticks(range(len(characters)), characters, fontsize=7)
            axis.set_yticks([])
            figure.colorbar(image, ax=axis, pad=0.02)
    return figure
