"""Scores that several exercises share: verses under a model, verses copied from the text, perplexities beyond chance."""
from __future__ import annotations

import math
from typing import Any, List, Sequence

import numpy as np
from mxnet import nd

from ...corpora.corpus import Corpus

_ROWS = 128         # of one call
CHANCE = 1.12       # other random numbers move a perplexity by about this factor: published runs of one network differ by a tenth


def log_probs(model: Any, rows: Sequence[Sequence[int]]) -> List[np.ndarray]:
    """The natural logarithm of the probability of each character of each row but its first, given those before it.

    Rows may differ in length: what stands after a row's end changes nothing before it.
    """
    calls, longest = -(-len(rows) // _ROWS), max(map(len, rows))
    XY = np.zeros((calls, _ROWS, longest), dtype=np.float32)        # one shape for all calls
    for k, row in enumerate(rows):
        XY[divmod(k, _ROWS)][:len(row)] = row
    found = []
    for X, Y in zip(XY[..., :-1], XY[..., 1:]):
        logits, _ = model(nd.array(X), model.begin_state(_ROWS))
        picked = nd.pick(nd.log_softmax(logits), nd.array(Y.T.reshape(-1)))
        found += [*picked.reshape((longest - 1, _ROWS)).asnumpy().T]
    return [picked[:len(row) - 1] for row, picked in zip(rows, found)]


def verses(indices: np.ndarray, corpus: Corpus) -> List[List[int]]:
    """The verses of a text, each from the space before it to the space behind it; without spaces, pieces of 10 characters."""
    space = corpus.char_to_idx.get(' ')
    if space is None:
        pieces = [indices[i:i + 10].tolist() for i in range(0, len(indices), 10)]
        return [piece for piece in pieces if len(piece) > 1]
    cuts = np.flatnonzero(indices == space)
    return [indices[a:b + 1].tolist() for a, b in zip(cuts[:-1], cuts[1:]) if b - a > 1]


def known_share(verses: Sequence[str], text: str, n: int = 3) -> float:
    """The part of the verses' strings of n characters that the text has, too: 1 is copying, 0 is babble. nan: there are none.

    A string that comes again counts as none, or saying one thing over and over would count as much as the text itself.
    """
    strings = [verse[i:i + n] for verse in verses for i in range(len(verse) - n + 1)]
    return sum(string in text for string in set(strings)) / len(strings) if strings else float('nan')


def compared(a: float, b: float, chance: float = CHANCE) -> str:
    """How perplexity a stands to b: 'lower', 'higher', or 'alike' where they differ by a factor of `chance` or less.

    Those of trainings that broke off, infinite, are above all others and alike among themselves.
    """
    if a == b or max(a, b) <= chance * min(a, b):
        return 'alike'
    return 'lower' if a < b else 'higher'


def chance_of(*perplexities: float) -> float:
    """The factor by which seeds of one network differ, `CHANCE` at least."""
    finite = [value for value in perplexities if math.isfinite(value)]
    return max(CHANCE, max(finite) / min(finite)) if finite else CHANCE
