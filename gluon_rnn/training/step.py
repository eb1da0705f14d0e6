"""One step of training: forward, loss, backward, update, each an operation of its own; or all in one call of the model's."""
from __future__ import annotations

from typing import Any, List, Tuple

from mxnet import autograd, nd

from ..corpora.device_indices import Told
from .data_parallel import Replicas
from .loss import cross_entropy
from .optimizer import Optimizer


class PlainStep:
    """The step for any model, on any number of contexts and processes. It waits for none of them.

    States are a list, of each context the state of its rows. batch_size: rows of the whole batch, over all processes.
    """

    def __init__(self, replicas: Replicas, optimizer: Optimizer, batch_size: int):
        self.replicas, self.optimizer, self.batch_size = replicas, optimizer, batch_size
        _, self.shares = replicas.rows(batch_size)

    def begin(self, X: Any) -> List[Any]:
        """States for the rows of X, as at the beginning of a text."""
        return [model.begin_state(part.shape[0]) for model, part in zip(self.replicas.models, self._parts(X))]

    def carry(self, states: List[Any]) -> List[Any]:
        """The same states for the next batch, which sends no gradient back into this one."""
        return [tuple(s.detach() for s in state) for state in states]

    def num_labels(self, Y: Any) -> int:
        """The number of labels in the whole batch, over all processes. Y: those of this one."""
        return self.batch_size * Y.shape[1] if self.replicas.store else Y.size

    def __call__(self, X: Any, Y: Any, states: List[Any], stop: bool) -> Tuple[List[Any], nd.NDArray, nd.NDArray]:
        """Move the weights once.

        X, Y: as a `Source` yields them; stop: whether this process wants to stop.
        Returns the new states, the loss of the whole batch, (1,), with a store (2,): and how many processes want to stop, and the
        gradient's global norm before clipping, (1,).
        """
        after, losses, num_labels = [], [], self.num_labels(Y)
        for model, X_part, Y_part, state in zip(self.replicas.models, self._parts(X), self._parts(Y), states):
            # labels time-major, as the logits are
            labels = _on(Y_part.T.reshape((-1,)) if len(Y_part.shape) == 2 else Y_part, model.ctx)
            with autograd.record():
                logits, state = model(_on(X_part, model.ctx), state)
            loss, gradient = cross_entropy(logits, labels, num_labels)
            logits.backward(gradient)
            after.append(state)
            losses.append(loss)
        figures = self.replicas.sum(losses, stop)
        if self.replicas.store:     # the sum knows no more what it was made from
            figures = Told.of(figures.copy(), *(check for loss in losses for check in loss.checks))
        norm = self.optimizer.step()
        self.replicas.broadcast()
        return after, figures, norm

    def _parts(self, array: Any) -> List[Any]:
        return [array[rows] for rows in self.shares] if len(self.shares) > 1 else [array]


class WholeStep(PlainStep):
    """The step of a model that offers `train_step`, the whole of it in one call, on one context in one process.

    The result is that of the plain step but for rounding. Gradients are left as they were.
    """

    def carry(self, states: List[Any]) -> List[Any]:
        """The same state: no gradient goes back into it."""
        return states

    def __call__(self, X: Any, Y: Any, states: List[Any], stop: bool) -> Tuple[List[Any], float, float]:
        """Move the weights once. Returns the new state, the loss, and the gradient's global norm before clipping."""
        if len(Y.shape) == 1:       # one a row of logits, which are time-major
            Y = Y.reshape((X.shape[1], X.shape[0])).T
        loss, norm, state = self.replicas.models[0].train_step(X, Y, states[0], self.optimizer.whole_step())
        return [state], loss, norm


def choose_step(replicas: Replicas, optimizer: Optimizer, batch_size: int) -> PlainStep:
    """The whole step where the model offers it and nobody else needs its gradients, else the plain one."""
    whole = hasattr(replicas.models[0], 'train_step') and not replicas.store and optimizer.has_whole_step
    return (WholeStep if whole else PlainStep)(replicas, optimizer, batch_size)


def _on(array: Any, ctx: Any) -> nd.NDArray:
    return array if isinstance(array, nd.NDArray) else nd.array(array, ctx=ctx, dtype='float32')
