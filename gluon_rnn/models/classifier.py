"""A sequence of rows -> recurrent network -> last state -> class: a sequence to one answer."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Tuple

import numpy as np
from mxnet import nd

from ..cells.build import NetworkConfig
from ..cells.lengths import Lengths, check_lengths
from ..cells.ops import State
from .base import Model, build_parts, check_matrix


@dataclass(frozen=True)
class ClassifierConfig(NetworkConfig):
    """A classifier: its network, how wide a row is, and how many classes there are."""
    num_inputs: int = 0
    num_classes: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_inputs < 1 or self.num_classes < 2:
            raise ValueError(f'num_inputs must be 1 or more and num_classes 2 or more, got {self.num_inputs} and '
                             f'{self.num_classes}')


class Classifier(Model):
    """Reads a sequence and predicts its class from the hidden state after it.

    That is the state after the row's last step, and of a second direction the one after the first step, which it reads last: each
    direction has then read the whole sequence.
    """
    made_by = 'scripts/classify_digits.py'

    @staticmethod
    def build(config: ClassifierConfig, ctx: Any = None) -> Classifier:
        return Classifier(config, *build_parts(config, config.num_inputs, config.num_classes, ctx))

    def __call__(self, X: nd.NDArray, state: State, lengths: Lengths | None = None) -> Tuple[nd.NDArray, State]:
        """X: (batch_size, num_steps, num_inputs); lengths: how many steps of each row are real (`cells/lengths.py`).

        Returns the logits (batch_size, num_classes) and the network's last state.
        Raises ValueError for a state that does not fit.
        """
        X = check_matrix(X, 'X', 3, self.ctx)
        if X.shape[2] != self.config.num_inputs:
            raise ValueError(f'X must have rows of {self.config.num_inputs} numbers, got shape {X.shape}')
        inputs = X.transpose((1, 0, 2))
        H, state = self.network(inputs, state, lengths)
        from_end = self.config.bidirectional and not self.config.both_forward
        forward = self.config.num_hiddens if from_end else self.network.num_outputs
        H_forward = nd.slice_axis(H, axis=2, begin=0, end=forward)
        if lengths is None:
            last = H_forward[-1]
        else:
            lengths = nd.array(check_lengths(lengths, *inputs.shape[:2]), ctx=self.ctx)
            last = nd.SequenceLast(H_forward, lengths, use_sequence_length=True)
        if from_end:
            last = nd.concat(last, nd.slice_axis(H, axis=2, begin=forward, end=None)[0], dim=1)
        return self.output(last), state


def classify(model: Classifier, X: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The predicted class of each sequence of X (number, num_steps, num_inputs), as (number,) integers."""
    return _read(model, X, batch_size).argmax(axis=1).asnumpy().astype(np.int64)


def class_probabilities(model: Classifier, X: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The probability of each class for each sequence of X, (number, num_classes)."""
    return nd.softmax(_read(model, X, batch_size)).asnumpy()


def _read(model: Classifier, X: np.ndarray, batch_size: int) -> nd.NDArray:
    """The logits (number, num_classes) of sequences X (number, num_steps, num_inputs), batch_size at a time."""
    logits = []
    for i in range(0, len(X), batch_size):
        batch = nd.array(X[i:i + batch_size], ctx=model.ctx)
        logits.append(model(batch, model.begin_state(len(batch)))[0])
    return nd.concat(*logits, dim=0)


def confusion_matrix(y: np.ndarray, answers: np.ndarray, num_classes: int) -> np.ndarray:
    """(num_classes, num_classes) counts: a row for what was shown, a column for what was answered."""
    return np.bincount(y * num_classes + answers, minlength=num_classes ** 2).reshape(num_classes, num_classes)


def confusion_table(matrix: np.ndarray) -> str:
    """The confusion matrix as a table of text, zeros as dots; behind each row and under each column, the part that is right."""
    def part(right: int, of: int) -> str:
        return f'{right / of:.1%}' if of else '-'
    classes = range(len(matrix))
    rows = [[str(k), *(str(value or '.') for value in matrix[k]), part(matrix[k, k], matrix[k].sum())] for k in classes]
    last = ['right', *(part(matrix[k, k], matrix[:, k].sum()) for k in classes), part(np.trace(matrix), matrix.sum())]
    wide = max(len(cell) for row in (*rows, last) for cell in row) + 1
    lines = [''.join(f'{cell:>{wide}}' for cell in row) for row in (['shown', *map(str, classes), 'right'], *rows, last)]
    rule = '-' * len(lines[0])
    return '\n'.join([f'{"answered":>{wide + wide * len(matrix) // 2 + 4}}', lines[0], rule, *lines[1:-1], rule, lines[-1]])
