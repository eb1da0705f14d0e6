"""A sequence of rows -> recurrent network -> last state -> class: a sequence to one answer."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Tuple

import mxnet as mx
import numpy as np
from mxnet import nd

from .cells.build import NetworkConfig, build_network
from .cells.lengths import Lengths, check_lengths
from .cells.network import BookParams, Network
from .cells.ops import State
from .cells.output_layer import GluonOutputLayer, OutputLayer


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


class Classifier:
    """Reads a sequence and names its class from the hidden state after it.

    That is the state after the row's last step, and of a second direction the one after the first step, which it reads last: each
    direction has then read the whole sequence.
    """

    def __init__(self, config: ClassifierConfig, network: Network, output: Any):
        self.config, self.network, self.output, self.ctx = config, network, output, network.ctx

    def __call__(self, X: nd.NDArray, state: State, lengths: Lengths | None = None) -> Tuple[nd.NDArray, State]:
        """X: (batch_size, num_steps, num_inputs); lengths: how many steps of each row are real (`cells/lengths.py`).

        Returns the logits (batch_size, num_classes) and the network's last state.
        """
        inputs = X.transpose((1, 0, 2))
        H, state = self.network(inputs, state, lengths)
        forward = self.config.num_hiddens if self.config.bidirectional else self.network.num_outputs
        if self.config.both_forward:
            forward = self.network.num_outputs
        H_forward = nd.slice_axis(H, axis=2, begin=0, end=forward)
        if lengths is None:
            last = H_forward[-1]
        else:
            lengths = nd.array(check_lengths(lengths, *inputs.shape[:2]), ctx=self.ctx)
            last = nd.SequenceLast(H_forward, lengths, use_sequence_length=True)
        if forward < self.network.num_outputs:
            last = nd.concat(last, nd.slice_axis(H, axis=2, begin=forward, end=None)[0], dim=1)
        return self.output(last), state

    def begin_state(self, batch_size: int) -> State:
        return self.network.begin_state(batch_size)

    def parameters(self) -> Dict[str, nd.NDArray]:
        """All arrays that are trained, with gradients attached, by name."""
        return {**self.network.parameters(), **self.output.parameters()}

    def book_params(self) -> BookParams:
        """All weights under the book's names and in its layout."""
        return {**self.network.book_params(), **self.output.book_params()}

    def load_book_params(self, params: BookParams) -> None:
        """Take over weights under the book's names. Raises ValueError that names a wrong key or shape."""
        output = {name: value for name, value in params.items() if name in ('W_hq', 'b_q')}
        self.network.load_book_params({name: value for name, value in params.items() if name not in output})
        self.output.load_book_params(output)


def build_classifier(config: ClassifierConfig, ctx: Any = None) -> Classifier:
    """The classifier that `config` describes, its weights newly drawn, on ctx (the CPU unless said)."""
    ctx = ctx or mx.cpu()
    network = build_network(config, config.num_inputs, ctx)
    output = GluonOutputLayer if config.impl == 'gluon' else OutputLayer
    return Classifier(config, network, output(network.num_outputs, config.num_classes, ctx=ctx))


def classify(model: Classifier, X: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The class that the model names for each sequence of X (number, num_steps, num_inputs), as (number,) integers."""
    answers = []
    for i in range(0, len(X), batch_size):
        batch = nd.array(X[i:i + batch_size], ctx=model.ctx)
        logits, _ = model(batch, model.begin_state(len(batch)))
        answers.append(logits.argmax(axis=1))
    return nd.concat(*answers, dim=0).asnumpy().astype(np.int64)


def confusion_matrix(y: np.ndarray, answers: np.ndarray, num_classes: int) -> np.ndarray:
    """(num_classes, num_classes) counts: a row for what was shown, a column for what was answered."""
    return np.bincount(y * num_classes + answers, minlength=num_classes ** 2).reshape(num_classes, num_classes)
