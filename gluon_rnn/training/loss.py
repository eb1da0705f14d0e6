"""The loss: cross entropy and its gradient, the sums over an epoch, perplexity, and divergence."""
from __future__ import annotations

import collections
import math
import sys
from typing import Any, Deque, Tuple

from mxnet import nd

from ..corpora.device_indices import Told, bounded
from ..corpora.indices import check_indices
from ..corpora.sampling import consecutive_batches, consecutive_rows

_LARGEST_LOSS = math.log(sys.float_info.max)    # of which a perplexity can be told
_STEPS_AHEAD = 8        # how many steps the host may queue before it looks at a result
_REMEDY = 'lower lr, or clip the gradients with clipping_theta'


class Diverged(ArithmeticError):
    """The loss turned NaN, infinite, or so large that its perplexity is no float."""


def cross_entropy(logits: nd.NDArray, y: nd.NDArray, num_rows: int | None = None) -> Tuple[nd.NDArray, nd.NDArray]:
    """The mean cross entropy of softmax(logits) with the labels y, shape (1,), and its gradient, (rows, vocab_size).

    y: (rows,). Labels out of range touch no memory: on the host they are a ValueError here, on a device when the loss is read;
    so are indices that a language model has made the logits from.
    num_rows: where these rows are part of a batch, the rows of all of it: the loss is then their part of its mean.

    The gradient of a row is softmax(logits) - onehot(y), over the number of rows. By hand it costs one pass over all logits
    beside the softmax; through `SoftmaxCrossEntropyLoss` and autograd it is several, through `SoftmaxOutput` slow loops.
    """
    own_rows, num_outputs = logits.shape
    if not isinstance(y, nd.NDArray):
        y = nd.array(check_indices(y, num_outputs, 'labels'), ctx=logits.context)
    if y.shape != (own_rows,):
        raise ValueError(f'labels must be ({own_rows},), one for each row of logits, got shape {y.shape}')
    P, num_rows, checks = nd.softmax(logits), num_rows or own_rows, [*getattr(logits, 'checks', ()), (y, num_outputs, 'labels')]
    y, wrong = bounded(y, num_outputs)
    p = nd.pick(P, y)
    loss = Told.of(-_log(p, logits, y).mean() * (own_rows / num_rows) + wrong, *checks)
    P /= num_rows
    at_labels = nd.stack(nd.arange(own_rows, ctx=y.context), y)
    gradient = nd._internal._scatter_set_nd(P, (p - 1) / num_rows, at_labels, shape=P.shape, out=P)
    return loss, gradient


def _log(p: nd.NDArray, logits: nd.NDArray, y: nd.NDArray) -> nd.NDArray:
    """log p, p being softmax(logits) at y: of a p that float32 cannot hold, too, and where it can, nearer than log_softmax."""
    return nd.where(p > 1e-30, nd.maximum(p, 1e-30).log(), nd.pick(nd.log_softmax(logits), y))


def evaluate(model: Any, corpus_indices: Any, batch_size: int, num_steps: int) -> float:
    """The perplexity per character of a model on a text, read consecutively, without training on it."""
    check_text(model, corpus_indices)
    batch_size = max(1, min(batch_size, len(corpus_indices) // (num_steps + 1)))
    state = model.begin_state(batch_size)
    if hasattr(model, 'label_losses'):      # all in one call, where the model has that
        means = []
        for XY in consecutive_rows(corpus_indices, batch_size, num_steps):
            batch_losses, state = model.label_losses(XY[:, :-1], XY[:, 1:], state)
            means.append(batch_losses.mean())
        return perplexity(float(sum(means)) / len(means), 'the held-out text')
    losses = []
    for X, Y in consecutive_batches(corpus_indices, batch_size, num_steps, ctx=model.ctx):
        logits, state = model(X, state)
        y = Y.T.reshape((-1,))
        losses.append(-_log(nd.pick(nd.softmax(logits), y), logits, y).mean())
        if len(losses) > _STEPS_AHEAD:
            losses[-_STEPS_AHEAD].wait_to_read()
    return perplexity(float(nd.concat(*losses, dim=0).mean().asscalar()), 'the held-out text')


def check_text(model: Any, corpus_indices: Any) -> None:
    """Raise ValueError for indices that the model does not know; one that has no `vocab_size` is not asked."""
    if getattr(model, 'vocab_size', None) is not None:
        check_indices(corpus_indices, model.vocab_size, 'the indices of the text')


def perplexity(loss: float, place: str) -> float:
    """exp(loss). Raises Diverged, which names the place, where that is no number that a float can hold."""
    if not loss < _LARGEST_LOSS:        # NaN among them
        raise Diverged(f'the loss is {"too large" if math.isfinite(loss) else "no longer finite"} ({loss:g}) on {place}: '
                       f'{_REMEDY}')
    return math.exp(loss)


class Totals:
    """Sums up an epoch's losses and norms, looking at each only when later steps are queued behind it."""

    def __init__(self, epoch: int):
        self.epoch, self.steps, self.loss, self.norm = epoch, 0, 0.0, 0.0
        self.pending: Deque[Tuple[nd.NDArray, nd.NDArray]] = collections.deque()

    def add(self, loss: Any, norm: Any) -> None:
        """Queue a step's loss, (1,), or (2,) with how many processes want to stop, and its gradient norm, (1,).

        Two numbers are looked at right away.
        """
        if isinstance(loss, float):
            return self.count(loss, norm)
        self.pending.append((nd.concat(loss, norm, dim=0), loss))
        if len(self.pending) > _STEPS_AHEAD:
            self._look()

    def _look(self) -> None:
        figures, own = self.pending.popleft()
        loss, *stops, norm = figures.asnumpy().tolist()
        if math.isnan(loss):
            own.asnumpy()       # a ValueError where it is of a label or an index out of range
        self.count(loss, norm)
        if any(stops):      # looked at behind the same step in every process, so that none waits for another
            raise KeyboardInterrupt

    def count(self, loss: float, norm: float) -> None:
        """Add the figures of the next step. Raises Diverged where they are too large, or not finite."""
        self.steps += 1
        if not (loss < _LARGEST_LOSS and math.isfinite(norm)):
            raise Diverged(f'the loss or its gradient is {"too large" if math.isfinite(loss + norm) else "no longer finite"} in '
                           f'epoch {self.epoch}, step {self.steps} (loss {loss:g}, gradient norm {norm:g}): {_REMEDY}')
        self.loss += loss
        self.norm += norm

    def means(self) -> Tuple[float, float]:
        """Mean loss and mean gradient norm of all steps. Waits for them."""
        while self.pending:
            self._look()
        return self.loss / self.steps, self.norm / self.steps
