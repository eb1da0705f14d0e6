"""Section 6.7, exercise 1: the gates that carry one character over any distance, set by hand and learned.

    c f B a g j d h H e i c b a d g f j ?       read A to J: keep it; a to j: pass it by; ?: say what was kept last
                    |<--- distance --->|        here h
Every character, kept or not, proposes itself as candidate: only the gates tell them apart.
"""
from __future__ import annotations

from functools import partial
from typing import Any, Dict, Iterator, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...cells.ops import OneHot, State
from ...corpora.corpus import Corpus
from ...corpora.sampling import Batch
from ...models.base import build_parts
from ...models.language_model import LanguageModel, ModelConfig
from ...plots import new_figure
from ...tables import Lines, Table
from .. import diagnostics
from .frame import Outcome
from .workbench import Drawn, Workbench

VALUES = 'abcdefghij'
CHARACTERS = VALUES + VALUES.upper() + '?'
_N = len(VALUES)
OPEN = 20.0             # what a gate's sigmoid gets: in float32 sigmoid(20) is 1, and sigmoid(-20) is 2e-9
BEFORE = 10             # characters before the one to keep, at the greatest distance
BATCH_SIZE, NUM_BATCHES = 64, 25


class Recall(LanguageModel):
    """A language model that is asked once, after the last character: (batch_size, vocab_size) logits."""

    def __call__(self, X: nd.NDArray, state: State, lengths: Any = None) -> Tuple[nd.NDArray, State]:
        H, state = self.network(OneHot(X.T, self.config.vocab_size), state, lengths)
        return self.output(H[-1]), state


def build_recall(num_hiddens: int, impl: str) -> Recall:
    config = ModelConfig(cell='gru', impl=impl, num_hiddens=num_hiddens, vocab_size=len(CHARACTERS))
    return Recall(config, *build_parts(config, config.vocab_size, config.vocab_size))


# The hand-set gates that are tried, by what their sigmoids get: Z and R at a character to keep, Z and R at all others.
# Z 0 lets the candidate take the place of the state, R 0 lets it know nothing of the state before; Z 1 leaves the state as it is,
# whatever the candidate, so that there R is of no account.
TRIALS = {
    'ideal': ('Z 0, R 0 at the character to keep; Z 1 after it', (-OPEN, -OPEN, OPEN, -OPEN)),
    'either': ('the same, R 1 where nothing is kept', (-OPEN, -OPEN, OPEN, OPEN)),
    'reset_open': ('R 1 at the character to keep', (-OPEN, OPEN, OPEN, -OPEN)),
    'leaky': ('Z 0.9 after it', (-OPEN, -OPEN, float(np.log(9)), -OPEN)),
}


def by_hand(Z_keep: float, R_keep: float, Z_pass: float, R_pass: float) -> Recall:
    """A GRU of one hidden unit a value. Its candidate is the value just read, over which an older state would win."""
    model = build_recall(_N, 'scratch')
    params = {name: np.zeros_like(value) for name, value in model.book_params().items()}
    keep = slice(_N, 2 * _N)                                    # the rows of A to J
    params['b_z'][:], params['W_xz'][keep] = Z_pass, Z_keep - Z_pass
    params['b_r'][:], params['W_xr'][keep] = R_pass, R_keep - R_pass
    params['W_xh'][:_N] = params['W_xh'][keep] = 4 * np.eye(_N)
    params['W_hh'][:] = 8 * np.eye(_N)
    params['W_hq'][:, :_N] = 10 * np.eye(_N)                    # unit k says the k-th of a to j
    model.load_book_params(params)
    return model


