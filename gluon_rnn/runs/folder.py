"""A run's folder: the files that a training leaves, and reading them again.

    config.json      the settings              metrics.jsonl    a line an epoch
    samples.txt      the verses                curve.png        perplexity over the epochs
    checkpoint.npz   to go on from             best.npz         the model of the epoch that was best on held-out text
    .lock            held while a process writes here
    events.out.…     the same as metrics.jsonl for TensorBoard, where asked for
    layers.json      gradient norms by layer of the model in checkpoint.npz (`book.results.write_layers`), where asked for
"""
from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from pathlib import Path
from typing import Any, List, Tuple, Type

import filelock

from ..cells.build import NetworkConfig
from ..plots import plot_perplexity, save_figure
from ..training.config import EpochRecord
from ..training.early_stopping import best_epoch
from . import checkpoint
from .checkpoint import Checkpoint
from .checksum import DIGEST, verified, with_checksum
from .files import append_line, write_whole
from .settings import RunSettings, Settings
from .tensorboard import FILE as EVENTS

_FILES = ('config.json', 'metrics.jsonl', 'samples.txt', 'curve.png', 'checkpoint.npz', 'best.npz', 'layers.json', EVENTS)
_DERIVED = ('loss', 'bits_per_char', 'valid_loss', 'valid_bits_per_char')    # of a record, for who reads metrics.jsonl
_NEW_BEST = '.best.npz.new'      # waits here for the checkpoint that knows of it
FORMAT = 'gluon_rnn run 2'        # 2: with digests
_WITHOUT_DIGEST = 'gluon_rnn run 1'


