"""A training and its folder: what was asked for, what came of it, and where it can go on from.

    config.json      the settings              metrics.jsonl    a line an epoch
    samples.txt      the verses                curve.png        perplexity over the epochs
    checkpoint.npz   to go on from             .lock            held while a process writes here
"""
from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import filelock

from . import checkpoint, runtime
from .checkpoint import Checkpoint
from .corpus import Corpus, load_corpus
from .files import write_whole
from .generation import generate
from .language_model import ModelConfig, build_model, redraw_weights
from .report import plot_perplexity
from .training import Diverged, EpochRecord, TrainConfig, Trainer, check_sizes

_FILES = ('config.json', 'metrics.jsonl', 'samples.txt', 'curve.png', 'checkpoint.npz')
FORMAT = 'gluon_rnn run 1'
_BOOK_PREFIXES = (['分开', '不分开'], ['traveller', 'time traveller'])


class RunFolder:
    """A folder that one training writes to; use it as a context manager, it locks the folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: List[EpochRecord] = []
        self.samples: List[Tuple[int, str]] = []        # epoch, what was printed
        self._lock = filelock.FileLock(folder / '.lock')

    def __enter__(self) -> RunFolder:
        """Raises ValueError where another process writes here or files are not a run's, OSError where no folder can be made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        foreign = [path.name for path in self.folder.iterdir() if path.name not in _FILES and not path.name.startswith('.')]
        if foreign:
            raise ValueError(f'{self.folder} holds files that are not a run ({foreign[0]}): choose another --out')
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise ValueError(f'another run is writing in {self.folder}: wait for it, or choose another --out') from None
        return self

    def __exit__(self, *exc: Any) -> None:
        self._lock.release()
        if not self.holds_run():        # nothing came of it: leave nothing behind
            (self.folder / '.lock').unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def begin(self, config: Dict[str, Any], *, overwrite: bool = False) -> None:
        """Start a new run. Raises ValueError where the folder holds a run, unless told to overwrite it."""
        if self.holds_run() and not overwrite:
            raise ValueError(f'{self.folder} holds a run already: go on with it by --resume, choose another --out, or replace it '
                             f'by --overwrite')
        # the checkpoint first and config.json never: killed on the way, it can be gone on with, from the beginning
        (self.folder / 'checkpoint.npz').unlink(missing_ok=True)
        self.write_config(config)
        for name in _FILES[1:]:
            (self.folder / name).unlink(missing_ok=True)

    def write_config(self, config: Dict[str, Any]) -> None:
        write_whole(self.folder / 'config.json', json.dumps({'format': FORMAT, **config}, ensure_ascii=False, indent=2) + '\n')

    def holds_run(self) -> bool:
        return any((self.folder / name).exists() for name in _FILES)

    def resume(self) -> Checkpoint | None:
        """Read what is here up to the last checkpoint, and forget what came after it. None where there is no checkpoint yet."""
        path = self.folder / 'checkpoint.npz'
        last = checkpoint.read(path) if path.exists() else None
        epoch = last.epoch if last else 0
        self.records = [record for record in read_metrics(self.folder) if record.epoch <= epoch]
        if len(self.records) != epoch:
            raise ValueError(f'{self.folder / "metrics.jsonl"} has {len(self.records)} of the {epoch} epochs before the '
                             f'checkpoint: it was changed or damaged, start a new run')
        self.samples = [sample for sample in self.read_samples() if sample[0] <= epoch]
        return last

    def read_samples(self) -> List[Tuple[int, str]]:
        """What was printed: the epoch and the text of each printing."""
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
        """Keep an epoch's record."""
        self.records.append(record)
        lines = [json.dumps({k: v for k, v in dataclasses.asdict(r).items() if v is not None}) + '\n' for r in self.records]
        write_whole(self.folder / 'metrics.jsonl', ''.join(lines))

    def add_sample(self, epoch: int, text: str) -> None:
        """Keep what was printed at an epoch, and bring the curve up to date."""
        self.samples.append((epoch, text + '\n'))
        write_whole(self.folder / 'samples.txt', ''.join(text for _, text in self.samples))
        self.draw()

    def save(self, state: Checkpoint) -> None:
        checkpoint.save(self.folder / 'checkpoint.npz', state)

    def draw(self) -> None:
        plot_perplexity(self.folder / 'curve.png', {'train': self.records})


