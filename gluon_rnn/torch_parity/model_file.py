"""A trained model as a file that PyTorch reads, in a process that has no MXNet."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Sequence

import torch

from ..corpora.tokens import Vocabulary
from ..models.language_model import LanguageModel
from ..runs.files import whole_file
from .layout import to_torch
from .modules import FORMAT, digest_of


def export(model: LanguageModel, idx_to_char: Sequence[str], path: Path, *, layer: bool | None = None) -> None:
    """Write a model and its vocabulary to `path`, whole or not at all; layer: of `to_torch`.

    `torch.load(path, weights_only=True)` gives a dict: 'state_dict', 'settings' (a dict of plain types), 'vocabulary' (a text; a
    character's place in it is its index), 'format' and 'sha256' (of all of it). `modules.load_model` makes the model of it;
    `docs/pytorch.md` shows both.
    Raises ValueError if the vocabulary is not the model's, or the form cannot hold the network.
    """
    if Vocabulary.of(idx_to_char).rule != 'char':
        raise ValueError('a model of words is not carried to PyTorch: export it as ONNX')
    if len(idx_to_char) != model.config.vocab_size:
        raise ValueError(f'the vocabulary must have {model.config.vocab_size} characters as the model, got {len(idx_to_char)}')
    twin = to_torch(model, layer=layer)
    saved = {'format': FORMAT, 'settings': asdict(twin.settings), 'vocabulary': ''.join(idx_to_char),
             'state_dict': dict(twin.state_dict())}
    with whole_file(path) as file:
        torch.save({**saved, 'sha256': digest_of(saved)}, file)
