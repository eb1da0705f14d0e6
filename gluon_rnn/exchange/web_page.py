"""A trained language model as one web page: it runs in any browser, without a server or the network.

The weights are in the page under the book's names, so that every implementation of a network gives the same page.
templates/model_network.js has the equations, model_page.js the page's behaviour.
"""
from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, Sequence

import numpy as np

from ..corpora.tokens import Vocabulary
from ..models.language_model import LanguageModel, ModelConfig
from ..runs.files import write_whole
from ..version import __version__

DTYPES = ('float16', 'float32')
CELLS = ('rnn', 'gru', 'lstm')


def export_page(model: LanguageModel, idx_to_char: Sequence[str], path: Path, *, dtype: str = 'float16', title: str = '',
                prefix: str = '') -> None:
    """Write a model and its vocabulary to the page `path`, whole or not at all.

    dtype: of the weights in it; float16 is half as large, and rounds each weight to 11 bits. title: a name for the model;
    prefix: the text in the field at first (the first character of the vocabulary unless given).
    Raises ValueError if the page has no such network, and where the vocabulary is not the model's.
    """
    write_whole(path, to_page(model, idx_to_char, dtype=dtype, title=title, prefix=prefix))


def to_page(model: LanguageModel, idx_to_char: Sequence[str], *, dtype: str = 'float16', title: str = '',
            prefix: str = '') -> str:
    """The page's text."""
    import jinja2
    config, weights = model.config, model.book_params()
    _check(config, idx_to_char, weights, dtype)
    unknown = sorted(set(prefix) - set(idx_to_char))
    if unknown:
        raise ValueError(f'prefix {prefix!r} must be of the vocabulary, got {"".join(unknown)!r}')
    data = {'settings': {**dataclasses.asdict(config), 'reset_after': config.resets_after}, 'vocabulary': list(idx_to_char),
            'dtype': dtype, 'params': [[name, list(value.shape)] for name, value in weights.items()],
            'title': title, 'prefix': prefix or idx_to_char[0]}
    numbers = np.concatenate([value.ravel() for value in weights.values()])
    environment = jinja2.Environment(loader=jinja2.PackageLoader('gluon_rnn'), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template('model.html.j2').render(
        version=__version__, title=title or described(config), description=described(config), count=numbers.size, dtype=dtype,
        vocab_size=config.vocab_size, model=json.dumps(data, ensure_ascii=False).replace('<', '\\u003c'),
        weights=base64.b64encode(numbers.astype(np.dtype(dtype).newbyteorder('<')).tobytes()).decode())


def _check(config: Any, idx_to_char: Sequence[str], weights: Dict[str, np.ndarray], dtype: str) -> None:
    if dtype not in DTYPES:
        raise ValueError(f'dtype must be one of {", ".join(DTYPES)}, got {dtype!r}')
    if not isinstance(config, ModelConfig):
        raise ValueError('only language models become a page')
    if config.cell not in CELLS:
        raise ValueError(f'a page has networks of {", ".join(CELLS)}, got {config.cell}: export it as ONNX')
    if config.bidirectional:
        raise ValueError('a page writes from left to right, and this network is bidirectional: export it as ONNX')
    if config.embed_size or Vocabulary.of(idx_to_char).rule != 'char':
        raise ValueError('a page has networks that read one-hot characters, and this one reads words or an embedding: '
                         'export it as ONNX')
    if len(idx_to_char) != config.vocab_size:
        raise ValueError(f'the vocabulary must have {config.vocab_size} characters as the model, got {len(idx_to_char)}')
    for name, value in weights.items():
        most = float(np.abs(value).max())
        if not most <= np.finfo(dtype).max:
            raise ValueError(f'{name} has a weight of {most:g}, which {dtype} does not hold: '
                             f'{"use dtype float32" if dtype == "float16" and np.isfinite(most) else "train it again"}')


def described(config: ModelConfig) -> str:
    """The network in a few words, as 'GRU, 2 × 256'."""
    form = ', reset after the product' if config.resets_after else ''
    form += f', {config.activation}' if config.cell == 'rnn' else ''
    layers = f'{config.num_layers} × ' if config.num_layers > 1 else ''
    return f'{config.cell.upper()}{form}, {layers}{config.num_hiddens}'