class RunFolder:
    """A folder that one training writes to; use it as a context manager, it locks the folder.

    The run of another task than text has a subclass, with its own settings, format and files, the first of them config.json;
    parts: folders inside, of runs that belong to it.
    """
    settings: Type[Settings] = RunSettings
    format = FORMAT
    files: Tuple[str, ...] = _FILES
    parts: Tuple[str, ...] = ()
    derived: Tuple[str, ...] = _DERIVED

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: List[EpochRecord] = []
        self.samples: List[Tuple[int, str]] = []        # epoch, what was printed
        self._lock = filelock.FileLock(folder / '.lock')
        self._new: List[Path] = []      # the folders above it that were made for it

    def __enter__(self) -> RunFolder:
        """Raises ValueError if another process writes here or there are files of no run, OSError if no folder can be made."""
        self._new = [path for path in self.folder.parents if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        foreign = [path.name for path in self.folder.iterdir() if path.name not in (*self.files, *self.parts)
                   and not path.name.startswith('.')]
        if foreign:
            raise ValueError(f'{self.folder} holds files that are not a run ({foreign[0]}): choose another folder')
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise ValueError(f'another run is writing in {self.folder}: wait for it, or choose another folder') from None
        return self

    def __exit__(self, *exc: Any) -> None:
        if not self.holds_run():        # nothing came of it: leave nothing behind
            (self.folder / '.lock').unlink(missing_ok=True)     # while it is held: the next one locks a file of its own
            with contextlib.suppress(OSError):
                for path in (self.folder, *self._new):
                    path.rmdir()
        self._lock.release()

    def begin(self, settings: Settings, *, overwrite: bool = False) -> None:
        """Start a new run. Raises ValueError if the folder holds a run, unless told to overwrite it."""
        if self.holds_run() and not overwrite:
            raise ValueError(f'{self.folder} holds a run already: go on with it by resume=True, choose another folder, or '
                             f'replace it by overwrite=True')
        # The checkpoint first and config.json never: killed on the way, it can be resumed, from the beginning. And where the
        # new config.json finds no place on the disk, the old run is what it was.
        path, aside = self.folder / 'checkpoint.npz', self.folder / '.checkpoint.npz.part'      # what a part is, is never read
        replaces = path.exists()
        if replaces:
            os.replace(path, aside)
        try:
            self.write_config(settings)
        except OSError:
            if replaces:
                os.replace(aside, path)
            raise
        inside = [f'{part}/{name}' for part in self.parts for name in self.files]
        for name in (*self.files[1:], aside.name, _NEW_BEST, *inside):
            (self.folder / name).unlink(missing_ok=True)

    def write_config(self, settings: Settings) -> None:
        content = with_checksum({'format': self.format, **dataclasses.asdict(settings)})
        write_whole(self.folder / 'config.json', json.dumps(content, ensure_ascii=False, indent=2) + '\n')

    def go_on(self, settings: Settings) -> None:
        """Begin to write where `resume` has read up to: what came after the last checkpoint goes from metrics.jsonl, too."""
        self.write_config(settings)
        path, text = self.folder / 'metrics.jsonl', ''.join(map(self._line, self.records)).encode()
        if path.exists() and path.read_bytes() != text:
            write_whole(path, text)

    def holds_run(self) -> bool:
        return any((self.folder / name).exists() for name in self.files)

    def resume(self) -> Checkpoint | None:
        """Read all up to the last checkpoint, and forget what came after it. None if there is no checkpoint yet."""
        path = self.folder / 'checkpoint.npz'
        last = checkpoint.read(path, NetworkConfig) if path.exists() else None
        self._settle_best(best_epoch(last.held_out) if last else 0)
        epoch = last.epoch if last else 0
        self.records = [record for record in read_metrics(self.folder) if record.epoch <= epoch]
        if len(self.records) != epoch:
            raise ValueError(f'{self.folder / "metrics.jsonl"} has {len(self.records)} of the {epoch} epochs before the '
                             f'checkpoint: it was changed or damaged, start a new run')
        self.samples = [sample for sample in self.read_samples() if sample[0] <= epoch]
        return last

    def read_samples(self) -> List[Tuple[int, str]]:
        """The printed samples: the epoch and the text of each printing."""
        path = self.folder / 'samples.txt'
        if not path.exists():
            return []
        samples: List[Tuple[int, str]] = []
        try:
            for line in path.read_bytes().decode('utf-8').split('\n')[:-1]:
                if line.startswith('epoch '):
                    samples.append((int(line.split()[1].rstrip(',')), line + '\n'))
                elif samples:
                    samples[-1] = (samples[-1][0], samples[-1][1] + line + '\n')
        except (ValueError, IndexError) as error:
            raise ValueError(f'{path} is damaged ({error}): start a new run') from None
        return samples

    def add(self, record: EpochRecord) -> None:
        """Add a line of an epoch to metrics.jsonl."""
        append_line(self.folder / 'metrics.jsonl', self._line(record))
        self.records.append(record)

    def add_sample(self, epoch: int, text: str) -> None:
        """Write what was printed at an epoch, and draw the curve anew."""
        self.samples.append((epoch, text + '\n'))
        write_whole(self.folder / 'samples.txt', ''.join(text for _, text in self.samples))
        self.draw()

    def save(self, state: Checkpoint, best: Checkpoint | None = None) -> None:
        """Keep a checkpoint; best: of its epochs the best one, where that is a new one."""
        (self.folder / 'layers.json').unlink(missing_ok=True)       # first: it is of the checkpoint that goes
        if best:
            checkpoint.save(self.folder / _NEW_BEST, best)
        checkpoint.save(self.folder / 'checkpoint.npz', state)
        if best:
            os.replace(self.folder / _NEW_BEST, self.folder / 'best.npz')

    def _settle_best(self, epoch: int) -> None:
        """Keep of the best models the one of this epoch: others are of epochs that are forgotten."""
        new, best = self.folder / _NEW_BEST, self.folder / 'best.npz'
        for path in (new, best):
            if path.exists() and checkpoint.read_epoch(path) != epoch:
                path.unlink()
        if new.exists():
            os.replace(new, best)

    def _line(self, record: EpochRecord) -> str:
        figures = {**dataclasses.asdict(record), **{name: getattr(record, name) for name in self.derived}}
        return json.dumps(with_checksum({name: value for name, value in figures.items() if value is not None})) + '\n'

    def draw(self) -> None:
        save_figure(plot_perplexity({'train': self.records}), self.folder / 'curve.png')


def _record(line: bytes, required: bool = True) -> EpochRecord:
    content = verified(line, required=required)
    return EpochRecord(**{name: value for name, value in content.items() if name not in _DERIVED})


def read_config(folder: Path) -> RunSettings:
    """The settings of a run of train.py. Raises ValueError if there is none, or it is damaged."""
    return read_settings(folder, RunFolder)


def read_settings(folder: Path, kind: Type[RunFolder]) -> Any:
    """The settings of a run of this kind. Raises ValueError if there is none, or it is damaged."""
    path = folder / 'config.json'
    if not path.exists():
        raise ValueError(f'{folder} holds no run')
    try:
        text = path.read_bytes()
        config = verified(text, required=f'"format": "{_WITHOUT_DIGEST}"'.encode() not in text)
        if config.pop('format', None) not in (kind.format, *[_WITHOUT_DIGEST] * (kind is RunFolder)):
            raise ValueError('it is of another format')
        return kind.settings.read(config)
    except ValueError as error:
        raise ValueError(f'{path} is damaged ({error}): start a new run') from None


def read_metrics(folder: Path) -> List[EpochRecord]:
    """The records of a run's epochs, in order. Raises ValueError if the file is damaged.

    A last line that has no end, as a process leaves it that is killed while it writes, counts only where it is whole.
    """
    path = folder / 'metrics.jsonl'
    if not path.exists():
        return []
    try:
        *lines, last = path.read_bytes().split(b'\n')
        checksummed = any(f'"{DIGEST}"'.encode() in line for line in lines)   # if one is, all are: older versions know no digests
        records = [_record(line, checksummed) for line in lines]
        with contextlib.suppress(ValueError, TypeError):
            records += [_record(last)]
        if [record.epoch for record in records] != list(range(1, len(records) + 1)):
            raise ValueError('epochs are missing')
        if not all(isinstance(value, (int, float)) for r in records for value in dataclasses.astuple(r) if value is not None):
            raise ValueError('a figure is not a number')
    except (ValueError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({str(error)[:100]}): start a new run') from None
    return records
