"""A training of another task than text as a command: a bar, and Ctrl-C that loses nothing."""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Type

import _cli
from _progress import Progress

from gluon_rnn.runs.settings import Settings
from gluon_rnn.runs.task import TaskRun
from gluon_rnn.training.config import EpochRecord


def given_settings(args: argparse.Namespace, kind: Type[Settings]) -> Dict[str, Any]:
    """The settings that were given as flags."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in vars(args).items() if name in names}


def train_task(run: TaskRun, tell: Callable[[EpochRecord], str]) -> None:
    """Train to the end, printing of each epoch what `tell` says of it."""
    num_epochs, folder = run.trainer.config.num_epochs, run.folder.folder
    if run.trainer.done:
        print(f'{folder} has its {num_epochs} epochs already: raise --num-epochs to train on')
        return
    if run.resumed:
        print(f'going on after epoch {run.trainer.epoch} of {folder}')
    with Progress(num_epochs, 'first step', done=run.trainer.epoch) as progress:
        def on_step(step: int, steps: int) -> None:
            _cli.raise_if_stopped()
            epoch = run.trainer.epoch
            progress.at(epoch + step / steps, f'epoch {epoch + 1} of {num_epochs}, step {step} of {steps}')

        run.go(lambda record: progress.write(tell(record)), on_step)


@contextlib.contextmanager
def kept(run: TaskRun, out: Path, *command: str) -> Iterator[None]:
    """Say where a Ctrl-C leaves a run, and how to go on: by this command with this --out."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        again = shlex.join([sys.executable, *command, '--out', str(out), '--resume'])
        raise KeyboardInterrupt(str(stopped) or f'stopped; {run.saved_epoch} epochs are saved in {run.folder.folder}, go on '
                                f'with: {again}') from None
