"""A training that is kept in its folder, as a command: its flags, a bar, and Ctrl-C that loses nothing."""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Type

import _cli
from _flags import add_out
from _paste import to_paste
from _progress import Progress

from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.corpora.reading import absolute
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.kept import KeptRun
from gluon_rnn.runs.task import TaskRun
from gluon_rnn.training.config import EpochRecord


def add_run(parser: Any, default: Path | None, text: str) -> None:
    """Add --out, the run's folder, --overwrite and --resume. default: None where `text` says it."""
    add_out(parser, default, text)
    parser.add_argument('--resume', action='store_true', default=False, help='go on with the run in --out')


def check_resume(args: argparse.Namespace, out: Path) -> None:
    """Raise ValueError where a run is to be both resumed and replaced, or resumed from a folder that is not there."""
    if args.resume and args.overwrite:
        raise ValueError('--resume and --overwrite exclude each other')
    if args.resume and not out.is_dir():
        raise ValueError(f'{out} does not exist: there is no run to go on with')


def given_settings(args: argparse.Namespace, schema: Type[Any]) -> Dict[str, Any]:
    """The settings that were given as flags. A text's path is made absolute: a run may be resumed from another folder."""
    names = {field.name for field in dataclasses.fields(schema)}
    given = {name: value for name, value in vars(args).items() if name in names and value is not None}
    for name in {'corpus', 'valid_text'} & given.keys():
        if given[name] not in CORPORA:
            given[name] = absolute(given[name])
    return given


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
            progress.step(run.trainer.epoch, step, steps)

        run.go(lambda record: progress.write(tell(record)), on_step)


@contextlib.contextmanager
def kept(run: KeptRun, command: str) -> Iterator[None]:
    """Say where a Ctrl-C leaves a run, and the command that goes on with it."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(str(stopped) or f'stopped; {run.saved_epoch} epochs are saved in {run.folder.folder}, go on '
                                f'with: {command}') from None


def resume_command(out: Path, *script: str) -> str:
    """The command that goes on with the run in this folder, to be pasted. script: its file, and what comes first."""
    folder = os.path.join(os.curdir, out) if str(out).startswith('-') else str(out)      # not to be taken for a flag
    return to_paste([sys.executable, *script, '--out', folder, '--resume'])


def trained(run: Path, command: str) -> Path:
    """The checkpoint of a run, or the file that was given itself. Raises ValueError that names the command to train by."""
    if not (run.is_file() or (run / 'checkpoint.npz').exists()):
        words = to_paste(['python', *f'scripts/{command}'.split(), '--out', str(run)])
        raise ValueError(f'{run} holds no trained network: {words}')
    return checkpoint.find_checkpoint(run)
