"""A task and a GRU whose weights, set by hand, carry one character over any distance.

    c f B a g j d h H e i c b a d g f j ?       read A to J: keep it; a to j: pass it by; ?: say what was kept last
                    |<--- distance --->|        here h
Every character, kept or not, proposes itself as candidate: only the gates tell them apart.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...cells.ops import OneHot, State
from ...corpora.sampling import Batch
from ...models.base import build_parts
from ...models.language_model import LanguageModel, ModelConfig
from ...training.config import TrainConfig
from ...training.trainer import Trainer

VALUES = 'abcdefghij'
CHARACTERS = VALUES + VALUES.upper() + '?'
_N = len(VALUES)
OPEN = 20.0             # what a gate's sigmoid gets: in float32 sigmoid(20) is 1, and sigmoid(-20) is 2e-9


class Recall(LanguageModel):
    """A language model that is asked once, after the last character: (batch_size, vocab_size) logits."""

    def __call__(self, X: nd.NDArray, state: State, lengths: Any = None) -> Tuple[nd.NDArray, State]:
        H, state = self.network(OneHot(X.T, self.config.vocab_size), state, lengths)
        return self.output(H[-1]), state


def build_recall(num_hiddens: int, impl: str, *, reset_after: bool = False) -> Recall:
    config = ModelConfig(cell='gru', impl=impl, num_hiddens=num_hiddens, reset_after=reset_after, vocab_size=len(CHARACTERS))
    return Recall(config, *build_parts(config, config.vocab_size, config.vocab_size))


@dataclass(frozen=True)
class Gates:
    """Inputs to the sigmoids of the hand-set gates: far above 0 is open (1), far below is shut (0)."""
    update_keeping: float = -OPEN       # Z at a character to keep: 0, the candidate takes the place of the state
    reset_keeping: float = -OPEN        # R there: 0, the candidate knows nothing of the state before
    update_passing: float = OPEN        # Z at all others: 1, the state stays as it is, whatever the candidate
    reset_passing: float = -OPEN        # R at all others: of no account where Z is 1


def by_hand(gates: Gates, *, reset_after: bool = False) -> Recall:
    """A GRU of one hidden unit a value. Its candidate is the value just read, over which an older state would win."""
    model = build_recall(_N, 'scratch', reset_after=reset_after)
    params = {name: np.zeros_like(value) for name, value in model.book_params().items()}
    keep = slice(_N, 2 * _N)                                    # the rows of A to J
    params['b_z'][:] = gates.update_passing
    params['W_xz'][keep] = gates.update_keeping - gates.update_passing
    params['b_r'][:] = gates.reset_passing
    params['W_xr'][keep] = gates.reset_keeping - gates.reset_passing
    params['W_xh'][:_N] = params['W_xh'][keep] = 4 * np.eye(_N)
    params['W_hh'][:] = 8 * np.eye(_N)
    params['W_hq'][:, :_N] = 10 * np.eye(_N)                    # unit k says the k-th of a to j
    model.load_book_params(params)
    return model


def sequences(rng: np.random.Generator, number: int, distances: Sequence[int], *,
              before: int = 10) -> Tuple[np.ndarray, np.ndarray]:
    """Random sequences of one length, each with another character to keep somewhere before the one that is asked for.

    distances: from each's last kept character to the '?'; before: characters before that at the greatest distance.
    Returns X (number, before + 1 + greatest distance) and y (number,), the index of what is to be said.
    """
    greatest = max(distances)
    X = rng.integers(0, _N, (number, before + 1 + greatest))
    places = before + greatest - rng.choice(distances, number)
    rows = np.arange(number)
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


class RecallBatches:
    """Sequences to learn from, distances 1 to greatest, what `Trainer.epochs_on` takes."""

    def __init__(self, greatest: int, *, batch_size: int = 64, num_batches: int = 25, seed: int = 0):
        self.greatest, self.batch_size, self.num_batches, self.seed = greatest, batch_size, num_batches, seed

    def __len__(self) -> int:
        return self.num_batches

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, epoch])
        for _ in range(self.num_batches):
            X, y = sequences(rng, self.batch_size, range(1, self.greatest + 1))
            yield nd.array(X), nd.array(y)


def trained(num_epochs: int, greatest: int, *, num_hiddens: int = 32, seed: int = 0,
            on_step: Callable[..., None] | None = None) -> Recall:
    """The same task learned from examples, by Adam. seed: of the weights and the examples; on_step: called between steps."""
    runtime.seed(seed)
    model = build_recall(num_hiddens, 'hybrid')
    config = TrainConfig(sampling='random', num_epochs=num_epochs, optimizer='adam', lr=0.01, clipping_theta=1)
    for _ in Trainer(model, config).epochs_on(RecallBatches(greatest, seed=seed), on_step=on_step):
        pass
    eager = build_recall(num_hiddens, 'scratch')        # a long sequence is soon read step by step, and long in compiling
    eager.load_book_params(model.book_params())
    return eager


def example(distance: int, seed: int = 1) -> List[int]:
    """One sequence for a picture."""
    return sequences(np.random.default_rng(seed), 1, [distance])[0][0].tolist()
