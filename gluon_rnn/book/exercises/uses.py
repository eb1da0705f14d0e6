"""Section 6.1, exercise 2: what else a language model is good for, each use tried on held-out text."""
from __future__ import annotations

import lzma
import math
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...corpora.corpus import Corpus
from ...training.loss import evaluate
from .frame import Lines, Outcome, Table
from .scoring import KeepBest, Row, bigram_log_probs, log_probs, verses
from .workbench import Workbench

CANDIDATES = 10
CHARS = 30_000          # of the text
Score = Callable[[Sequence[Row]], List[np.ndarray]]


def order(rows: Sequence[Row], score: Score, rng: np.random.Generator) -> float:
    """How often the verse is more probable than its own characters in another order."""
    shuffled = []
    for row in rows:
        inner = list(row[1:-1])
        while inner == list(row[1:-1]):
            rng.shuffle(inner)
        shuffled.append([row[0], *inner, row[-1]])
    real, other = ([float(p.sum()) for p in score(which)] for which in (rows, shuffled))
    return float(np.mean([a > b for a, b in zip(real, other)]))


def choose(rows: Sequence[Row], score: Score, rng: np.random.Generator,
           frequent: np.ndarray) -> Tuple[float, List[Tuple[Row, int]]]:
    """How often the right character of CANDIDATES is chosen, the others drawn as often as they occur; and what was chosen."""
    places = [int(rng.integers(1, len(row) - 1)) for row in rows]
    offered: List[Row] = []
    for row, place in zip(rows, places):
        others = [c for c in dict.fromkeys(rng.choice(frequent, 5 * CANDIDATES).tolist()) if c != row[place]]
        offered += [[*row[:place], c, *row[place + 1:]] for c in [row[place], *others[:CANDIDATES - 1]]]
        offered += [offered[-1]] * (CANDIDATES - 1 - len(others[:CANDIDATES - 1]))
    totals = np.array([float(p.sum()) for p in score(offered)]).reshape(len(rows), CANDIDATES)
    best = totals.argmax(axis=1)
    chosen = [(offered[k * CANDIDATES + b], place) for k, (b, place) in enumerate(zip(best, places))]
    return float((best == 0).mean()), chosen


def locate(rows: Sequence[Row], score: Score, rng: np.random.Generator, frequent: np.ndarray) -> float:
    """How often a wrong character in a verse is where the verse is least probable, the character and the next one together."""
    places, wrong = [], []
    for row in rows:
        place = int(rng.integers(1, len(row) - 1))
        other = next(c for c in rng.choice(frequent, 1000).tolist() if c != row[place])
        places.append(place)
        wrong.append([*row[:place], other, *row[place + 1:]])
    return float(np.mean([int(np.argmin(p[:-1] + p[1:])) + 1 == place for p, place in zip(score(wrong), places)]))


def put_spaces(model: Any, rows: np.ndarray, space: int) -> np.ndarray:
    """Where a model puts spaces into text that has none: (rows, characters), true before which character.

    rows: (rows, characters), their first characters given. At each character, the text with and without a space are weighed.
    """
    state = model.begin_state(len(rows))
    put = np.zeros(rows.shape, dtype=bool)
    spaces = nd.full((len(rows), 1), space)
    logits, state = model(nd.array(rows[:, :1]), state)
    for t in range(1, rows.shape[1]):
        following = nd.array(rows[:, t])
        after, spaced = model(spaces, state)
        straight = nd.pick(nd.log_softmax(logits), following)
        around = nd.log_softmax(logits)[:, space] + nd.pick(nd.log_softmax(after), following)
        better = around > straight
        put[:, t] = better.asnumpy().astype(bool)
        state = tuple(nd.where(better, b, a) for a, b in zip(state, spaced))
        logits, state = model(following.reshape((-1, 1)), state)
    return put