class Run:
    """One training of a language model, from its settings to its folder.

    settings: the fields of `ModelConfig` and `TrainConfig` by name, and corpus, max_chars, valid_fraction (the text), ctx,
    sigma (the new weights' standard deviation, None: the book's), period (epochs from one printing to the next), prefix (a list,
    None: the book's), length (characters to add to each), checkpoint_period (epochs from one checkpoint to the next).
    resume: go on with what the folder holds, which must be of the same settings. The folder must be locked (`with RunFolder`).
    Raises ValueError for settings that cannot train, a text that has changed, or a folder that holds something else.
    """

    def __init__(self, folder: RunFolder, settings: Dict[str, Any], *, resume: bool = False, overwrite: bool = False):
        self.folder, self.settings = folder, settings
        ctx = runtime.parse_ctx(settings['ctx'])
        train_config = pick(TrainConfig, settings)
        pick(ModelConfig, settings, vocab_size=1)       # what is wrong with it is said before a text is read
        corpus = load_corpus(settings['corpus'], max_chars=settings['max_chars'])
        self.idx_to_char = corpus.idx_to_char
        self.train_indices, valid = corpus.split(settings['valid_fraction'])
        self.valid_indices = valid if settings['valid_fraction'] else None
        check_sizes(len(self.train_indices), train_config.batch_size, train_config.num_steps, train_config.sampling)
        if self.valid_indices is not None and len(valid) <= train_config.num_steps:
            raise ValueError(f'the held-out text has {len(valid)} characters, it needs at least '
                             f'{train_config.num_steps + 1}: raise --valid-fraction')
        settings['prefix'] = prefixes(settings['prefix'], corpus)
        digest = hashlib.sha256(corpus.indices.tobytes() + ''.join(corpus.idx_to_char).encode()).hexdigest()
        if settings.setdefault('corpus_sha256', digest) != digest:
            raise ValueError(f'the text {settings["corpus"]} has changed since the run started: restore it, or start a new run')
        model_config = pick(ModelConfig, settings, vocab_size=corpus.vocab_size)
        runtime.seed(settings['seed'])
        self.trainer = Trainer(build_model(model_config, ctx), train_config)
        if settings.get('sigma') is not None:
            redraw_weights(self.trainer.model, settings['sigma'])
        self.saved_epoch = 0
        self.resumed = resume and folder.holds_run()
        if self.resumed:
            self._resume(model_config)
        else:
            folder.begin(settings, overwrite=overwrite)
        self.last = Checkpoint.take(self.trainer, self.idx_to_char)

    def _resume(self, model_config: ModelConfig) -> None:
        saved = self.folder.resume()
        if saved:
            if saved.config != model_config or saved.idx_to_char != self.idx_to_char:
                raise ValueError(f'the checkpoint in {self.folder.folder} is of another model than its config.json: '
                                 f'start a new run')
            saved.resume(self.trainer)
            self.saved_epoch = saved.epoch
        self.folder.write_config(self.settings)     # what was changed holds for the next time, too

    def go(self, *, on_epoch: Callable[[EpochRecord], None] | None = None, on_print: Callable[[str], None] | None = None,
           on_step: Callable[[int, int], None] | None = None) -> None:
        """Train to the last epoch, handing on each epoch's record, and at each printing what the book would print.

        What stops it on the way, whatever it is, finds the last whole epoch saved. on_step: as in `Trainer.epochs`.
        """
        period, num_epochs = self.settings['period'], self.settings['num_epochs']
        try:
            for record in self.trainer.epochs(self.train_indices, self.valid_indices, on_step=on_step):
                done = Checkpoint.take(self.trainer, self.idx_to_char)
                self.folder.add(record)
                text = self._printing(record) if record.epoch % period == 0 or record.epoch == num_epochs else ''
                if text:
                    self.folder.add_sample(record.epoch, text)
                self.last = done        # only now: a checkpoint without its epoch's metrics and verses could not be gone on with
                if record.epoch % self.settings['checkpoint_period'] == 0 or record.epoch == num_epochs:
                    self._save()
                if on_epoch:
                    on_epoch(record)
                if text and on_print:
                    on_print(text)
        except Diverged as error:
            self._save()
            kept = f'; the model after epoch {self.saved_epoch} is saved in {self.folder.folder}' if self.saved_epoch else ''
            raise Diverged(f'{error}{kept}') from None
        except BaseException:
            self._save()
            raise

    def _printing(self, record: EpochRecord) -> str:
        valid = '' if record.valid_perplexity is None else f', held-out perplexity {record.valid_perplexity:f}'
        lines = [f'epoch {record.epoch}, perplexity {record.perplexity:f}, time {record.seconds:.2f} sec{valid}']
        lines += [f' - {generate(self.trainer.model, self.idx_to_char, prefix, self.settings["length"])}'
                  for prefix in self.settings['prefix']]
        return '\n'.join(lines)

    def _save(self) -> None:
        if self.last.epoch > self.saved_epoch:
            self.folder.save(self.last)
            self.saved_epoch = self.last.epoch


