"""Section 6.3: other ways to cut a text into batches, and whole sentences as samples."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Sequence, Set, Tuple

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot, State
from ...corpora.corpus import Corpus
from ...corpora.sampling import Batch, num_batches
from ...models.language_model import LanguageModel
from ...tables import Table
from ...training.loss import evaluate
from .drawing import draw_runs
from .frame import Outcome
from .scoring import log_probs, verses
from .workbench import Drawn, Training, Workbench

Starts = Callable[[np.random.Generator], Any]
PADDING = -1


def windows(indices: np.ndarray, starts: Starts, num_steps: int, batch_size: int, begun: Set[int],
            rng: np.random.Generator) -> Iterator[Batch]:
    """Windows of num_steps characters that begin where `starts` says, in random order.

    starts(rng): the first characters of the windows, more than there are batches for or not: the number of batches is that of
    the book's random sampling, so that a number of epochs is a number of updates. begun: gathers where windows have begun.
    """
    many = num_batches(len(indices), batch_size, num_steps, 'random')
    first = np.resize(rng.permutation(starts(rng)), many * batch_size)      # too few are gone through again
    begun.update(first.tolist())
    for rows in (first[:, None] + np.arange(num_steps + 1)).reshape(many, batch_size, -1):
        yield indices[rows[:, :-1]], indices[rows[:, 1:]]


def ways(indices: np.ndarray, space: int | None, num_steps: int) -> Dict[str, Starts]:
    """The ways to begin windows, by name. space: the index of the character between verses, None: there is none."""
    last = len(indices) - num_steps - 1     # where a window may begin at the latest
    found: Dict[str, Starts] = {
        'fixed cuts': lambda rng: np.arange(0, last + 1, num_steps),
        'shifted cuts': lambda rng: np.arange(rng.integers(min(num_steps, last + 1)), last + 1, num_steps),
        'anywhere': lambda rng: rng.integers(0, last + 1, last // num_steps),
        'half over': lambda rng: np.arange(0, last + 1, max(1, num_steps // 2)),
    }
    verses = np.flatnonzero(indices[:last] == space) + 1 if space is not None else np.array([], dtype=int)
    return {**found, 'at verses': lambda rng: verses} if len(verses) else found


def other_samplings(bench: Workbench) -> Outcome:
    """6.3.1: the same network, the same number of updates, windows chosen in several ways."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_epochs': bench.size(45, 2), 'valid_fraction': 0.1}
    (text, held_out), settings = corpus.split(0.1), bench.settings(**changes)
    num_steps, batch_size = settings.num_steps, settings.batch_size

    many = num_batches(len(text), batch_size, num_steps, 'random')
    starts, again = ways(text, corpus.char_to_idx.get(' '), num_steps), 'fixed cuts, next seed'     # what chance does
    runs: Dict[str, Training] = {}
    begun: Dict[str, Set[int]] = {}
    for name in (*starts, again):
        seed, begun[name] = bench.seed + (name == again), set()
        source = Drawn(partial(windows, text, starts[name.partition(',')[0]], num_steps, batch_size, begun[name]), many, seed)
        runs[name] = bench.train(name, source=source, corpus=corpus, sampling='random', seed=seed, **changes,
                                 score=lambda model: {'valid_perplexity': evaluate(model, held_out, batch_size, num_steps)})
    runs['consecutive'] = bench.train('consecutive', corpus=corpus, **changes)
    number = {**{name: len(places) for name, places in begun.items()},
              'consecutive': batch_size * num_batches(len(text), batch_size, num_steps, 'consecutive')}
    held = {name: run.best_held_out[0] for name, run in runs.items()}
    own = {name: evaluate(run.model, text, batch_size, num_steps) for name, run in runs.items()}
    chance = max(abs(which[again] / which['fixed cuts'] - 1) for which in (own, held))
    return Outcome(
        [Table(('After the same epochs', '相同迭代周期之后'),
               ('sampling', 'different windows', 'perplexity on the text it learned from', 'lowest held-out perplexity',
                'at epoch', 'seconds an epoch'),
               [(name, number[name], own[name], *run.best_held_out, run.seconds_an_epoch) for name, run in runs.items()])],
        {'fixed': held['fixed cuts'], 'shifted': held['shifted cuts'], 'anywhere': held['anywhere'], 'half': held['half over'],
         'at_verses': held.get('at verses'), 'consecutive': held['consecutive'], 'chance': chance,
         'windows_fixed': number['fixed cuts'], 'windows_anywhere': number['anywhere']},
        'better' if min(held.values()) < held['fixed cuts'] * (1 - chance) else 'alike',
        draw_runs([*runs.values()], ('perplexity', 'valid_perplexity')))


