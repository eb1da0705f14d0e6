"""Section 6.3, exercise 2: a whole sentence as a sample, and what that does to batches."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Dict, Iterator, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot, State
from ...corpora.sampling import Batch
from ...models.language_model import LanguageModel
from ...plots import new_figure
from ...training.loss import evaluate
from .frame import Outcome, Table
from .scoring import Row, log_probs, verses
from .workbench import Workbench

PADDING = -1


class Sentences:
    """Sentences as samples: a batch is as long as its longest, the rest of it PADDING.

    by_length: sentences of about the same length in one batch, the batches in random order; else all at random.
    Labels are those of the real characters alone, all rows of the first step first.
    """

    def __init__(self, rows: Sequence[Row], batch_size: int, *, by_length: bool, seed: int):
        self.rows, self.batch_size, self.by_length, self.seed = rows, batch_size, by_length, seed
        self.cells = self.real = 0      # places of all batches so far, and those that hold a character

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.rows))
        if self.by_length:
            order = order[np.argsort([len(self.rows[i]) for i in order], kind='stable')]
        for k in rng.permutation(len(self)):
            rows = [self.rows[i] for i in order[k * self.batch_size:(k + 1) * self.batch_size]]
            XY = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.float32)
            for i, row in enumerate(rows):
                XY[i, :len(row)] = row
            Y = XY[:, 1:].T.reshape(-1)
            X = np.where(XY[:, 1:] == PADDING, PADDING, XY[:, :-1])
            self.cells, self.real = self.cells + Y.size, self.real + int((Y != PADDING).sum())
            yield nd.array(X), nd.array(Y[Y != PADDING])


class OfSentences:
    """A language model that takes batches with PADDING and gives logits for the real characters alone.

    skip: leave the padding out of the network (`cells/lengths.py`); else it is computed, and what comes of it thrown away.
    """

    def __init__(self, model: LanguageModel, *, skip: bool):
        self.model, self.skip, self.ctx, self.config = model, skip, model.ctx, model.config

    def begin_state(self, batch_size: int) -> State:
        return self.model.begin_state(batch_size)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return self.model.parameters()

    def __call__(self, X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
        characters = X.asnumpy()
        real = characters != PADDING
        inputs = OneHot(nd.array(np.maximum(characters, 0).T, ctx=self.ctx), self.config.vocab_size)
        H, state = self.model.network(inputs, state, real.sum(axis=1) if self.skip else None)
        rows = nd.array(np.flatnonzero(real.T.reshape(-1)), ctx=self.ctx, dtype='int32')
        return self.model.output(nd.take(H.reshape((-1, self.model.network.num_outputs)), rows)), state


def whole_sentences(bench: Workbench) -> Outcome:
    """6.3.2: verses as samples, at random and by length, padding computed or left out, beside the book's windows."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'impl': 'scratch', 'num_hiddens': 128, 'num_epochs': bench.size(30, 2),
                               'valid_fraction': 0.1, 'sampling': 'random'}
    config = bench.config(**changes)
    train, held_out = corpus.split(0.1)
    rows, other = verses(train, corpus), verses(held_out, corpus)
    lengths = np.array([len(row) - 1 for row in rows])      # labels of each
    batch_size = max(1, round(config.batch_size * config.num_steps / lengths.mean()))     # as many labels as windows
    windows = (len(train) - 1) // config.num_steps
    table: Dict[str, Tuple[Any, ...]] = {}
    for name, by_length, skip in (('windows', False, False), ('verses, padding computed', False, False),
                                  ('verses, padding left out', False, True), ('verses by length', True, False)):
        if name == 'windows':
            run = bench.train(name, corpus=corpus, **changes)
            batches: Tuple[Any, ...] = windows, config.batch_size, windows // config.batch_size, 0.0
        else:
            source = Sentences(rows, batch_size, by_length=by_length, seed=bench.seed)
            run = bench.train(name, corpus=corpus, source=source, wrap=partial(OfSentences, skip=skip), **changes)
            batches = len(rows), batch_size, len(source), 1 - source.real / source.cells
        by_verse = math.exp(-float(np.mean(np.concatenate(log_probs(run.model, other)))))
        running = evaluate(run.model, held_out, config.batch_size, config.num_steps)
        table[name] = *batches, run.seconds_an_epoch, run.perplexity, by_verse, running
    of_windows, computed, skipped, sorted_ = table.values()
    # padding computed or left out is the same mathematics on the same batches: what lies between the two is chance
    chance = max(abs(a / b - 1) for a, b in zip(computed[-2:], skipped[-2:]))
    return Outcome([
        Table(('Characters in a verse, its space included', '每句的字符数（含空格）'),
              ('verses', 'mean', 'median', 'shortest', 'longest'),
              [(len(lengths), lengths.mean(), np.median(lengths), lengths.min(), lengths.max())]),
        Table(('After the same epochs', '相同迭代周期之后'),
              ('samples', 'number', 'of a batch', 'batches', 'padding', 'seconds an epoch', 'perplexity in training',
               'held-out, verse by verse', 'held-out, running on'), [(name, *row) for name, row in table.items()]),
    ], {'shortest': lengths.min(), 'longest': lengths.max(), 'padding': computed[3], 'padding_by_length': sorted_[3],
        'seconds_windows': of_windows[4], 'seconds_computed': computed[4], 'seconds_skipped': skipped[4],
        'seconds_by_length': sorted_[4], 'verse_windows': of_windows[6], 'verse_by_length': sorted_[6],
        'running_windows': of_windows[7], 'running_by_length': sorted_[7], 'chance': chance},
        who_is_better(of_windows[-2:], sorted_[-2:], chance), partial(_draw, lengths, batch_size, bench.seed, rows))


def who_is_better(windows: Sequence[float], by_length: Sequence[float], chance: float) -> str:
    """windows, by_length: held-out perplexity verse by verse and on the running text; chance: how far apart by chance."""
    verses_win = by_length[0] < windows[0] * (1 - chance)
    windows_win = windows[1] < by_length[1] * (1 - chance)
    return 'own' if verses_win and windows_win else 'verses' if verses_win else 'windows'


def _draw(lengths: np.ndarray, batch_size: int, seed: int, rows: Sequence[Row]) -> Any:
    figure, (left, middle, right) = new_figure(11, 3.6, ncols=3)
    left.hist(lengths, bins=np.arange(lengths.min(), lengths.max() + 2) - 0.5, color='C0')
    left.set(xlabel='characters of a verse', ylabel='verses', title='lengths')
    for ax, by_length in ((middle, False), (right, True)):
        X, _ = next(Sentences(rows, batch_size, by_length=by_length, seed=seed).batches(1))
        ax.imshow(X.asnumpy() != PADDING, aspect='auto', cmap='Blues', vmin=0, vmax=1.4, interpolation='nearest')
        ax.set(xlabel='step', ylabel='row of the batch', title='one batch by length' if by_length else 'one batch at random')
    return figure