def pick(config: Any, settings: Dict[str, Any], **more: Any) -> Any:
    """The config that the settings hold."""
    names = {field.name for field in dataclasses.fields(config)}
    return config(**{name: value for name, value in settings.items() if name in names}, **more)


def prefixes(given: List[str] | None, corpus: Corpus) -> List[str]:
    """The prefixes asked for, or the book's, or the text's own first characters. Raises ValueError for unknown characters."""
    if given is None:
        known = [book for book in _BOOK_PREFIXES if set(''.join(book)) <= corpus.char_to_idx.keys()]
        return known[0] if known else [corpus.decode(corpus.indices[:5])]
    for prefix in given:
        if not prefix:
            raise ValueError('--prefix is empty: give at least one character')
        corpus.encode(prefix)
    return given


def read_config(folder: Path) -> Dict[str, Any]:
    """The settings of a run. Raises ValueError where there is none, or it is damaged."""
    path = folder / 'config.json'
    if not path.exists():
        raise ValueError(f'{folder} holds no run to go on with: leave out --resume to start one')
    try:
        config = json.loads(path.read_text(encoding='utf-8'))
        if config.pop('format') != FORMAT:
            raise ValueError('it is of another format')
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'{path} is damaged ({error}): start a new run') from None
    return config


def read_metrics(folder: Path) -> List[EpochRecord]:
    """The records of a run's epochs, in order. Raises ValueError where the file is damaged."""
    path = folder / 'metrics.jsonl'
    if not path.exists():
        return []
    try:
        records = [EpochRecord(**json.loads(line)) for line in path.read_text(encoding='utf-8').splitlines()]
        if [record.epoch for record in records] != list(range(1, len(records) + 1)):
            raise ValueError('epochs are missing')
        if not all(isinstance(value, (int, float)) for r in records for value in dataclasses.astuple(r) if value is not None):
            raise ValueError('a number is none')
    except (ValueError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({str(error)[:100]}): start a new run') from None
    return records


def find_checkpoint(run: Path) -> Path:
    """The checkpoint of a run's folder, or the checkpoint file that was given itself."""
    path = run / 'checkpoint.npz' if run.is_dir() else run
    if not path.exists():
        raise ValueError(f'{run} is neither a run with a checkpoint nor a checkpoint: train one by '
                         f'scripts/train.py --out {run}')
    return path
