"""The one trainer, for every network and implementation: sections 6.4.6, 6.5.3, 6.7.2 and 6.8.2.

It knows of a model only the contract (`begin_state`, a call, `parameters`), prints nothing and writes no file.
"""
from __future__ import annotations

import dataclasses
import time
from typing import Any, Callable, Dict, Iterator, List, Sequence

import mxnet as mx

from .config import EpochRecord, TrainConfig
from .data_parallel import Replicas
from .early_stopping import check_held_out, out_of_patience
from .kvstore import Store
from .live import History, LiveCurve
from .loss import Totals, check_text, evaluate, perplexity
from .optimizer import Optimizer
from .source import Source, TextBatches
from .step import choose_step


class Trainer:
    """Trains a model, epoch by epoch, on the context where the model lives.

    rng: shuffles the examples of random sampling; None: a generator of its own for each epoch, made from config.seed, so that
    an epoch's batches depend on its number alone and a resumed run meets the same ones.
    replicas: models of the same parameters on other contexts, to share each batch; store: what adds up their gradients, and those
    of other processes (`data_parallel.py`). The result is that of one context but for rounding, and for dropout, which each
    context and process draws for itself. optimizer: in place of that of config.
    Raises ValueError if the batch has fewer rows than there are to share it.
    """

    def __init__(self, model: Any, config: TrainConfig, *, rng: Any = None, replicas: Sequence[Any] = (),
                 store: Store | None = None, optimizer: Optimizer | None = None):
        self.model, self.config, self.rng = model, config, rng
        self.epoch = 0      # epochs done
        self.held_out: Dict[int, float] = {}    # perplexity on held-out text by epoch
        self.replicas = Replicas([model, *replicas], store)
        self.rank = store.rank if store else 0
        if store and store.num_workers > 1 and (config.seed is None or rng is not None or config.optimizer == 'sgld'):
            raise ValueError('several processes need a seed that they all shuffle by, and an optimizer that draws no noise of '
                             'its own: give config.seed, no rng, and not sgld')
        self.optimizer = optimizer or Optimizer(model.parameters(), config.optimizer, config.lr, config.clipping_theta,
                                               config.weight_decay)
        self.schedule = config.schedule()
        self.step = choose_step(self.replicas, self.optimizer, config.batch_size)

    def epochs(self, corpus_indices: Any, valid_indices: Any = None, *, on_step: Callable[[int, int], None] | None = None,
               stop: Callable[[], bool] | None = None) -> Iterator[EpochRecord]:
        """Train up to `config.num_epochs`, or until `config.patience` has run out, yielding a record after each epoch.

        on_step(step, steps) is called after each step of an epoch has been queued. stop() is called at each step: where it is
        True in any process, all of them raise KeyboardInterrupt at the same step.
        Raises Diverged, and ValueError where the text is too short or has indices that the model does not know.
        """
        config = self.config
        for indices in (corpus_indices, valid_indices):
            if indices is not None:
                check_text(self.model, indices)
        rows, _ = self.replicas.rows(config.batch_size)
        source = TextBatches(corpus_indices, config, rows=rows, rng=self.rng)
        check_held_out(valid_indices, config)
        self.replicas.broadcast()
        while not self.done:
            record = self._run_epoch(source, on_step, stop)
            if valid_indices is not None:
                valid = self.replicas.agree(evaluate(self.model, valid_indices, config.batch_size, config.num_steps))
                self.held_out[self.epoch] = valid
                record = dataclasses.replace(record, valid_perplexity=valid)
            yield record

    @property
    def done(self) -> bool:
        """Whether all epochs are done, or `config.patience` has run out."""
        return self.epoch >= self.config.num_epochs or out_of_patience(self.held_out, self.config.patience)

    def epochs_on(self, source: Source, *, on_step: Callable[[int, int], None] | None = None) -> Iterator[EpochRecord]:
        """The same on batches of any kind: texts with gaps, images. One context and one process train on them.

        Each batch begins from a new state unless config.sampling is 'consecutive'; then X must keep one number of rows.

        A record's perplexity is exp of the mean loss, and its tokens are labels.
        """
        if self.replicas.store:
            raise ValueError('several contexts or processes share batches of text only: leave out replicas and store')
        while self.epoch < self.config.num_epochs:
            yield self._run_epoch(source, on_step, None)

    def _run_epoch(self, source: Source, on_step: Callable[[int, int], None] | None,
                   stop: Callable[[], bool] | None) -> EpochRecord:
        epoch, config, start = self.epoch + 1, self.config, time.perf_counter()
        if config.seed is not None:     # what dropout draws depends on the epoch alone, too, and on who draws
            mx.random.seed(config.seed + epoch * 7919 + self.rank * 104729)
            if hasattr(self.model, 'begin_epoch'):
                self.model.begin_epoch(config.seed, epoch)
        totals, num_labels = Totals(epoch), 0
        states: List[Any] = []
        for step, (X, Y) in enumerate(source.batches(epoch), 1):
            new = step == 1 or config.sampling == 'random'
            states = self.step.begin(X) if new else self.step.carry(states)
            asked = bool(stop and stop())
            if asked and not self.replicas.store:
                raise KeyboardInterrupt
            self.optimizer.scale_lr(self.schedule.factor(epoch, step, len(source), [*self.held_out.values()]))
            states, figures, norm = self.step(X, Y, states, asked)
            totals.add(figures, norm)
            num_labels += self.step.num_labels(Y)
            if on_step:
                on_step(step, len(source))
        loss, grad_norm = totals.means()
        self.epoch, seconds = epoch, time.perf_counter() - start
        return EpochRecord(epoch, perplexity(loss, f'epoch {epoch}'), seconds, num_labels / seconds, grad_norm,
                           lr=self.optimizer.lr)


def train(model: Any, corpus_indices: Any, config: TrainConfig, *, valid_indices: Any = None, plot: bool = False,
          on_epoch: Callable[[EpochRecord], None] | None = None) -> History:
    """Train a model from start to end, calling on_epoch with the record of each epoch. Returns all records by epoch.

    corpus_indices: of characters, or a `Corpus`, whose vocabulary the model then keeps.

    plot: draw the curve as it grows, in a notebook; there an interruption ends the training, keeps the model and is one line.
    """
    if hasattr(corpus_indices, 'idx_to_char'):
        model.idx_to_char, corpus_indices = corpus_indices.idx_to_char, corpus_indices.indices
    records = History()
    curve = LiveCurve(config.num_epochs) if plot else None
    try:
        for record in Trainer(model, config).epochs(corpus_indices, valid_indices):
            records[record.epoch] = record
            if curve:
                curve(record)
            if on_epoch:
                on_epoch(record)
    except KeyboardInterrupt:
        if not (curve and curve.interrupted()):
            raise
    finally:
        if curve:
            curve.finish()
    return records
