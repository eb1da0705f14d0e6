"""Writing text with a language model, token by token, section 6.4.4. It knows a contract and no framework."""
from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np

from ..corpora.tokens import Vocabulary


def generate(model: Any, idx_to_char: Sequence[str], prefix: str, num_chars: int, *,
             temperature: float | None = None, top_k: int | None = None, seed: int | None = None) -> str:
    """`prefix` and `num_chars` tokens that the model goes on with: characters, or where it was trained on words, words.

    model: a LanguageModel, an OnnxModel, or anything with their `array(values)`, `begin_state(batch_size)` and call.
    idx_to_char: its vocabulary.
    Greedy, as in the book, unless told otherwise: temperature draws from softmax(logits / temperature), so that below 1 it
    is bolder and above 1 wilder, and 0 greedy again; top_k draws from the top_k likeliest characters only (at temperature 1
    unless given). seed: of the draws; one seed gives one text, whatever else is random around it.
    Raises ValueError for an empty prefix or one with unknown characters, and for numbers that make no sense.
    """
    if num_chars < 0:
        raise ValueError(f'length must be 0 or more characters, got {num_chars}')
    if not prefix:
        raise ValueError('the prefix is empty: give at least one character to start from')
    if temperature is not None and not 0 <= temperature < float('inf'):
        raise ValueError(f'temperature must be 0 (greedy) or more, got {temperature}')
    if top_k is not None and top_k < 1:
        raise ValueError(f'top_k must be 1 or more, got {top_k}')
    vocabulary = Vocabulary.of(idx_to_char)
    output = vocabulary.encode(prefix)
    rng = np.random.default_rng(seed)
    greedy = temperature == 0 or (temperature is None and top_k is None)
    write = getattr(model, 'write', None)
    if write and num_chars:     # a whole text in one call, where the model has that
        written = write(output, num_chars, temperature=0 if greedy else temperature or 1, top_k=top_k or 0, rng=rng)
        if written is not None:
            return prefix + vocabulary.decode(written, after=prefix)
    X, state = model.array([output]), model.begin_state(1)
    chosen: List[Any] = []
    for _ in range(num_chars):
        logits, state = model(X, state)
        if greedy:      # stays on the device: nothing waits for it here
            X = logits[-1:].argmax(axis=1).reshape((1, 1))
        else:
            X = model.array([[draw(_numpy(logits[-1]), temperature or 1, top_k, rng)]])
        chosen.append(X)
    return prefix + vocabulary.decode([int(_numpy(X)[0, 0]) for X in chosen], after=prefix)


def _numpy(array: Any) -> np.ndarray:
    return array.asnumpy() if hasattr(array, 'asnumpy') else array


def draw(logits: np.ndarray, temperature: float, top_k: int | None, rng: Any) -> int:
    """One character's index, drawn from softmax(logits / temperature), of the top_k likeliest where given."""
    scaled = logits.astype(np.float64)
    with np.errstate(over='ignore'):       # in this order: the largest stays 0 at any temperature, the rest end at -inf
        scaled = (scaled - scaled.max()) / temperature
    if top_k is not None and top_k < len(scaled):
        scaled[np.argpartition(scaled, -top_k)[:-top_k]] = -np.inf
    probabilities = np.exp(scaled)
    return int(rng.choice(len(scaled), p=probabilities / probabilities.sum()))
