"""Writing text with a language model, token by token, section 6.4.4. It knows a contract and no framework."""
from __future__ import annotations

from typing import Any, Callable, Iterator, List, Sequence

import numpy as np

from ..corpora.indices import to_numpy
from ..corpora.tokens import LINE_END, Vocabulary


def generate(model: Any, idx_to_char: Sequence[str], prefix: str = '', num_chars: int = 50, *,
             temperature: float | None = None, top_k: int | None = None, top_p: float | None = None, seed: int | None = None,
             on_text: Callable[[str], Any] | None = None) -> str:
    """`prefix` and `num_chars` tokens that the model goes on with: characters, or where it was trained on words, words.

    model: a LanguageModel, an OnnxModel, or anything with their `begin_state(batch_size)` and call, which takes NumPy's indices.
    idx_to_char: its vocabulary. prefix: '' begins as a line begins.
    Greedy, as in the book, unless told otherwise: temperature draws from softmax(logits / temperature), so that below 1 it
    is bolder and above 1 wilder, and 0 greedy again; top_k draws from the top_k likeliest tokens only, top_p from as few of the
    likeliest as have that probability together (each at temperature 1 unless given). seed: of the draws; one seed gives one text,
    whatever else is random around it. on_text: called with each piece of the text as it is written, the prefix first.
    Raises ValueError for a prefix with unknown characters, and for numbers that make no sense.
    """
    check_numbers(num_chars, temperature, top_k, top_p)
    vocabulary, rng = Vocabulary.of(idx_to_char), np.random.default_rng(seed)
    read, text = _begin(vocabulary, prefix, rng)
    greedy = temperature == 0 or (temperature is None and top_k is None and top_p is None)
    write = getattr(model, 'write', None)
    if write and num_chars and not on_text:     # a whole text in one call, where the model has that
        written = write(read, num_chars, temperature=0 if greedy else temperature or 1, top_k=top_k or 0, top_p=top_p or 1,
                        rng=rng)
        if written is not None:
            return text + vocabulary.decode(written, after=text)
    chosen = _choose(model, read, num_chars, None if greedy else lambda row: draw(row, temperature or 1, top_k, rng, top_p))
    tell = on_text or (lambda piece: None)
    tell(text)
    for token in chosen:
        piece = vocabulary.decode([token], after=text)
        tell(piece)
        text += piece
    return text


def beam_search(model: Any, idx_to_char: Sequence[str], prefix: str = '', num_chars: int = 50, *, beam: int = 5) -> List[str]:
    """The likeliest texts that are found when each step keeps the `beam` likeliest beginnings, likeliest first.

    They are not always the likeliest of all. beam 1 is greedy. Model, vocabulary, prefix and errors as those of `generate`.
    """
    check_numbers(num_chars, None, None, None)
    if beam < 1:
        raise ValueError(f'beam must be 1 or more, got {beam}')
    vocabulary = Vocabulary.of(idx_to_char)
    read, text = _begin(vocabulary, prefix, np.random.default_rng(0))
    X, state = np.array([read]), model.begin_state(1)
    scores, written = np.zeros(1), np.zeros((1, 0), np.int64)
    for _ in range(num_chars):
        logits, state = model(X, state)
        totals = scores[:, None] + log_softmax(to_numpy(logits[-len(scores):]))
        best = np.argsort(-totals, axis=None, kind='stable')[:beam]
        rows, tokens = np.divmod(best, totals.shape[1])
        scores, written = totals.flat[best], np.concatenate([written[rows], tokens[:, None]], axis=1)
        X, state = tokens[:, None], tuple(s[rows] if s.ndim == 2 else s[:, rows] for s in state)
    return [text + vocabulary.decode(tokens, after=text) for tokens in written]


def check_numbers(num_chars: int, temperature: float | None, top_k: int | None, top_p: float | None) -> None:
    """Raise ValueError for numbers that make no sense."""
    if num_chars < 0:
        raise ValueError(f'num_chars must be 0 or more, got {num_chars}')
    if temperature is not None and not 0 <= temperature < float('inf'):
        raise ValueError(f'temperature must be 0 (greedy) or more, got {temperature}')
    if top_k is not None and top_k < 1:
        raise ValueError(f'top_k must be 1 or more, got {top_k}')
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f'top_p must be above 0 and at most 1, got {top_p}')


def _begin(vocabulary: Vocabulary, prefix: str, rng: np.random.Generator) -> Any:
    """The indices that the model reads first, one at least, and the text that stands there."""
    if prefix:
        try:
            read = vocabulary.encode(prefix)
        except ValueError as error:
            raise ValueError(f'prefix {prefix if len(prefix) <= 40 else prefix[:40] + "…"!r}: {error}') from None
        if read:
            return read, prefix
    begin = begins_a_line(vocabulary)
    if begin is not None:
        return [begin], prefix
    first = [int(rng.integers(len(vocabulary)))]
    return first, vocabulary.decode(first)


def begins_a_line(vocabulary: Vocabulary) -> int | None:
    """The index of the token before a line: a line break, or the space that takes its place."""
    return next((vocabulary.to_idx[token] for token in ('\n', LINE_END, ' ') if token in vocabulary.to_idx), None)


def _choose(model: Any, read: Sequence[int], number: int, draw_one: Callable[[np.ndarray], int] | None) -> Iterator[int]:
    """One token's index after the other; None for draw_one: the likeliest."""
    X, state = np.array([read]), model.begin_state(1)
    for _ in range(number):
        logits, state = model(X, state)
        row = to_numpy(logits[-1])
        token = int(row.argmax()) if draw_one is None else draw_one(row)
        X = np.array([[token]])
        yield token


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """The logarithms of softmax(logits), row by row, in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def draw(logits: np.ndarray, temperature: float, top_k: int | None, rng: Any, top_p: float | None = None) -> int:
    """One token's index, drawn from softmax(logits / temperature), of the top_k likeliest where given, and of these from as few
    as have probability top_p together.
    """
    scaled = logits.astype(np.float64)
    with np.errstate(over='ignore'):       # in this order: the largest stays 0 at any temperature, the rest end at -inf
        scaled = (scaled - scaled.max()) / temperature
    if top_k is not None and top_k < len(scaled):
        scaled[np.argpartition(scaled, -top_k)[:-top_k]] = -np.inf
    probabilities = np.exp(scaled)
    probabilities /= probabilities.sum()
    if top_p is not None and top_p < 1:
        order = np.argsort(-probabilities, kind='stable')
        kept = int(np.searchsorted(np.cumsum(probabilities[order]), top_p)) + 1
        probabilities[order[kept:]] = 0
        probabilities /= probabilities.sum()
    return int(rng.choice(len(scaled), p=probabilities))