def spaces_found(model: Any, indices: np.ndarray, corpus: Corpus, num_rows: int,
                 rng: np.random.Generator) -> Tuple[float, float, float, List[str]]:
    """F1 of the spaces that a model restores, mean and standard deviation of as many put at random, and a few lines of it."""
    space = corpus.char_to_idx[' ']
    keep = indices != space
    truth = np.concatenate([[False], indices[:-1] == space])[keep]
    characters = indices[keep]
    length = min(60, len(characters) // num_rows)
    rows, truth = (array[:num_rows * length].reshape(num_rows, length) for array in (characters, truth))
    put = put_spaces(model, rows, space)
    put[:, 0] = truth[:, 0] = False
    def f1(put: np.ndarray) -> float:
        return float(2 * (put & truth)[:, 1:].sum() / max(1, put.sum() + truth.sum()))

    at_random = [f1(np.pad(rng.permutation(put[:, 1:].reshape(-1)).reshape(num_rows, -1), ((0, 0), (1, 0)))) for _ in range(200)]
    shown = []
    for row, wanted, found in list(zip(rows, truth, put))[:3]:
        for label, where in (('sung ', wanted), ('put  ', found)):
            shown.append(label + ''.join(f'{" " * bool(here)}{corpus.idx_to_char[c]}' for c, here in zip(row, where)))
    return f1(put), float(np.mean(at_random)), float(np.std(at_random)), shown


def lzma_bits(train: str, held_out: str) -> float:
    """Bits a character that LZMA needs for the held-out text when it has read the other before."""
    before, after = train.encode('utf-8'), held_out.encode('utf-8')
    return 8 * (len(lzma.compress(before + after, preset=9)) - len(lzma.compress(before, preset=9))) / len(held_out)


def uses(bench: Workbench) -> Outcome:
    """6.1.2: ordering, correcting, cutting and compressing, each with a small GRU and with counted pairs."""
    corpus = bench.corpus(CHARS)
    before, held_out = corpus.split(0.1)
    learned = Corpus(before, corpus.idx_to_char)        # the last ninth of it chooses the epoch, and is otherwise not used
    train, _ = learned.split(1 / 9)
    best = KeepBest()
    training = bench.train('GRU', corpus=learned, on_epoch=best, cell='gru', num_hiddens=128, sigma=0.1, valid_fraction=1 / 9,
                           num_epochs=bench.size(6, 2), batch_size=16, optimizer='adam', lr=5e-3, clipping_theta=1)
    best.restore(training)
    model, table = training.model, bigram_log_probs(train, corpus.vocab_size)
    scores: Tuple[Score, Score] = (lambda rows: log_probs(model, rows),
                                   lambda rows: [table[np.asarray(row[:-1]), np.asarray(row[1:])] for row in rows])
    rows = [row for row in verses(held_out, corpus) if len(set(row[1:-1])) >= 3][:bench.size(400, 10)]
    if not rows:
        raise ValueError('the held-out text has no verses of three characters or more: give a longer text')
    bench.tell('ordering, choosing and locating')
    ordered = [order(rows, score, bench.rng()) for score in scores]
    (chosen_share, chosen), (pairs_share, _) = (choose(rows, score, bench.rng(), train) for score in scores)
    located = [locate(rows, score, bench.rng(), train) for score in scores]
    by_chance = np.array([1 / (len(row) - 2) for row in rows])
    results: List[List[Any]] = [        # use, GRU, pairs, by chance, a standard error of that
        ['real verse or its characters shuffled', *ordered, *_chance(np.full(len(rows), 0.5))],
        [f'the right one of {CANDIDATES} characters', chosen_share, pairs_share, *_chance(np.full(len(rows), 1 / CANDIDATES))],
        ['which character of a verse is wrong', *located, *_chance(by_chance)]]
    evidence: List[Any] = []
    spaces = [math.nan] * 3
    if ' ' in corpus.char_to_idx:
        bench.tell('putting spaces')
        *spaces, shown = spaces_found(model, held_out, corpus, bench.size(60, 2), bench.rng())
        results.append(['spaces put back into text without (F1)', spaces[0], None, *spaces[1:]])
        evidence.append(Lines(('Where verses end: as sung, and as the GRU puts it', '断句：原文与 GRU 的结果'), shown))
    evidence.append(Lines((f'Verses with one of {CANDIDATES} characters chosen for a gap',
                           f'从 {CANDIDATES} 个字中选一个填空的歌词'), [
        f'{corpus.decode(verse[1:place])}[{corpus.decode([verse[place]])}]{corpus.decode(verse[place + 1:-1])}'
        f'{"" if verse[place] == row[place] else f"   wanted {corpus.decode([row[place]])}"}'
        for (verse, place), row in list(zip(chosen, rows))[:8]]))
    single = (np.bincount(train, minlength=corpus.vocab_size) + 1.0) / (len(train) + corpus.vocab_size)
    bits = {'every character alike': math.log2(corpus.vocab_size), 'frequencies': -float(np.log2(single[held_out]).mean()),
            'counted pairs': -float(table[held_out[:-1], held_out[1:]].mean()) / math.log(2),
            'GRU': math.log2(evaluate(model, held_out, 1, bench.config().num_steps)),
            'LZMA': lzma_bits(corpus.decode(train), corpus.decode(held_out))}
    return Outcome([
        Table((f'Uses, on {len(rows)} held-out verses: part that is right', f'各种用途，在 {len(rows)} 句留出歌词上的正确率'),
              ('use', 'GRU', 'counted pairs', 'by chance', 'standard error of chance'), results),
        Table(('Bits a character to write the held-out text down', '记录留出文本时每个字符所需的比特数'), ('with', 'bits'),
              list(bits.items())),
        *evidence],
        {'verses': len(rows), 'order': ordered[0], 'order_pairs': ordered[1], 'choose': chosen_share, 'choose_pairs': pairs_share,
         'locate': located[0], 'locate_pairs': located[1], 'locate_chance': float(by_chance.mean()), 'spaces': spaces[0],
         'spaces_chance': spaces[1], 'bits': bits['GRU'], 'bits_pairs': bits['counted pairs'],
         'bits_alike': bits['every character alike']},
        above_chance(results))


def _chance(shares: np.ndarray) -> Tuple[float, float]:
    """The mean of what guessing gets right, and its standard error."""
    return float(shares.mean()), float(np.sqrt((shares * (1 - shares)).sum())) / len(shares)


def above_chance(results: Sequence[Sequence[Any]]) -> str:
    """Whether the GRU is above chance by more than two standard errors in every use."""
    return 'all' if all(gru - chance > 2 * error for _, gru, _, chance, error in results) else 'some'
