"""A training that is kept in its folder: it starts or goes on, and is saved whatever stops it."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Iterable, Tuple, TypeVar

from ..cells.build import NetworkConfig
from ..training.config import EpochRecord
from ..training.early_stopping import best_epoch
from ..training.loss import Diverged
from ..training.trainer import Trainer
from .checkpoint import Checkpoint
from .folder import RunFolder

T = TypeVar('T')


class KeptRun:
    """The part that runs of all tasks share. folder: locked; resumed: whether to go on from its last checkpoint.

    idx_to_char: the vocabulary of the model's answers.
    """
    folder: RunFolder
    settings: Any           # Settings
    trainer: Trainer
    idx_to_char: Any        # Sequence[str]
    resumed: bool
    saved_epoch = 0
    # the last epoch, and the best so far where it is not saved yet; one name, so that an interruption finds both or neither
    state: Tuple[Checkpoint, Checkpoint | None]

    def begin(self, *, overwrite: bool = False) -> None:
        """Go on, or start anew. Raises ValueError where the folder holds a run that does not fit, or may not be replaced."""
        if self.resumed:
            self._resume()
        else:
            self.folder.begin(self.settings, overwrite=overwrite)
        self.state = Checkpoint.take(self.trainer, self.idx_to_char), None

    def _resume(self) -> None:
        saved, model = self.folder.resume(), self.trainer.model
        if saved:
            if _equations(saved.config) != _equations(model.config) or tuple(saved.idx_to_char) != tuple(self.idx_to_char):
                raise ValueError(f'the checkpoint in {self.folder.folder} is of another model than its config.json: '
                                 f'start a new run')
            saved.resume(self.trainer)
            self.saved_epoch = saved.epoch
        self.folder.go_on(self.settings)        # what was changed holds for the next time, too

    def keep(self, records: Iterable[EpochRecord], write: Callable[[EpochRecord], T], tell: Callable[[T], None], *,
             period: int = 1) -> None:
        """Write what each epoch leaves, save each `period` epochs and at the end, and tell of it.

        Whatever stops it, the last whole epoch is saved.
        """
        trainer = self.trainer
        try:
            for record in records:
                done = Checkpoint.take(trainer, self.idx_to_char)
                written = write(record)
                best = done.without_optimizer() if best_epoch(trainer.held_out) == record.epoch else self.state[1]
                # only now: a checkpoint without its epoch's metrics and verses could not be resumed
                self.state = done, best
                if record.epoch % period == 0 or trainer.done:
                    self._save()
                tell(written)
        except Diverged as error:
            self._save()
            saved = f'; the model after epoch {self.saved_epoch} is saved in {self.folder.folder}' if self.saved_epoch else ''
            raise Diverged(f'{error}{saved}') from None
        except BaseException:
            self._save()
            raise

    def _save(self) -> None:
        last, best = self.state
        if last.epoch > self.saved_epoch:
            self.folder.save(last, best)
            self.saved_epoch, self.state = last.epoch, (last, None)


def _equations(config: Any) -> NetworkConfig:
    """The same for all implementations that have one another's parameters."""
    return config if config.impl == 'gluon' else replace(config, impl='scratch')
