"""Saving a training, loading it, and going on with it as if it had never stopped.

A checkpoint is one `.npz` file of plain arrays, no pickles: the model's parameters, the optimizer's state, and a
description in JSON with the settings, the vocabulary and a SHA-256 of every array.
"""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Dict, Sequence, Type

import mxnet as mx
import numpy as np

from ..cells.base import load_weights
from ..cells.build import NetworkConfig
from ..cells.default import runnable
from ..corpora.tokens import Vocabulary
from ..models.classifier import ClassifierConfig
from ..models.language_model import LanguageModel, ModelConfig
from ..training.trainer import Trainer
from .arrays import pack_arrays, read_arrays, read_description, undamaged
from .files import write_whole


@dataclass(frozen=True)
class Checkpoint:
    """A model, and where its training stands.

    arrays: 'params/NAME' and 'optimizer/NAME/k' -> array; optimizer: its plain numbers; epoch: epochs done; held_out: perplexity
    on held-out text by epoch.
    """
    config: Any                     # ModelConfig, or of a classifier ClassifierConfig
    idx_to_char: Vocabulary
    epoch: int
    arrays: Dict[str, np.ndarray]
    optimizer: Dict[str, Any]
    held_out: Dict[int, float] = field(default_factory=dict)

    @classmethod
    def take(cls, trainer: Trainer, idx_to_char: Sequence[str]) -> Checkpoint:
        """A copy of the present state of a training."""
        states, numbers = trainer.optimizer.state()
        own = {f'params/{name}': value.asnumpy() for name, value in trainer.model.parameters().items()}
        own.update({f'optimizer/{name}': value for name, value in states.items()})
        return cls(trainer.model.config, Vocabulary.of(idx_to_char), trainer.epoch, own, numbers, dict(trainer.held_out))

    def weights(self) -> Dict[str, np.ndarray]:
        """The model's parameters by name."""
        return self._part('params/')

    def without_optimizer(self) -> Checkpoint:
        """The model alone: a third of the size under Adam; no training goes on from it."""
        arrays = {name: value for name, value in self.arrays.items() if name.startswith('params/')}
        return dataclasses.replace(self, arrays=arrays, optimizer={})

    def _part(self, part: str) -> Dict[str, np.ndarray]:
        return {name[len(part):]: value for name, value in self.arrays.items() if name.startswith(part)}

    def model(self, ctx: Any = None, kind: Any = LanguageModel) -> Any:
        """The model with its weights, on ctx. kind: its class. Raises ValueError if the weights are those of another kind."""
        model = kind.build(runnable(self.config, ctx or mx.cpu()), ctx)
        try:
            load_weights(model.parameters(), self.weights())
        except ValueError as error:
            raise ValueError(f'the checkpoint holds another kind of model ({error}): use a run of {kind.made_by}') from None
        model.idx_to_char = self.idx_to_char
        return model

    def resume(self, trainer: Trainer) -> None:
        """Bring a new trainer of the same settings to this state. Raises ValueError if it does not fit."""
        load_weights(trainer.model.parameters(), self.weights())
        trainer.optimizer.load_state(self._part('optimizer/'), self.optimizer)
        trainer.epoch, trainer.held_out = self.epoch, dict(self.held_out)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all. ValueError if a weight is not finite, OSError if the file cannot be written."""
    write_whole(path, to_bytes(checkpoint))


def to_bytes(checkpoint: Checkpoint) -> memoryview:
    """The bytes of a checkpoint's file. Raises ValueError if a weight is not finite."""
    return pack_arrays({'model': dataclasses.asdict(checkpoint.config), **Vocabulary.of(checkpoint.idx_to_char).as_dict(),
                        'epoch': checkpoint.epoch, 'optimizer': checkpoint.optimizer, 'held_out': checkpoint.held_out},
                       checkpoint.arrays)


def read(path: Path, kind: Type[NetworkConfig] = ModelConfig) -> Checkpoint:
    """Read a checkpoint. Raises ValueError if it is damaged or of another kind of model, OSError if it cannot be read."""
    with open(path, 'rb') as opened:
        saved = from_bytes(opened, path)
    if not isinstance(saved.config, kind):
        raise ValueError(f'{path} holds {"a classifier" if kind is ModelConfig else "no classifier"}: give a run of scripts/'
                         f'{"train.py" if kind is ModelConfig else "classify_digits.py"}')
    return saved


def load_model(path: Path | str, ctx: Any = None, which: str | None = None) -> LanguageModel:
    """The model of a file that `LanguageModel.save` has written, or of a checkpoint or the folder of a run, on ctx.

    which: of a run, 'best' or 'last'; None: the best one where there is one. Its vocabulary is `model.idx_to_char`. Raises
    ValueError where the file is damaged or something else, OSError where it cannot be read.
    """
    path = Path(path)
    return read(find_checkpoint(path, which) if path.is_dir() or which else path).model(ctx)


def find_checkpoint(run: Path, which: str | None = None) -> Path:
    """The checkpoint of a run's folder, or the checkpoint file that was given itself.

    which: 'last', or 'best' on held-out text; None: the best one where there is one.
    """
    if which and not run.is_dir():
        raise ValueError(f'which={which!r} needs the folder of a run, got {run}')
    best = run / 'best.npz'
    if which == 'best' and not best.exists():
        raise ValueError(f'{run} has no best.npz, for it was trained without held-out text: use which=\'last\'')
    path = (best if which != 'last' and best.exists() else run / 'checkpoint.npz') if run.is_dir() else run
    if not path.exists():
        raise ValueError(f'{run} is neither a run with a checkpoint nor a checkpoint: train one by '
                         f'scripts/train.py --out {run}')
    return path


def read_epoch(path: Path) -> int:
    """The number of epochs done; the arrays, which may be 50 MB, are not read. Raises as `read` does."""
    with undamaged(path):
        return int(read_description(path)['epoch'])


def from_bytes(opened: BinaryIO, origin: Any) -> Checkpoint:
    """Read a checkpoint from an open file. ValueError if it is damaged or no checkpoint; the message names `origin`."""
    with undamaged(origin):
        description, contents = read_arrays(opened)
        kind = ClassifierConfig if 'num_classes' in description['model'] else ModelConfig
        return Checkpoint(kind(**description['model']), Vocabulary.from_dict(description), description['epoch'],
                          contents, description['optimizer'],
                          {int(epoch): value for epoch, value in description.get('held_out', {}).items()})
