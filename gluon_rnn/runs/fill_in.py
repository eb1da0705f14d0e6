"""A training of a network that fills gaps in a text, from its settings to its folder."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from .. import runtime
from ..corpora.corpus import load_corpus
from ..models.fill_in import FillIn, MaskedText, Score, evaluate_gaps, held_out_batches
from ..models.language_model import ModelConfig
from ..training.config import EpochRecord, TrainConfig
from ..training.trainer import Trainer
from .folder import RunFolder
from .run import fingerprint
from .settings import Settings, check_lr, flag, pick
from .task import TaskJob, choose_network


@dataclass(frozen=True)
class FillInSettings(Settings):
    """All settings of the training of a fill-in network."""
    corpus: str = flag('text', 'lyrics', '{corpora}, or a UTF-8 text file or a zip of one')
    max_chars: Optional[int] = flag('text', None, 'characters to keep from the start, 0: all', unless="10000 of the book's two "
                                    'texts, all of any other')
    mask_rate: float = flag('text', 0.2, 'part of the characters that is masked')
    cell: str = flag('network', 'gru', 'the recurrent network')
    impl: Optional[str] = flag('network', None, 'how it is implemented',
                               unless='numba on a CPU; on a GPU gluon where it has the equations, else hybrid')
    num_hiddens: int = flag('network', 128, 'hidden units in each direction')
    num_layers: int = flag('network', 1, 'layers')
    dropout: float = flag('network', 0, 'between layers')
    bidirectional: bool = True                  # False: of the network that it is compared with
    sampling: str = flag('training', 'random', 'mini-batches, section 6.3')
    num_steps: int = flag('training', 35, 'characters in an example')
    batch_size: int = flag('training', 16, 'examples in a batch')
    num_epochs: int = flag('training', 12, 'epochs; the best on the validation text is kept in best.npz', may_change=True)
    lr: float = flag('training', 0.01, 'learning rate', may_change=True)
    optimizer: str = flag('training', 'adam', 'the name of any MXNet optimizer, or adamw')
    clipping_theta: float = flag('training', 1, 'largest global norm of the gradients, 0: no clipping', may_change=True)
    ctx: str = flag('training', 'auto', "where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'", may_change=True)
    seed: int = flag('training', 0, 'one seed gives one result, but for times')
    compare: Optional[bool] = flag('training', None, 'with a one-directional network and with counting', unless='compare',
                                   may_change=True)
    corpus_sha256: Optional[str] = None         # of the text that the run has started with

    def __post_init__(self) -> None:
        check_lr(self, 0.01)


class FillInFolder(RunFolder):
    """The folder of a fill-in run; table.json: the comparison; one-directional: the run of the network compared with it."""
    settings = FillInSettings
    format = 'gluon_rnn fill-in run 1'
    files = ('config.json', 'metrics.jsonl', 'curve.png', 'checkpoint.npz', 'best.npz', 'table.json')
    parts = ('one-directional',)


class GapTexts:
    """A text cut in 80 % to learn from, 10 % to choose the epoch on and 10 % to test on, the last two with fixed gaps.

    Raises ValueError for a text that has changed since the run started.
    """

    def __init__(self, settings: FillInSettings):
        self.ctx = runtime.parse_ctx(settings.ctx)
        self.corpus = corpus = load_corpus(settings.corpus, max_chars=settings.max_chars)
        self.digest = fingerprint(corpus)
        if settings.corpus_sha256 not in (None, self.digest):
            raise ValueError(f'the text {settings.corpus} has changed since the run started: restore it, or start a new run')
        first, second = round(len(corpus) * 0.8), round(len(corpus) * 0.9)
        self.train = corpus.indices[:first]
        self.valid, self.test = (held_out_batches(part, corpus.vocab_size, settings.mask_rate, settings.num_steps)
                                 for part in (corpus.indices[first:second], corpus.indices[second:]))


class FillInJob(TaskJob):
    """One training of a fill-in network, from its settings, without a folder. ValueError for settings that cannot train."""

    def __init__(self, settings: FillInSettings, texts: GapTexts):
        self.texts, self.names, vocab_size = texts, texts.corpus.idx_to_char, texts.corpus.vocab_size
        self.config = choose_network(ModelConfig, settings, texts.ctx, vocab_size=vocab_size)
        train_config = pick(TrainConfig, settings)
        self.settings = replace(settings, impl=self.config.impl, corpus_sha256=texts.digest)
        self.source = MaskedText(texts.train, train_config, vocab_size, settings.mask_rate)
        runtime.seed(settings.seed)
        self.trainer = Trainer(FillIn.build(self.config, texts.ctx), train_config)

    def measure(self, record: EpochRecord) -> EpochRecord:
        """The record with perplexity and accuracy on the validation text."""
        score: Score = evaluate_gaps(self.trainer.model, self.texts.valid)
        self.trainer.held_out[record.epoch] = score.perplexity
        return replace(record, valid_perplexity=score.perplexity, accuracy=score.accuracy)
