"""A training from its settings to its folder: it starts or goes on, trains, prints, and is saved whatever stops it."""
from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from .. import runtime
from ..cells.default import default_impl, runnable
from ..corpora.corpus import Corpus, load_corpus
from ..corpora.sampling import check_sizes
from ..models.generation import generate
from ..models.language_model import ModelConfig, build_model, redraw_weights
from ..training.config import EpochRecord, TrainConfig
from ..training.early_stopping import check_held_out
from ..training.kvstore import Store
from ..training.trainer import Trainer
from . import checkpoint
from .checkpoint import Checkpoint
from .fine_tune import carry_over, check_network
from .folder import RunFolder, read_config
from .kept import KeptRun
from .settings import RunSettings, pick
from .tensorboard import EventFile

_BLOCK = 1 << 20
_BOOK_PREFIXES = (['分开', '不分开'], ['traveller', 'time traveller'])


class TrainingJob:
    """One training of a language model, from its settings, without a folder.

    store: adds up the gradients of several contexts and processes; None: 'device', where there are several contexts. init: a
    checkpoint to begin with, in place of settings.init_from.
    Raises ValueError for settings that cannot train, or a text that has changed.
    """

    def __init__(self, settings: RunSettings, *, store: Store | None = None, init: Checkpoint | None = None):
        self.store = store
        settings = replace(settings, impl=choose_impl(settings, store))
        contexts = runtime.parse_contexts(settings.ctx)
        if store is None and len(contexts) > 1:
            store = Store('device')
        train_config = pick(TrainConfig, settings)
        pick(ModelConfig, settings, vocab_size=1)       # what is wrong with it is said before a text is read
        if settings.init_from and not init:
            init = checkpoint.read(checkpoint.find_checkpoint(Path(settings.init_from)))
        corpus, self.train_indices, self.valid_indices = read_texts(settings, init.idx_to_char if init else ())
        self.corpus, self.idx_to_char, self.chars_per_token = corpus, corpus.idx_to_char, corpus.chars_per_token
        check_sizes(len(self.train_indices), train_config.batch_size, train_config.num_steps, train_config.sampling)
        check_held_out(self.valid_indices, train_config)
        digest = fingerprint(corpus, None if settings.valid_fraction else self.valid_indices)
        if settings.corpus_sha256 not in (None, digest):
            raise ValueError(f'the text {settings.corpus} has changed since the run started: restore it, or start a new run')
        self.settings = replace(settings, corpus_sha256=digest, prefixes=prefixes(settings.prefixes, corpus))
        self.model_config = pick(ModelConfig, settings, vocab_size=corpus.vocab_size)
        if init:
            check_network(init, self.model_config, settings.tokens)
        runtime.seed(settings.seed)
        first, *replicas = [build_model(self.model_config, ctx) for ctx in contexts]
        self.trainer = Trainer(first, train_config, replicas=replicas, store=store)
        if settings.sigma is not None:
            redraw_weights(self.trainer.model, settings.sigma)
        if init:
            carry_over(init, self.trainer.model)
        self.init = init

    def share_beginning(self) -> None:
        """Begin where the process of rank 0 begins: its weights, its optimizer's state, its epoch."""
        if self.store and self.store.num_workers > 1:
            own = bytes(checkpoint.to_bytes(Checkpoint.take(self.trainer, self.idx_to_char))) if self.store.rank == 0 else None
            checkpoint.from_bytes(io.BytesIO(self.store.broadcast(own)), 'what rank 0 sent').resume(self.trainer)

    def follow(self, *, stop: Callable[[], bool] | None = None) -> None:
        """Train to the last epoch beside a `Run` in the process of rank 0, writing nothing."""
        self.share_beginning()
        for _ in self.trainer.epochs(self.train_indices, self.valid_indices, stop=stop):
            pass