def sentences(rows: Sequence[Sequence[int]], batch_size: int, by_length: bool, padding: List[np.ndarray],
              rng: np.random.Generator) -> Iterator[Batch]:
    """Sentences as samples: a batch is as long as its longest, the rest of it PADDING.

    by_length: sentences of about the same length in one batch, the batches in random order; else all at random. padding: gathers
    which places of each batch are. Labels are those of the real characters alone, all rows of the first step first.
    """
    order = rng.permutation(len(rows))
    if by_length:
        order = order[np.argsort([len(rows[i]) for i in order], kind='stable')]
    batches = np.split(order, range(batch_size, len(rows), batch_size))
    for k in rng.permutation(len(batches)):
        XY = np.full((len(batches[k]), max(len(rows[i]) for i in batches[k])), PADDING, dtype=np.float32)
        for XY_row, i in zip(XY, batches[k]):
            XY_row[:len(rows[i])] = rows[i]
        Y = XY[:, 1:].T.reshape(-1)
        padding.append(Y == PADDING)
        yield nd.array(np.where(XY[:, 1:] == PADDING, PADDING, XY[:, :-1])), nd.array(Y[Y != PADDING])


class OfSentences:
    """A language model that takes batches with PADDING and gives logits for the real characters alone.

    skip: leave the padding out of the network (`cells/lengths.py`); else it is computed, and what comes of it thrown away.
    """

    def __init__(self, model: LanguageModel, *, skip: bool):
        self.model, self.skip, self.ctx, self.config = model, skip, model.ctx, model.config
        self.begin_state, self.parameters = model.begin_state, model.parameters

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
                               'sampling': 'random'}
    config, (train, held_out) = bench.settings(**changes), corpus.split(0.1)
    rows, other = verses(train, corpus), verses(held_out, corpus)
    lengths = np.array([len(row) - 1 for row in rows])      # labels of each
    batch_size = max(1, round(config.batch_size * config.num_steps / lengths.mean()))     # as many labels as windows
    found: Dict[str, Dict[str, Any]] = {}
    for name, sort, skip in (('windows', False, False), ('verses, padding computed', False, False),
                             ('verses, padding left out', False, True), ('verses by length', True, False)):
        model = bench.model(corpus.vocab_size, **changes)
        padding: List[np.ndarray] = []
        if name == 'windows':
            batches = num_batches(len(train), config.batch_size, config.num_steps, 'random')
            run = bench.train(name, corpus=Corpus(train, corpus.idx_to_char), model=model, **changes)
        else:
            batches = -(-len(rows) // batch_size)
            source = Drawn(partial(sentences, rows, batch_size, sort, padding), batches, bench.seed)
            run = bench.train(name, corpus=corpus, source=source, model=OfSentences(model, skip=skip), **changes)
        found[name] = {'samples': name, 'batches': batches, 'padding': np.concatenate(padding).mean() if padding else 0.0,
                       'seconds an epoch': run.seconds_an_epoch, 'perplexity in training': run.perplexity,
                       'held-out, verse by verse': math.exp(-float(np.mean(np.concatenate(log_probs(model, other))))),
                       'held-out, running on': evaluate(model, held_out, config.batch_size, config.num_steps)}
    of_windows, computed, skipped, by_length = found.values()
    verse, running, seconds = 'held-out, verse by verse', 'held-out, running on', 'seconds an epoch'
    # padding computed or left out is the same mathematics on the same batches: what lies between the two is chance
    chance = max(abs(computed[which] / skipped[which] - 1) for which in (verse, running))
    return Outcome(
        [Table.of(('After the same epochs', '相同迭代周期之后'), [*found.values()])],
        {'shortest': lengths.min(), 'longest': lengths.max(), 'chance': chance, 'padding_computed': computed['padding'],
         'padding_by_length': by_length['padding'], 'seconds_windows': of_windows[seconds], 'seconds_computed': computed[seconds],
         'seconds_skipped': skipped[seconds], 'seconds_by_length': by_length[seconds], 'verse_windows': of_windows[verse],
         'verse_by_length': by_length[verse], 'running_windows': of_windows[running], 'running_by_length': by_length[running]},
        who_is_better((of_windows[verse], of_windows[running]), (by_length[verse], by_length[running]), chance))


def who_is_better(windows: Sequence[float], by_length: Sequence[float], chance: float) -> str:
    """windows, by_length: held-out perplexity verse by verse and on the running text; chance: how far apart by chance.

    Returns '', no written conclusion, where each is better at what the other has learned.
    """
    verses_win = [b < a * (1 - chance) for a, b in zip(windows, by_length)]
    windows_win = [a < b * (1 - chance) for a, b in zip(windows, by_length)]
    if not any(verses_win):
        return 'windows'
    return 'verses' if not any(windows_win) else 'own' if verses_win[0] else ''
