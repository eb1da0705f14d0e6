"""The one trainer, for every network and implementation: sections 6.4.6, 6.5.3, 6.7.2 and 6.8.2.

It knows of a model only the contract (`begin_state`, a call, `parameters`), prints nothing and writes no file.
"""
from __future__ import annotations

import collections
import dataclasses
import math
import random
import sys
import time
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, Iterator, List, Protocol, Sequence, Tuple

import mxnet as mx
from mxnet import autograd, nd

from ..corpora.sampling import Batch, check_sizes, consecutive_batches, consecutive_rows, num_batches, on_device, random_rows
from .data_parallel import Replicas
from .kvstore import Store
from .optimizer import Updater, make_optimizer

SAMPLINGS = ('random', 'consecutive')
_STEPS_AHEAD = 8        # how many steps the host may queue before it looks at a result
_LARGEST_LOSS = math.log(sys.float_info.max)    # of which a perplexity can be told


@dataclass(frozen=True)
class TrainConfig:
    """How to train; the defaults are the book's (section 6.4.7)."""
    sampling: str = 'consecutive'       # 'random' or 'consecutive' mini-batches, section 6.3
    num_epochs: int = 160
    num_steps: int = 35                 # characters that a gradient goes back over
    batch_size: int = 32
    lr: float = 1e2                     # high, because clipping makes every step short
    optimizer: str = 'sgd'              # the name of any mx.optimizer
    clipping_theta: float = 1e-2        # largest global norm of the gradients; 0: no clipping
    seed: int | None = 0                # one seed gives one result; None: as random as it comes

    def __post_init__(self) -> None:
        """Raise ValueError for settings that cannot train."""
        if self.sampling not in SAMPLINGS:
            raise ValueError(f'sampling must be one of {", ".join(SAMPLINGS)}, got {self.sampling!r}')
        for name in ('num_epochs', 'num_steps', 'batch_size'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be 1 or more, got {getattr(self, name)}')
        if not 0 < self.lr < math.inf:
            raise ValueError(f'lr must be above 0, got {self.lr}')
        if not 0 <= self.clipping_theta < math.inf:
            raise ValueError(f'clipping_theta must be 0 (no clipping) or more, got {self.clipping_theta}')
        if self.seed is not None and not 0 <= self.seed < 2 ** 31:
            raise ValueError(f'seed must be from 0 to {2 ** 31 - 1}, got {self.seed}')
        make_optimizer(self.optimizer, self.lr)


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to."""
    epoch: int                              # counted from 1
    perplexity: float                       # per character, over the epoch
    seconds: float
    tokens_per_second: float
    grad_norm: float                        # mean over the steps of the global L2 norm, before clipping
    valid_perplexity: float | None = None   # on held-out text, where there is some


class Source(Protocol):
    """Batches of any kind to train on."""

    def __len__(self) -> int:
        """How many batches an epoch has."""

    def batches(self, epoch: int) -> Iterator[Batch]:
        """(X, y) of an epoch, from 1: X as the model takes it, the batch its first axis; y: a label for each row of logits."""


class Diverged(ArithmeticError):
    """The loss turned NaN, infinite, or so large that its perplexity is no float."""


class Trainer:
    """Trains a model, epoch by epoch, on the context where the model lives.

    rng: what shuffles the examples of random sampling; None: a generator of its own for each epoch, made from config.seed, so
    that an epoch's batches depend on its number alone and a resumed run meets the same ones.
    replicas: models of the same parameters on other contexts, to share each batch; store: what adds up their gradients, and those
    of other processes (`data_parallel.py`). The result is that of one context but for rounding, and for dropout, which each
    context and process draws for itself. Raises ValueError where the batch has fewer rows than there are to share it.
    """

    def __init__(self, model: Any, config: TrainConfig, *, rng: Any = None, replicas: Sequence[Any] = (),
                 store: Store | None = None):
        self.model, self.config, self.rng = model, config, rng
        self.epoch = 0      # epochs done
        self.replicas = Replicas([model, *replicas], store)
        self.rank = store.rank if store else 0
        self.rows, self.shares = self.replicas.rows(config.batch_size)
        if store and store.num_workers > 1 and (config.seed is None or rng is not None or config.optimizer == 'sgld'):
            raise ValueError('several processes need a seed that they all shuffle by, and an optimizer that draws no noise of '
                             'its own: give config.seed, no rng, and not sgld')
        self.updater = Updater(model.parameters(), config.optimizer, config.lr, config.clipping_theta)

    def epochs(self, corpus_indices: Any, valid_indices: Any = None, *, on_step: Callable[[int, int], None] | None = None,
               stop: Callable[[], bool] | None = None) -> Iterator[EpochRecord]:
        """Train up to `config.num_epochs`, yielding a record after each epoch.

        on_step(step, steps) is called after each step of an epoch has been queued. stop() is asked at each step: where it says
        True, in whichever process, all of them raise KeyboardInterrupt, at the same step.
        Raises Diverged, and ValueError where the text is too short.
        """
        config = self.config
        check_sizes(len(corpus_indices), config.batch_size, config.num_steps, config.sampling)
        if valid_indices is not None:
            check_sizes(len(valid_indices), 1, config.num_steps, 'consecutive')
        steps = num_batches(len(corpus_indices), config.batch_size, config.num_steps, config.sampling)
        self.replicas.spread()
        while self.epoch < config.num_epochs:
            record = self._run_epoch(self._text_batches(self.epoch + 1, corpus_indices), steps, on_step, stop)
            if valid_indices is not None:
                valid = evaluate(self.model, valid_indices, config.batch_size, config.num_steps)
                record = dataclasses.replace(record, valid_perplexity=valid)
            yield record

    def epochs_on(self, source: Source, *, on_step: Callable[[int, int], None] | None = None) -> Iterator[EpochRecord]:
        """The same on batches of any kind: texts with gaps, images. One context and one process train on them.

        Each batch begins from a new state unless config.sampling is 'consecutive'; then X must keep one number of rows.

        A record's perplexity is exp of the mean loss, and its tokens are labels.
        """
        if self.replicas.store:
            raise ValueError('several contexts or processes share batches of text only: leave out replicas and store')
        while self.epoch < self.config.num_epochs:
            batches = (([(X, y)], y.shape[0]) for X, y in source.batches(self.epoch + 1))
            yield self._run_epoch(batches, len(source), on_step, None)

    def _run_epoch(self, batches: Iterator[Tuple[List[Batch], int]], steps: int, on_step: Callable[[int, int], None] | None,
                   stop: Callable[[], bool] | None) -> EpochRecord:
        epoch, config, start = self.epoch + 1, self.config, time.perf_counter()
        if config.seed is not None:     # what dropout draws depends on the epoch alone, too, and on who draws
            mx.random.seed(config.seed + epoch * 7919 + self.rank * 104729)
        totals, num_labels, states = _Totals(epoch), 0, []
        for step, (parts, num_rows) in enumerate(batches, 1):
            if step == 1 or config.sampling == 'random':
                states = [model.begin_state(X.shape[0]) for model, (X, _) in zip(self.replicas.models, parts)]
            else:
                states = [tuple(s.detach() for s in state) for state in states]
            asked = bool(stop and stop())
            if asked and not self.replicas.store:
                raise KeyboardInterrupt
            states, loss = self._step(parts, states, num_rows, asked)
            totals.add(loss, self.updater.step())
            self.replicas.spread()
            num_labels += num_rows
            if on_step:
                on_step(step, steps)
        loss, grad_norm = totals.means()
        self.epoch, seconds = epoch, time.perf_counter() - start
        return EpochRecord(epoch, perplexity(loss, f'epoch {epoch}'), seconds, num_labels / seconds, grad_norm)

    def _step(self, parts: List[Batch], states: List[Any], num_rows: int, stop: bool) -> Tuple[List[Any], nd.NDArray]:
        """Forward and backward: leaves the gradients of the whole batch, of num_rows labels, in the model's parameters."""
        after, losses = [], []
        for model, (X, y), state in zip(self.replicas.models, parts, states):
            with autograd.record():
                logits, state = model(X, state)
            loss, gradient = cross_entropy(logits, y, num_rows)
            logits.backward(gradient)
            after.append(state)
            losses.append(loss)
        return after, self.replicas.sum(losses, stop)

    def _text_batches(self, epoch: int, corpus_indices: Any) -> Iterator[Tuple[List[Batch], int]]:
        """Of each batch what each context here reads of it, and how many labels the whole of it has."""
        config = self.config
        if config.sampling == 'consecutive':
            batches = consecutive_rows(corpus_indices, config.batch_size, config.num_steps, rows=self.rows)
        else:
            rng = self.rng or random.Random(None if config.seed is None else f'{config.seed} {epoch}')
            batches = random_rows(corpus_indices, config.batch_size, config.num_steps, rng=rng, rows=self.rows)
        for XY in batches:
            parts = [on_device(XY[rows], model.ctx) for model, rows in zip(self.replicas.models, self.shares)]
            # labels time-major, as the logits are
            yield [(X, Y.T.reshape((-1,))) for X, Y in parts], config.batch_size * config.num_steps


class _Totals:
    """Sums up an epoch's losses and norms, looking at each only when later steps are queued behind it."""

    def __init__(self, epoch: int):
        self.epoch, self.steps, self.loss, self.norm = epoch, 0, 0.0, 0.0
        self.pending: Deque[nd.NDArray] = collections.deque()

    def add(self, loss: nd.NDArray, norm: nd.NDArray) -> None:
        self.pending.append(nd.concat(loss, norm, dim=0))
        if len(self.pending) > _STEPS_AHEAD:
            self._look()

    def _look(self) -> None:
        loss, *stops, norm = self.pending.popleft().asnumpy().tolist()
        self.steps += 1
        if not (loss < _LARGEST_LOSS and math.isfinite(norm)):
            raise Diverged(f'the loss or its gradient is {"too large" if math.isfinite(loss + norm) else "no longer finite"} in '
                           f'epoch {self.epoch}, step {self.steps} (loss {loss:g}, gradient norm {norm:g}): lower --lr, or clip '
                           f'with --clipping-theta')
        if any(stops):      # looked at behind the same step in every process, so that none waits for another
            raise KeyboardInterrupt
        self.loss += loss
        self.norm += norm

    def means(self) -> Tuple[float, float]:
        while self.pending:
            self._look()
        return self.loss / self.steps, self.norm / self.steps


def cross_entropy(logits: nd.NDArray, y: nd.NDArray, num_rows: int | None = None) -> Tuple[nd.NDArray, nd.NDArray]:
    """The mean cross entropy of softmax(logits) with the labels y, shape (1,), and its gradient, (rows, vocab_size).

    num_rows: where these rows are part of a batch, the rows of all of it: the loss is then their part of its mean.

    The gradient of a row is softmax(logits) - onehot(y), over the number of rows. By hand it costs one pass over all logits
    beside the softmax; through `SoftmaxCrossEntropyLoss` and autograd it is several, through `SoftmaxOutput` slow loops.
    """
    own_rows, P = y.shape[0], nd.softmax(logits)
    num_rows = num_rows or own_rows
    p = nd.pick(P, y)
    loss = -_log(p, logits, y).mean()
    P /= num_rows
    at_labels = nd.stack(nd.arange(own_rows, ctx=y.context), y)
    gradient = nd._internal._scatter_set_nd(P, (p - 1) / num_rows, at_labels, shape=P.shape, out=P)
    return (loss if own_rows == num_rows else loss * (own_rows / num_rows)), gradient


def _log(p: nd.NDArray, logits: nd.NDArray, y: nd.NDArray) -> nd.NDArray:
    """log p, p being softmax(logits) at y: of a p that float32 cannot hold, too, and where it can, nearer than log_softmax."""
    return nd.where(p > 1e-30, nd.maximum(p, 1e-30).log(), nd.pick(nd.log_softmax(logits), y))


def evaluate(model: Any, corpus_indices: Any, batch_size: int, num_steps: int) -> float:
    """The perplexity per character of a model on a text, read consecutively, without training on it."""
    batch_size = max(1, min(batch_size, len(corpus_indices) // (num_steps + 1)))
    losses, state = [], model.begin_state(batch_size)
    for X, Y in consecutive_batches(corpus_indices, batch_size, num_steps, ctx=model.ctx):
        logits, state = model(X, state)
        y = Y.T.reshape((-1,))
        losses.append(-_log(nd.pick(nd.softmax(logits), y), logits, y).mean())
        if len(losses) > _STEPS_AHEAD:
            losses[-_STEPS_AHEAD].wait_to_read()
    return perplexity(float(nd.concat(*losses, dim=0).mean().asscalar()), 'the held-out text')


def perplexity(loss: float, place: str) -> float:
    """exp(loss). Raises Diverged, which names the place, where that is no number that a float can hold."""
    if not loss < _LARGEST_LOSS:        # NaN among them
        raise Diverged(f'the loss is {"too large" if math.isfinite(loss) else "no longer finite"} ({loss:g}) on {place}: '
                       f'lower --lr, or clip with --clipping-theta')
    return math.exp(loss)


def train(model: Any, corpus_indices: Any, config: TrainConfig, *, valid_indices: Any = None,
          on_epoch: Callable[[EpochRecord], None] | None = None) -> Dict[int, EpochRecord]:
    """Train a model from start to end, calling on_epoch with the record of each epoch. Returns all records by epoch."""
    records = {}
    for record in Trainer(model, config).epochs(corpus_indices, valid_indices):
        records[record.epoch] = record
        if on_epoch:
            on_epoch(record)
    return records
