"""How well a language model expects a text: its log-probability, token by token. It knows a contract and no framework."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

import numpy as np

from ..corpora.indices import to_numpy
from ..corpora.tokens import Vocabulary
from .generation import begins_a_line, log_softmax

_AT_ONCE = 256      # tokens of which the logits are in memory together


@dataclass(frozen=True)
class TextScore:
    """A text as a model expects it.

    pieces: the text of each token; losses: -log of the probability that the model gave it before it came, in nats. The first one
    is expected as the first of a line is, and is left out where the vocabulary has no line breaks.
    """
    pieces: Tuple[str, ...]
    losses: np.ndarray

    @property
    def log_probability(self) -> float:
        """The log-probability of the whole text, in nats."""
        return -float(self.losses.sum())

    @property
    def perplexity(self) -> float:
        """Perplexity per token."""
        return math.exp(min(float(self.losses.mean()), 709))

    @property
    def bits_per_char(self) -> float:
        return float(self.losses.sum()) / math.log(2) / len(''.join(self.pieces))

    def least_expected(self, number: int = 10) -> List[Tuple[int, str, float]]:
        """The most surprising tokens, first the one most so: which it is, counted from 1, its text and its probability."""
        order = np.argsort(-self.losses, kind='stable')[:number]
        return [(int(i) + 1, self.pieces[i], math.exp(-self.losses[i])) for i in order]


def score(model: Any, corpus: Any, text: str) -> TextScore:
    """The score of a text.

    model: as `generate` takes one; corpus: the Corpus that it was trained on, or its vocabulary. Raises ValueError for a text
    with unknown characters, an empty one, and for a bidirectional model, which sees its answer.
    """
    config = getattr(model, 'settings', None) or vars(getattr(model, 'config', None) or TextScore)
    if config.get('bidirectional') and not config.get('both_forward'):
        raise ValueError('a bidirectional network reads the characters it must predict, so its score means nothing')
    vocabulary = Vocabulary.of(getattr(corpus, 'idx_to_char', corpus))
    indices, first = vocabulary.encode(text), begins_a_line(vocabulary)
    read = [*([] if first is None else [first]), *indices]
    if len(read) < 2:
        raise ValueError(f'the text must have {1 if first is not None else 2} tokens or more, got {len(indices)}')
    labels, losses, state = np.array(read[1:]), np.empty(len(read) - 1), model.begin_state(1)
    for at in range(0, len(labels), _AT_ONCE):
        own = labels[at:at + _AT_ONCE]
        logits, state = model([read[at:at + len(own)]], state)
        losses[at:at + len(own)] = -log_softmax(to_numpy(logits))[np.arange(len(own)), own]
    return TextScore(_pieces(vocabulary, indices)[len(indices) - len(labels):], losses)


def _pieces(vocabulary: Vocabulary, indices: Sequence[int]) -> Tuple[str, ...]:
    """The text of each token, with the space before it."""
    pieces: List[str] = []
    for index in indices:
        pieces.append(vocabulary.decode([index], after=pieces[-1] if pieces else ''))
    return tuple(pieces)
