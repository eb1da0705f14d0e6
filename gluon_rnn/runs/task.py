"""A run of a task other than writing text: of digits (`digits.py`), or gaps in a text (`fill_in.py`)."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Mapping, Sequence, Type, TypeVar

from ..cells.build import NetworkConfig
from ..cells.default import default_impl, runnable
from ..runtime import parse_ctx
from ..training.config import EpochRecord
from ..training.source import Source
from ..training.trainer import Trainer
from .folder import RunFolder, read_settings
from .kept import KeptRun
from .settings import Settings, pick

C = TypeVar('C', bound=NetworkConfig)


class TaskJob:
    """One training of a task, from its settings, without a folder. names: the vocabulary of the model's answers."""
    settings: Any
    trainer: Trainer
    source: Source
    names: Sequence[str]

    def measure(self, record: EpochRecord) -> EpochRecord:
        """The record of an epoch with its figures on held-out examples."""
        raise NotImplementedError


class TaskRun(KeptRun):
    """A training of a task and its folder, which must be locked. resume: go on from its last checkpoint.

    Raises ValueError for a folder that holds something else.
    """

    def __init__(self, folder: RunFolder, job: TaskJob, *, resume: bool = False, overwrite: bool = False):
        self.folder, self.job, self.resumed = folder, job, resume and folder.holds_run()
        self.settings, self.trainer, self.idx_to_char = job.settings, job.trainer, job.names
        self.begin(overwrite=overwrite)

    def go(self, on_epoch: Callable[[EpochRecord], None], on_step: Callable[[int, int], None] | None = None) -> None:
        """Train to the last epoch, handing on each epoch's record. Whatever stops it, the last whole epoch is saved."""
        def write(record: EpochRecord) -> EpochRecord:
            self.folder.add(record)
            return record
        self.keep(map(self.job.measure, self.trainer.epochs_on(self.job.source, on_step=on_step)), write, on_epoch)


def task_settings(folder: RunFolder, given: Mapping[str, Any], *, resume: bool = False) -> Any:
    """The settings given; of a resumed run its own, with the given ones that may change.

    Raises ValueError for others, and where there is no run to go on with.
    """
    kind: Type[Settings] = type(folder).settings
    if not resume:
        return kind(**given)
    if not folder.holds_run():
        raise ValueError(f'{folder.folder} holds no run to go on with: leave out resume=True to start one')
    settings = read_settings(folder.folder, type(folder)).changed(given)
    return replace(settings, impl=runnable(pick(NetworkConfig, settings), parse_ctx(settings.ctx)).impl)


def choose_network(kind: Type[C], settings: Any, ctx: Any, **sizes: int) -> C:
    """The network of the settings; where they name no implementation, in the one to take."""
    config = pick(kind, settings, impl=settings.impl or 'hybrid', **sizes)
    return config if settings.impl else replace(config, impl=default_impl(config, ctx))
