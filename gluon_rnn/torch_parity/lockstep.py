"""Training steps in MXNet and in PyTorch on the same batches."""
from __future__ import annotations

from typing import Any, Iterator, List, Tuple

import numpy as np
import torch
from mxnet import autograd, nd

from ..cells.ops import OneHot
from ..corpora.sampling import consecutive_batches, random_batches
from ..training.data_parallel import Replicas
from ..training.loss import cross_entropy
from ..training.optimizer import Optimizer
from ..training.step import PlainStep
from .torch_trainer import TorchTrainer

Batch = Tuple[np.ndarray, np.ndarray]


class MXNetTrainer:
    """The counterpart of `TorchTrainer`: the step of `gluon_rnn.Trainer`."""

    def __init__(self, model: Any, *, optimizer: str = 'sgd', lr: float = 1e2, clipping_theta: float = 1e-2):
        self.model = model
        self.take = PlainStep(Replicas([model]), Optimizer(model.parameters(), optimizer, lr, clipping_theta), batch_size=1)

    def start(self, batch_size: int) -> None:
        self.states = [self.model.begin_state(batch_size)]

    def step(self, X: np.ndarray, Y: np.ndarray) -> float:
        """One step on X and Y, each (batch_size, num_steps). Returns the loss per character before it."""
        self.states, loss, _ = self.take(X, Y, self.take.carry(self.states), stop=False)
        return loss.asscalar()


class Lockstep:
    """A model and its twin, trained together: every batch goes to both. mxnet_epsilon: of TorchTrainer."""

    def __init__(self, model: Any, twin: Any, *, optimizer: str = 'sgd', lr: float = 1e2, clipping_theta: float = 1e-2,
                 mxnet_epsilon: bool = True):
        self.here = MXNetTrainer(model, optimizer=optimizer, lr=lr, clipping_theta=clipping_theta)
        self.there = TorchTrainer(twin, optimizer=optimizer, lr=lr, clipping_theta=clipping_theta,
                                  mxnet_epsilon=mxnet_epsilon)

    def start(self, batch_size: int) -> None:
        """Start both from a new state."""
        self.here.start(batch_size)
        self.there.start(batch_size)

    def step(self, X: np.ndarray, Y: np.ndarray) -> Tuple[float, float]:
        """Train both by one step. Returns both losses, MXNet's first."""
        return self.here.step(X, Y), self.there.step(X, Y)


def batches(corpus_indices: Any, batch_size: int, num_steps: int, *, rng: Any = None) -> Iterator[Batch]:
    """The samplers' batches for both frameworks, as int64 arrays: consecutive, or random where rng is given."""
    drawn = (consecutive_batches(corpus_indices, batch_size, num_steps) if rng is None else
             random_batches(corpus_indices, batch_size, num_steps, rng=rng))
    for X, Y in drawn:
        yield X.asnumpy().astype(np.int64), Y.asnumpy().astype(np.int64)


def gradients(model: Any, twin: Any, state: Any, batch: Batch) -> List[Any]:
    """One forward and backward pass of both: logits and last states of each, the gradients staying in the parameters.

    state: of both before the batch. Returns [(logits, state) in MXNet, (logits, state) in PyTorch]. The states are those that the
    networks end with, for a direction that runs from the end too.
    """
    X, Y = batch
    (here, there), vocab_size = state, model.config.vocab_size
    labels = nd.array(Y).T.reshape((-1,))
    with autograd.record():
        H, last = model.network(OneHot(nd.array(X).T, vocab_size), here)
        logits = model.output(H.reshape((-1, model.network.num_outputs)))
    logits.backward(cross_entropy(logits, labels)[1])
    for param in twin.parameters():
        param.grad = None
    outputs, twin_last = twin.run(twin.rnn, torch.nn.functional.one_hot(torch.from_numpy(X).T, vocab_size).float(), there)
    twin_logits = twin.output(outputs)
    torch.nn.functional.cross_entropy(twin_logits, torch.from_numpy(Y).T.reshape(-1)).backward()
    return [(logits, last), (twin_logits, twin_last)]
