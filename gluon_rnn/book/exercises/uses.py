"""Section 6.1, exercise 2: other uses of a language model, each tried on held-out text."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...corpora.corpus import Corpus
from ...models.bigrams import Counting
from ...tables import Lines, Row, Table
from ...training.loss import evaluate
from .frame import Outcome
from .scoring import log_probs, verses
from .workbench import Workbench

CANDIDATES = 10
CHARS = 30_000          # of the text
Verse = Sequence[int]
Score = Callable[[Sequence[Verse]], List[np.ndarray]]       # the log probability of each character of each verse but its first


def order(rows: Sequence[Verse], score: Score, rng: np.random.Generator, frequent: np.ndarray) -> np.ndarray:
    """Whether each verse is more probable than its own characters in another order."""
    shuffled = []
    for row in rows:
        inner = list(row[1:-1])
        while inner == list(row[1:-1]):
            rng.shuffle(inner)
        shuffled.append([row[0], *inner, row[-1]])
    return np.array([real.sum() > other.sum() for real, other in zip(score(rows), score(shuffled))])


def choose(rows: Sequence[Verse], score: Score, rng: np.random.Generator, frequent: np.ndarray) -> np.ndarray:
    """Whether each verse is the most probable one of CANDIDATES that differ in one character, drawn as often as it occurs."""
    places = [int(rng.integers(1, len(row) - 1)) for row in rows]
    right = []
    for row, place in zip(rows, places):
        drawn = dict.fromkeys([row[place], *rng.choice(frequent, 5 * CANDIDATES).tolist()])
        totals = [p.sum() for p in score([[*row[:place], c, *row[place + 1:]] for c in list(drawn)[:CANDIDATES]])]
        right.append(totals[0] == max(totals))
    return np.array(right)


def locate(rows: Sequence[Verse], score: Score, rng: np.random.Generator, frequent: np.ndarray) -> np.ndarray:
    """Whether each verse, one character exchanged, is least probable there, the character and the next one together."""
    places, wrong = [], []
    for row in rows:
        place = int(rng.integers(1, len(row) - 1))
        other = next(c for c in rng.choice(frequent, 1000).tolist() if c != row[place])
        places.append(place)
        wrong.append([*row[:place], other, *row[place + 1:]])
    return np.array([np.argmin(p[:-1] + p[1:]) + 1 == place for p, place in zip(score(wrong), places)])


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
                 rng: np.random.Generator) -> Tuple[Dict[str, Any], List[str]]:
    """F1 of the spaces that a model restores, beside that of as many put at random; and a few lines of it."""
    space = corpus.char_to_idx[' ']
    keep = indices != space
    truth, characters = np.concatenate([[False], indices[:-1] == space])[keep], indices[keep]
    length = min(60, len(characters) // num_rows)
    rows, truth = (array[:num_rows * length].reshape(num_rows, length) for array in (characters, truth))
    put = put_spaces(model, rows, space)[:, 1:]         # the first characters are given

    def f1(put: np.ndarray) -> float:
        return float(2 * (put & truth[:, 1:]).sum() / max(1, put.sum() + truth[:, 1:].sum()))

    at_random = [f1(rng.permutation(put.reshape(-1)).reshape(put.shape)) for _ in range(200)]
    shown = [label + ''.join(' ' * bool(here) + corpus.idx_to_char[c] for c, here in zip(row, [False, *where]))
             for row, *both in list(zip(rows, truth[:, 1:], put))[:3] for label, where in zip(('sung ', 'put  '), both)]
    return {'GRU': f1(put), 'counted pairs': None, 'by chance': np.mean(at_random),
            'standard error of chance': np.std(at_random)}, shown


def uses(bench: Workbench) -> Outcome:
    """6.1.2: ordering, correcting, cutting and compressing, each with a small GRU and with counted pairs."""
    corpus = bench.corpus(CHARS)
    before, held_out = corpus.split(0.1)
    learned = Corpus(before, corpus.idx_to_char)        # the last ninth of it chooses the epoch, and is otherwise not used
    train, _ = learned.split(1 / 9)
    model = bench.train('GRU', corpus=learned, keep_best=True, cell='gru', num_hiddens=128, sigma=0.1, valid_fraction=1 / 9,
                        num_epochs=bench.size(6, 2), batch_size=16, optimizer='adam', lr=5e-3, clipping_theta=1).model
    gap = corpus.vocab_size     # the log probability of each character after each, (vocab_size, vocab_size), by counted pairs
    pairs = Counting(train, gap, right=False).log_probabilities(np.array([[left, gap] for left in range(gap)]))
    rows = [row for row in verses(held_out, corpus) if len(set(row[1:-1])) >= 3][:bench.size(400, 10)]
    if not rows:
        raise ValueError('the held-out text has no verses of three characters or more: give a longer text')
    scores: Dict[str, Score] = {'GRU': partial(log_probs, model), 'counted pairs': lambda rows: [
        pairs[np.asarray(row[:-1]), np.asarray(row[1:])] for row in rows]}
    results: List[Row] = []
    figures: Dict[str, Any] = {'verses': len(rows)}
    for use, task, guess in (
            ('real verse or its characters shuffled', order, np.full(len(rows), 0.5)),
            (f'the right one of {CANDIDATES} characters', choose, np.full(len(rows), 1 / CANDIDATES)),
            ('which character of a verse is wrong', locate, np.array([1 / (len(row) - 2) for row in rows]))):
        bench.tell(use)
        right = {name: task(rows, score, np.random.default_rng(bench.seed), train).mean() for name, score in scores.items()}
        results.append({'use': use, **right, 'by chance': guess.mean(),
                        'standard error of chance': math.sqrt((guess * (1 - guess)).sum()) / len(rows)})
        name = task.__name__
        figures.update({name: right['GRU'], f'{name}_pairs': right['counted pairs']})
    spaces, evidence = {'GRU': math.nan, 'by chance': math.nan}, []
    if ' ' in corpus.char_to_idx:
        bench.tell('putting spaces')
        spaces, shown = spaces_found(model, held_out, corpus, bench.size(60, 2), np.random.default_rng(bench.seed))
        results.append({'use': 'spaces put back into text without (F1)', **spaces})
        evidence = [Lines(('Where verses end: as sung, and as the GRU puts it', '断句：原文与 GRU 的结果'), shown)]
    bits = {'every character alike': math.log2(corpus.vocab_size),
            'counted pairs': -float(pairs[held_out[:-1], held_out[1:]].mean()) / math.log(2),
            'GRU': math.log2(evaluate(model, held_out, 1, bench.settings().num_steps))}
    return Outcome([
        Table.of(('Uses, on held-out verses: part that is right', '各种用途：在留出歌词上的正确率'), results),
        Table(('Bits a character to write the held-out text down', '记录留出文本时每个字符所需的比特数'), ('with', 'bits'),
              list(bits.items())),
        *evidence],
        {**figures, 'locate_chance': results[2]['by chance'], 'spaces': spaces['GRU'], 'spaces_chance': spaces['by chance'],
         'bits': bits['GRU'], 'bits_pairs': bits['counted pairs'], 'bits_alike': bits['every character alike']},
        above_chance(results))


def above_chance(results: Sequence[Row]) -> str:
    """Whether the GRU is above chance by more than two standard errors in every use."""
    return 'all' if all(r['GRU'] - r['by chance'] > 2 * r['standard error of chance'] for r in results) else 'some'