def sequences(rng: np.random.Generator, number: int, distances: Sequence[int]) -> Tuple[np.ndarray, np.ndarray]:
    """Random sequences of one length, each with another character to keep somewhere before the one that is asked for.

    distances: from each's last kept character to the '?'.
    Returns X (number, BEFORE + 1 + greatest distance) and y (number,), the index of what is to be said.
    """
    greatest, rows = max(distances), np.arange(number)
    X = rng.integers(0, _N, (number, BEFORE + 1 + greatest))
    places = BEFORE + greatest - rng.choice(distances, number)
    y = X[rows, places].copy()
    X[rows, places] += _N
    X[rows, rng.integers(0, places)] += _N                      # an older one, to be forgotten
    X[:, -1] = 2 * _N
    return X, y


def recall(model: Recall, distance: int, *, number: int = 100, seed: int = 1) -> float:
    """The part of random sequences whose kept character is named after `distance` steps."""
    X, y = sequences(np.random.default_rng(seed), number, [distance])
    logits, _ = model(nd.array(X), model.begin_state(number))
    return float((logits.asnumpy().argmax(axis=1) == y).mean())


def examples(rng: np.random.Generator, greatest: int) -> Iterator[Batch]:
    """The sequences of an epoch to learn from, distances 1 to greatest."""
    for _ in range(NUM_BATCHES):
        X, y = sequences(rng, BATCH_SIZE, range(1, greatest + 1))
        yield nd.array(X), nd.array(y)


def trained(bench: Workbench, num_epochs: int, greatest: int, *, num_hiddens: int = 32) -> Recall:
    """The same task learned from examples, by Adam."""
    runtime.seed(bench.seed)
    model = build_recall(num_hiddens, 'hybrid')
    source = Drawn(partial(examples, greatest=greatest), NUM_BATCHES, bench.seed)
    bench.train('learning to carry', corpus=Corpus.from_text(CHARACTERS), model=model, source=source, sampling='random',
                num_epochs=num_epochs, optimizer='adam', lr=0.01, clipping_theta=1)
    eager = build_recall(num_hiddens, 'scratch')        # a long sequence is soon read step by step, and long in compiling
    eager.load_book_params(model.book_params())
    return eager


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
    learner = trained(bench, bench.size(40, 2), greatest)
    tests = bench.seed + 1      # what is asked is not what was learned from
    models = {name: (label, by_hand(*gates)) for name, (label, gates) in TRIALS.items()}
    models['learned'] = f'learned, distances 1 to {greatest}', learner
    X, _ = sequences(np.random.default_rng(bench.seed), bench.size(20, 2), range(1, greatest + 1))
    gates, shares = {}, {}
    for name, (label, model) in models.items():
        bench.tell(label)
        gates[name], shares[name] = mean_gates(model, X), [recall(model, distance, seed=tests) for distance in distances]
    (shown,), _ = sequences(np.random.default_rng(tests), 1, [bench.size(18, 5)])
    characters = [CHARACTERS[i] for i in shown]
    return Outcome([
        Lines(('A sequence: A to J are to be kept, ? asks for the last of them', '一个序列：A 到 J 要记住，? 询问最后一个'),
              [''.join(characters)]),
        Table(('Gates, and the part of random sequences recalled after so many steps (guessing: 0.1)',
               '门的值，以及相隔若干步后答对的比例（猜测为 0.1）'),
              ('gates', 'Z keeping', 'R keeping', 'Z passing', 'R passing', *(f'{distance} steps' for distance in distances)),
              [(label, *gates[name], *shares[name]) for name, (label, _) in models.items()])],
        {'near': distances[0], 'far': distances[-1], 'learned_z_keep': gates['learned'][0], 'learned_z_pass': gates['learned'][2],
         **{f'{name}_near': shares[name][0] for name in ('ideal', 'reset_open', 'learned')},
         **{f'{name}_far': shares[name][-1] for name in ('ideal', 'either', 'leaky', 'learned')}},
        'exact' if min(shares['ideal']) == 1 else 'inexact',
        draw({'by hand': traced(models['ideal'][1], shown), 'learned': traced(learner, shown)}, characters))


def draw(traces: Dict[str, diagnostics.Trace], characters: Sequence[str]) -> Any:
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
    return figure