class Run(TrainingJob, KeptRun):
    """A training and its folder.

    resume: go on with what the folder holds, which must be of the same settings. The folder must be locked (`with RunFolder`).
    Raises ValueError as a `TrainingJob` does, and for a folder that holds something else.
    """

    def __init__(self, folder: RunFolder, settings: RunSettings, *, resume: bool = False, overwrite: bool = False,
                 store: Store | None = None):
        if resume and folder.holds_run():
            settings = going_on(settings, folder)
        self.resumed = resume and folder.holds_run()
        begun = folder.folder / 'checkpoint.npz'    # its vocabulary holds, whatever has become of the run it began with
        super().__init__(settings, store=store,
                         init=checkpoint.read(begun) if self.resumed and settings.init_from and begun.exists() else None)
        self.folder = folder
        self.begin(overwrite=overwrite)
        if self.init and not self.resumed:
            folder.save(self.state[0])
        self.events = EventFile(folder.folder, folder.records) if settings.tensorboard else None
        self.share_beginning()

    def go(self, *, on_epoch: Callable[[EpochRecord], None] | None = None, on_print: Callable[[str], None] | None = None,
           on_step: Callable[[int, int], None] | None = None, stop: Callable[[], bool] | None = None) -> None:
        """Train to the last epoch, handing on each epoch's record, and at each printing what the book would print.

        Whatever stops it, the last whole epoch is saved. on_step, stop: as in `Trainer.epochs`.
        """
        def write(record: EpochRecord) -> Tuple[EpochRecord, str]:
            if self.idx_to_char.rule != 'char':
                record = replace(record, chars_per_token=self.chars_per_token)
            self.folder.add(record)
            if self.events:
                self.events.add(record)
            text = self._printing(record) if record.epoch % self.settings.pred_period == 0 or self.trainer.done else ''
            if text:
                self.folder.add_sample(record.epoch, text)
            return record, text

        def tell(written: Tuple[EpochRecord, str]) -> None:
            record, text = written
            if on_epoch:
                on_epoch(record)
            if text and on_print:
                on_print(text)

        self.keep(self.trainer.epochs(self.train_indices, self.valid_indices, on_step=on_step, stop=stop), write, tell,
                  period=self.settings.checkpoint_period)

    def _printing(self, record: EpochRecord) -> str:
        valid = '' if record.valid_perplexity is None else f', held-out perplexity {self._told(record.valid_perplexity)}'
        lines = [f'epoch {record.epoch}, perplexity {self._told(record.perplexity)}, time {record.seconds:.2f} sec{valid}']
        verses = [generate(self.trainer.model, self.idx_to_char, prefix, self.settings.pred_len)
                  for prefix in self.settings.prefixes or ()]
        lines += [' - ' + verse.replace('\n', '\n   ') for verse in verses]
        return '\n'.join(lines)

    def _told(self, perplexity: float) -> str:
        """A perplexity, and where tokens are words that of a character, too."""
        each = '' if self.idx_to_char.rule == 'char' else f' ({perplexity ** (1 / self.chars_per_token):f} a character)'
        return f'{perplexity:f}{each}'


def fingerprint(corpus: Corpus, apart: np.ndarray | None = None) -> str:
    """A digest of a text, its vocabulary, and the held-out one where that is apart."""
    digest = hashlib.sha256()
    for indices in (corpus.indices, *([] if apart is None else [apart])):
        for at in range(0, len(indices), _BLOCK):
            digest.update(indices[at:at + _BLOCK].astype(np.int32).tobytes())
    digest.update(''.join(corpus.idx_to_char).encode())
    return digest.hexdigest()


def read_texts(settings: RunSettings, known: Sequence[str] = ()) -> Tuple[Corpus, np.ndarray, np.ndarray | None]:
    """The corpus, with the vocabulary of all its text and the held-out one; the indices to train on, and those held out.

    known: a vocabulary that comes first.
    """
    how: Dict[str, Any] = {'tokens': settings.tokens, 'min_count': settings.min_count, 'keep_lines': settings.keep_lines,
                           'encoding': settings.encoding}
    corpus = load_corpus(settings.corpus, max_chars=settings.max_chars, known=known, **how)
    if settings.valid_text is None:
        train, valid = corpus.split(settings.valid_fraction)
        return corpus, train, valid if settings.valid_fraction else None
    if settings.valid_fraction:
        raise ValueError('valid_text and valid_fraction exclude each other: leave out one')
    held_out = load_corpus(settings.valid_text, known=corpus.idx_to_char, **how)
    return replace(corpus, idx_to_char=held_out.idx_to_char), corpus.indices, held_out.indices


def choose_impl(settings: RunSettings, store: Store | None = None) -> str:
    """The implementation that the settings name, or where they name none, the one to take. ValueError as `TrainingJob`."""
    if settings.impl is not None:
        return settings.impl
    contexts = runtime.parse_contexts(settings.ctx)
    network = pick(ModelConfig, settings, vocab_size=1, impl='hybrid')
    return default_impl(network, contexts[0], alone=store is None and len(contexts) == 1)


def going_on(settings: RunSettings, folder: RunFolder) -> RunSettings:
    """The settings with the implementation in which the run in the folder can go on here: its own, or `hybrid` where the kernels
    have made it and do not run here. Raises ValueError as `TrainingJob`, and if its config.json is damaged."""
    network = pick(ModelConfig, settings, vocab_size=1, impl=settings.impl or read_config(folder.folder).impl)
    return replace(settings, impl=runnable(network, runtime.parse_contexts(settings.ctx)[0]).impl)


def impl_by_hand(settings: RunSettings, folder: Path) -> str:
    """How to run a network of the book by hand: as the run in the folder began, else fast, but with the book's parameters."""
    began = read_config(folder).impl if (folder / 'config.json').exists() else None
    impl = began or choose_impl(replace(settings, impl=None))
    return 'hybrid' if impl == 'gluon' else impl


def prefixes(given: List[str] | None, corpus: Corpus) -> List[str]:
    """The given prefixes, or the book's, or the text's own first characters. Raises ValueError for unknown characters."""
    if given is None:
        known = [book for book in _BOOK_PREFIXES if not any(map(corpus.idx_to_char.unknown, book))]
        return known[0] if known else [corpus.decode(corpus.indices[:5])]
    for prefix in given:
        if not prefix:
            raise ValueError('a prefix is empty: give at least one character')
        corpus.encode(prefix)
    return given
