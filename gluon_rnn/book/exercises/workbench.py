"""The workbench of the exercises: a text, and trainings on it by named settings."""
from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Iterator, List, Tuple

import mxnet as mx
import numpy as np

from ... import runtime
from ...corpora.corpus import Corpus, load_corpus
from ...corpora.sampling import Batch
from ...models.generation import generate
from ...models.language_model import LanguageModel, ModelConfig, build_model, redraw_weights
from ...runs.run import choose_impl, prefixes
from ...runs.settings import RunSettings, pick
from ...training.config import EpochRecord, TrainConfig
from ...training.loss import Diverged
from ...training.source import Source
from ...training.trainer import Trainer
from ..sections import COMMON, corpus_here

# Upper limits of a training on a quick workbench.
QUICK: Dict[str, Any] = {'num_epochs': 2, 'num_hiddens': 8, 'backward_hiddens': 8, 'num_steps': 4, 'batch_size': 4, 'pred_len': 8}
QUICK_CHARS = 200


@dataclass
class Training:
    """One training and its results.

    records: one for each whole epoch; verses: (epoch, one text for each prefix); diverged: what stopped it before its end, or ''.
    """
    label: str
    model: Any
    records: List[EpochRecord] = field(default_factory=list)
    verses: List[Tuple[int, List[str]]] = field(default_factory=list)
    diverged: str = ''

    @property
    def perplexity(self) -> float:
        """Perplexity of the last epoch, infinite where the training broke off."""
        return self.records[-1].perplexity if self.records and not self.diverged else math.inf

    @property
    def best_held_out(self) -> Tuple[float, int]:
        """The lowest perplexity on the held-out text, and its epoch; (infinite, 0) where there is none."""
        return min(((record.valid_perplexity, record.epoch) for record in self.records if record.valid_perplexity is not None),
                   default=(math.inf, 0))

    @property
    def seconds_an_epoch(self) -> float:
        """The median, without the first epoch, which compiles, where there are others."""
        return statistics.median(record.seconds for record in self.records[1:] or self.records) if self.records else math.nan

    @property
    def row(self) -> Dict[str, Any]:
        """The columns that the tables of trainings share."""
        return {'training': self.label, 'whole epochs': len(self.records), 'perplexity': self.perplexity,
                'seconds an epoch': self.seconds_an_epoch,
                'norm of the gradient': self.records[-1].grad_norm if self.records else math.inf,
                'broke off': self.diverged.partition(':')[0] or None}


@dataclass(frozen=True)
class Drawn:
    """Batches that are drawn anew each epoch, for `Workbench.train`. draw: makes those of an epoch; number: how many they are."""
    draw: Callable[[np.random.Generator], Iterator[Batch]]
    number: int
    seed: int

    def __len__(self) -> int:
        return self.number

    def batches(self, epoch: int) -> Iterator[Batch]:
        return self.draw(np.random.default_rng([self.seed, epoch]))


