"""Saving a training, loading it, and going on with it as if it had never stopped.

A checkpoint is one `.npz` file of plain arrays, no pickles: the model's parameters, what the optimizer remembers, and a
description in JSON with the settings, the vocabulary and a SHA-256 of every array.
"""
from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Dict, Sequence

import mxnet as mx
import numpy as np

from ..cells.base import load_weights
from ..cells.default import runnable
from ..corpora.tokens import Vocabulary
from ..models.language_model import LanguageModel, ModelConfig, build_model
from ..training.trainer import Trainer
from .files import write_whole

FORMAT = 'gluon_rnn checkpoint 1'


@dataclass(frozen=True)
class Checkpoint:
    """A model, and where its training stands.

    arrays: 'params/NAME' and 'optimizer/NAME/k' -> array; optimizer: its plain numbers; epoch: epochs done.
    """
    config: ModelConfig
    idx_to_char: Vocabulary
    epoch: int
    arrays: Dict[str, np.ndarray]
    optimizer: Dict[str, Any]

    @classmethod
    def take(cls, trainer: Trainer, idx_to_char: Sequence[str]) -> Checkpoint:
        """A copy of the present state of a training."""
        states, numbers = trainer.optimizer.state()
        arrays = {f'params/{name}': value.asnumpy() for name, value in trainer.model.parameters().items()}
        arrays.update({f'optimizer/{name}': value for name, value in states.items()})
        return cls(trainer.model.config, Vocabulary.of(idx_to_char), trainer.epoch, arrays, numbers)

    def _part(self, part: str) -> Dict[str, np.ndarray]:
        return {name[len(part):]: value for name, value in self.arrays.items() if name.startswith(part)}

    def model(self, ctx: Any = None) -> LanguageModel:
        """The model with its weights, on ctx. Raises ValueError if they are no language model's but a fill-in network's."""
        model = build_model(runnable(self.config, ctx or mx.cpu()), ctx)
        try:
            load_weights(model.parameters(), self._part('params/'))
        except ValueError as error:
            raise ValueError(f'the checkpoint holds no language model ({error}): use a run of scripts/train.py') from None
        return model

    def resume(self, trainer: Trainer) -> None:
        """Bring a new trainer of the same settings to this state. Raises ValueError if it does not fit."""
        load_weights(trainer.model.parameters(), self._part('params/'))
        trainer.optimizer.load_state(self._part('optimizer/'), self.optimizer)
        trainer.epoch = self.epoch


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all. ValueError if a weight is not finite, OSError if the file cannot be written."""
    write_whole(path, to_bytes(checkpoint))


def to_bytes(checkpoint: Checkpoint) -> memoryview:
    """The bytes of a checkpoint's file. Raises ValueError if a weight is not finite."""
    for name, value in checkpoint.arrays.items():
        if not np.isfinite(value).all():
            raise ValueError(f'{name} is no longer finite: not saved')
    description = {'format': FORMAT, 'model': dataclasses.asdict(checkpoint.config),
                   **Vocabulary.of(checkpoint.idx_to_char).as_dict(), 'epoch': checkpoint.epoch,
                   'optimizer': checkpoint.optimizer,
                   'sha256': {name: _digest(value) for name, value in checkpoint.arrays.items()}}
    packed = np.frombuffer(json.dumps(description, ensure_ascii=False).encode('utf-8'), dtype=np.uint8)
    archive = io.BytesIO()      # in memory first: a zip file that a full disk breaks off complains a second time
    np.savez(archive, description=packed, **checkpoint.arrays)
    return archive.getbuffer()


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. ValueError if it is damaged or no checkpoint, OSError if it cannot be read."""
    with open(path, 'rb') as opened:
        return from_bytes(opened, path)


def read_epoch(path: Path) -> int:
    """The number of epochs done; the arrays, which may be 50 MB, are not read. Raises as `read` does."""
    with open(path, 'rb') as opened:
        try:
            with np.load(opened, allow_pickle=False) as file:
                return int(_described(file['description'])['epoch'])
        except _DAMAGE as error:
            raise _not_whole(path, error) from None


def from_bytes(opened: BinaryIO, origin: Any) -> Checkpoint:
    """Read a checkpoint from an open file. ValueError if it is damaged or no checkpoint; the message names `origin`."""
    try:
        with np.load(opened, allow_pickle=False) as file:
            if any(member.compress_type != zipfile.ZIP_STORED for member in file.zip.infolist()):
                raise ValueError('it is compressed, and may unpack to any size')
            contents = {name: file[name] for name in file.files}
        description = _described(contents.pop('description'))
        digests = description['sha256']
        if digests.keys() != contents.keys() or any(_digest(contents[name]) != digests[name] for name in digests):
            raise ValueError('its contents are not what was saved')
        return Checkpoint(ModelConfig(**description['model']), Vocabulary.from_dict(description), description['epoch'],
                          contents, description['optimizer'])
    except _DAMAGE as error:
        raise _not_whole(origin, error) from None


# What reading a damaged file may raise.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, EOFError, SyntaxError, MemoryError, OverflowError, RuntimeError,
           NotImplementedError, UnicodeError, OSError, zipfile.BadZipFile, zlib.error)


def _described(packed: np.ndarray) -> Dict[str, Any]:
    description = json.loads(packed.tobytes().decode('utf-8'))
    if description['format'] != FORMAT:
        raise ValueError(f'it is a {str(description["format"])[:40]!r}')
    return description


def _not_whole(origin: Any, error: BaseException) -> ValueError:
    return ValueError(f'{origin} is not a whole checkpoint of gluon_rnn ({type(error).__name__}: {_first_line(error)}): '
                      f'use another run, or train again')


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ['no more is known'])[0][:120]


def _digest(array: np.ndarray) -> str:
    described = f'{array.dtype.str} {array.shape} '.encode()
    return hashlib.sha256(described + np.ascontiguousarray(array).tobytes()).hexdigest()
