"""Fine-tuning: a new run that begins with the weights of another, on a text with other characters."""
from __future__ import annotations

import dataclasses
from typing import Any, Dict

import numpy as np

from ..cells.build import NetworkConfig
from ..corpora.tokens import LINE_END
from ..models.language_model import LanguageModel, ModelConfig
from .checkpoint import Checkpoint

_MAY_DIFFER = ('impl', 'dropout', 'vocab_size')


def network_settings(init: Checkpoint) -> Dict[str, Any]:
    """The settings of the network of a run to begin with, and those of its tokens."""
    names = [field.name for field in dataclasses.fields(ModelConfig) if field.name != 'vocab_size']
    network = {name: _value(init.config, name) for name in names}
    words = init.idx_to_char.rule != 'char'
    return {**network, 'tokens': 'word' if words else 'char', 'keep_lines': (LINE_END if words else '\n') in init.idx_to_char}


def check_network(init: Checkpoint, config: ModelConfig, tokens: str = 'char') -> None:
    """Raise ValueError if the new network is not that of the run to begin with; impl and dropout may be others."""
    if (init.idx_to_char.rule == 'char') != (tokens == 'char'):
        raise ValueError(f'tokens are {"characters" if tokens == "word" else "words"} in the run to begin with, got {tokens!r}: '
                         f'leave it out')
    for field in dataclasses.fields(config):
        wanted, value = _value(init.config, field.name), _value(config, field.name)
        if field.name not in _MAY_DIFFER and value != wanted:
            raise ValueError(f'{field.name} is {wanted!r} in the run to begin with, got {value!r}: leave it out')


def carry_over(init: Checkpoint, model: LanguageModel) -> None:
    """Put the weights of a run into a new model, which knows the run's characters first, and perhaps more of them.

    The weights of the others (rows of the input weights, columns of the output layer's) stay as they were drawn.
    """
    new = {name: np.array(value) for name, value in model.book_params().items()}
    for name, value in init.model().book_params().items():
        new[name][tuple(slice(0, size) for size in value.shape)] = value
    model.load_book_params(new)


def describe_beginning(init: Checkpoint, origin: str, vocab_size: int) -> str:
    """A line: the weights that were carried over, and the number of new ones."""
    known = len(init.idx_to_char)
    added = f'{vocab_size - known:,} of this text are new, their weights drawn anew' if vocab_size > known else 'none is new'
    unit = 'characters' if init.idx_to_char.rule == 'char' else 'words'
    return f'begins with: {origin}, epoch {init.epoch}, all weights of its {known:,} {unit}; {added}'


def _value(config: NetworkConfig, name: str) -> Any:
    """A setting of a network, with the form of the GRU that its implementation has where nothing is said."""
    if name == 'reset_after' and config.cell == 'gru':
        return config.resets_after
    value = getattr(config, name)
    return list(value) if isinstance(value, tuple) else value