class Workbench:
    """The text of the exercises, and a way to train on it.

    corpus: a name of `corpus.CORPORA` or a file. Where the book's cannot be had, the embedded lyrics take its place, and
    `fallback` then says why; any other must be there, or ValueError or OSError is raised. quick: everything is as small as still
    runs, for a look at what an exercise does and for tests; its figures answer nothing. on_progress: told in a line what is being
    done; on_step: called between the steps of every training.
    """

    def __init__(self, corpus: str = COMMON.corpus, *, quick: bool = False, seed: int = 0,
                 on_progress: Callable[[str], None] | None = None, on_step: Callable[..., None] | None = None):
        self.wanted, self.quick, self.seed, self.ctx = corpus, quick, seed, mx.cpu()
        if corpus == COMMON.corpus:
            self.corpus_name, self.fallback = corpus_here(corpus)
        else:
            load_corpus(corpus)
            self.corpus_name, self.fallback = corpus, ''
        self.read: List[Tuple[int, int]] | None = None      # of the texts since `begin`: characters, different ones
        self.tell, self.on_step = on_progress or (lambda text: None), on_step

    def size(self, full: Any, quick: Any) -> Any:
        """`full`, or `quick` on a quick workbench."""
        return quick if self.quick else full

    def corpus(self, max_chars: int | None = None) -> Corpus:
        """The text, cut as the book cuts it unless said; max_chars 0: all of it."""
        corpus = load_corpus(self.corpus_name, max_chars=max_chars)
        corpus = Corpus.from_text(corpus.decode(corpus.indices[:QUICK_CHARS])) if self.quick else corpus
        sizes = len(corpus), corpus.vocab_size
        if self.read is not None and sizes not in self.read:
            self.read.append(sizes)
        return corpus

    def begin(self) -> None:
        """An exercise begins: `note` tells from here on which texts it has read."""
        self.read = []

    def settings(self, **changes: Any) -> RunSettings:
        """The settings of a training: the book's with changes, in the fastest implementation of the network unless they
        name one; on a quick workbench cut down to `QUICK`."""
        settings = replace(COMMON, **{'impl': None, 'seed': self.seed, 'corpus': self.corpus_name, **changes})
        if self.quick:
            settings = replace(settings, **{name: most for name, most in QUICK.items() if (getattr(settings, name) or 0) > most})
        impl = choose_impl(replace(settings, ctx='cpu'))
        return replace(settings, pred_period=min(settings.pred_period, settings.num_epochs), impl=impl)

    def model(self, vocab_size: int, **changes: Any) -> LanguageModel:
        """A new model with the workbench's seed, settings as in `train`."""
        settings = self.settings(**changes)
        runtime.seed(settings.seed)
        model = build_model(pick(ModelConfig, settings, vocab_size=vocab_size), self.ctx)
        if settings.sigma is not None:
            redraw_weights(model, settings.sigma)
        return model

    def train(self, label: str, *, corpus: Corpus | None = None, model: Any = None, source: Source | None = None,
              score: Callable[[Any], Dict[str, Any]] | None = None, own_optimizer: Any = None, verses: bool = False,
              keep_best: bool = False, **changes: Any) -> Training:
        """Train one model to its last epoch, or to where its loss turns NaN or infinite: that is a result, too.

        corpus: None: the workbench's; model: what to train, None: a new one of `changes`; source: batches to train on in place
        of the corpus's own, see `Trainer.epochs_on`; score: model -> figures for the record of each epoch; own_optimizer: None:
        that of the settings; verses: whether to write some every `pred_period` epochs and at the end; keep_best: whether to
        end with the weights that did best on held-out text; changes: what differs from the book's settings, by name.
        Raises ValueError for settings that cannot train.
        """
        corpus, settings = corpus or self.corpus(), self.settings(**changes)
        training = Training(label, model or self.model(corpus.vocab_size, **changes))
        trainer = Trainer(training.model, pick(TrainConfig, settings), optimizer=own_optimizer)
        indices, valid = corpus.split(settings.valid_fraction)
        records = (trainer.epochs_on(source, on_step=self.on_step) if source else
                   trainer.epochs(indices, valid if settings.valid_fraction else None, on_step=self.on_step))
        starts, best = prefixes(settings.prefixes, corpus), {}
        try:
            for record in records:
                record = replace(record, **score(training.model)) if score else record
                training.records.append(record)
                self.tell(f'{label}: epoch {record.epoch} of {settings.num_epochs}, perplexity {record.perplexity:.4g}')
                if verses and (record.epoch % settings.pred_period == 0 or record.epoch == settings.num_epochs):
                    texts = [generate(training.model, corpus.idx_to_char, start, settings.pred_len) for start in starts]
                    training.verses.append((record.epoch, texts))
                if keep_best and training.best_held_out[1] == record.epoch:
                    best = training.model.book_params()
        except (Diverged, OverflowError) as error:      # a finite loss may have an exponential that is none
            training.diverged = str(error)
        if best:
            training.model.load_book_params(best)
        return training

    def note(self) -> Tuple[str, str]:
        """One line on the text read since `begin`, and how much of it."""
        en, zh = ('no text', '不用文本') if self.read == [] else (f'text {self.corpus_name}', f'文本 {self.corpus_name}')
        for chars, different in self.read or ():
            en += f', {chars:,} characters, {different:,} different'
            zh += f'，{chars:,} 个字符，其中不同的 {different:,} 个'
        en, zh = f'{en}; seed {self.seed}', f'{zh}；随机种子 {self.seed}'
        if self.fallback and self.read != []:
            en += f'. {self.wanted} is not here, {self.corpus_name} takes its place'
            zh += f'。找不到 {self.wanted}，以 {self.corpus_name} 代替'
        if self.quick:
            en += '. Shortened: this shows what the exercise does, its figures answer nothing'
            zh += '。缩短运行：只演示过程，数字不能作为答案'
        return en, zh
