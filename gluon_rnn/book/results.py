"""Results of a reproduction: the published figures beside ours, read from the files that the runs have left.

    DIR/6.4/random/           a run's folder (`runs/folder.py`)
    DIR/6.9/layers-6/layers.json    gradient norms by layer (`write_layers`)
"""
from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from .. import runtime
from ..corpora.corpus import load_corpus, unigram_perplexity
from ..corpora.sampling import consecutive_batches
from ..models.language_model import build_model, redraw_weights
from ..plots import COLOURS
from ..runs import checkpoint
from ..runs.checksum import verified, with_checksum
from ..runs.files import write_whole
from ..runs.folder import RunFolder, read_config, read_metrics
from ..runs.settings import RunSettings
from ..training.config import EpochRecord
from . import diagnostics
from .sections import SECTIONS, SOURCES, Published, Section, Text, Variant

# The settings that make a run another than the book's, and how to say so.
_SHORTENED: Dict[str, Text] = {
    'num_epochs': ('{ours} of {book} epochs', '只训练 {ours} 个迭代周期（原为 {book}）'),
    'num_hiddens': ('{ours} in place of {book} hidden units', '{ours} 个隐藏单元（原为 {book}）'),
    'corpus': ('the text {ours} in place of {book}', '文本为 {ours}（原为 {book}）'),
}
# Below this part of the unigram perplexity, a network has learned more than how often characters occur.
_WELL_BELOW = 0.9
_SAME: Text = (', the numbers of scratch', '，数值同 scratch')


@dataclass(frozen=True)
class Comparison:
    """One published figure beside ours. theirs: as printed; ours: None where the run has not come so far."""
    source: Text
    epoch: int
    theirs: str
    ours: float | None
    reason: Text        # why ours may be higher

    @property
    def ours_printed(self) -> str:
        """Ours with as many decimals as theirs, or with two where theirs has fewer."""
        return '' if self.ours is None else f'{self.ours:.{max(2, self._decimals)}f}'

    @property
    def _decimals(self) -> int:
        return max(0, -int(Decimal(self.theirs).as_tuple().exponent))

    @property
    def difference(self) -> str:
        """Ours less theirs, in percent of theirs."""
        return '' if self.ours is None else f'{(self.ours / float(self.theirs) - 1) * 100:+.1f} %'

    @property
    def reached(self) -> bool:
        """Whether ours is at or below theirs, read with as many decimals as they printed."""
        return self.ours is not None and round(self.ours, self._decimals) <= float(self.theirs)


@dataclass(frozen=True)
class Result:
    """The contents of a variant's run folder."""
    section: Section
    variant: Variant
    settings: RunSettings
    records: Sequence[EpochRecord]
    samples: Sequence[Tuple[int, str]]
    layers: Dict[str, List[float]]      # 'untrained', 'trained' -> gradient norm of each layer, lowest first
    colour: str
    single: float | None = None     # unigram perplexity of the text; None: not asked for, or no text here

    @property
    def name(self) -> str:
        return f'{self.section.name}/{self.variant.name}'

    @property
    def last(self) -> EpochRecord:
        return self.records[-1]

    @property
    def seconds(self) -> float:
        return sum(record.seconds for record in self.records)

    @property
    def seconds_an_epoch(self) -> float:
        return statistics.median(record.seconds for record in self.records)

    @property
    def complete(self) -> bool:
        return self.last.epoch >= self.settings.num_epochs

    @property
    def changed(self) -> Dict[str, Text]:
        """Differences from the book's run, by setting, in words; and the implementation."""
        book, texts = self.section.settings_of(self.variant), {}
        for name, (en, zh) in _SHORTENED.items():
            ours, theirs = getattr(self.settings, name), getattr(book, name)
            values = {'ours': {'num_epochs': self.last.epoch, 'corpus': Path(str(ours)).name}.get(name, ours), 'book': theirs}
            if values['ours'] != theirs:
                texts[name] = (en.format(**values), zh.format(**values))
        impl, same = str(self.settings.impl), self.settings.impl in ('hybrid', 'numba')
        texts['impl'] = impl + _SAME[0] * same, impl + _SAME[1] * same
        return texts

    @property
    def shortened(self) -> bool:
        """Whether the run is another than the book's, so that to be at or below a published figure says nothing."""
        return bool(self.changed.keys() & _SHORTENED.keys())

    @property
    def remark(self) -> Text:
        """A remark on this run: on the variant in general, and whether it has learned where that is a question."""
        if self.single is None:
            return self.variant.remark
        text = self.variant.learned if self.last.perplexity < _WELL_BELOW * self.single else self.variant.not_learned
        values = {'single': self.single, 'perplexity': self.last.perplexity, 'epochs': self.last.epoch}
        remarks = [remark for remark in (self.variant.remark, (text[0].format(**values), text[1].format(**values))) if remark[0]]
        return '; '.join(en for en, _ in remarks), '；'.join(zh for _, zh in remarks)

    @property
    def by_source(self) -> List[List[Comparison]]:
        """Every published figure beside ours, those of one source together."""
        return [[self._compare(published, epoch) for epoch in published.figures] for published in self.variant.published]

    @property
    def main(self) -> Comparison | None:
        """The first source's last figure that this run has come to, or its first one where the run has come to none."""
        if not self.variant.published:
            return None
        of_first = self.by_source[0]
        return ([c for c in of_first if c.ours is not None] or of_first[:1])[-1]

    def _compare(self, published: Published, epoch: int) -> Comparison:
        ours = self.records[epoch - 1].perplexity if epoch <= self.last.epoch else None
        unlike = [text for name, text in self.changed.items() if name in ('num_hiddens', 'corpus')]
        reason = unlike[0] if unlike else published.differs if ours is None else published.reason(epoch, ours)
        return Comparison(SOURCES[published.source], epoch, published.figures[epoch], ours, reason)


def why_higher(comparisons: Sequence[Comparison]) -> List[Text]:
    """The reasons why ours are higher than one source's figures, each with its epochs; none where they are not."""
    epochs: Dict[Text, List[str]] = {}
    for compared in comparisons:
        if compared.ours is not None and not compared.reached:
            epochs.setdefault(compared.reason, []).append(str(compared.epoch))
    return [(f'higher at epoch {", ".join(at)}: {reason[0]}', f'第 {"、".join(at)} 个周期较高：{reason[1]}')
            for reason, at in epochs.items()]


def read_results(folder: Path) -> List[Result]:
    """The results of all runs in the folder of a reproduction, in the book's order. Raises ValueError for damaged files."""
    results = []
    for section in SECTIONS.values():
        for variant, colour in zip(section.variants, COLOURS):
            run = folder / section.name / variant.name
            records = read_metrics(run)
            if records:
                path = run / 'checkpoint.npz'
                epochs = checkpoint.read_epoch(path) if path.exists() else 0
                if len(records) < epochs:       # whole lines only, and yet not all of them
                    raise ValueError(f'{run / "metrics.jsonl"} has {len(records)} of the {epochs} epochs before the checkpoint: '
                                     f'it was changed or damaged')
                records = records[:epochs] if path.exists() else records        # what is not saved is trained again
                settings = read_config(run)
                single = _single(settings) if variant.learned[0] or variant.not_learned[0] else None
                results.append(Result(section, variant, settings, records, RunFolder(run).read_samples(),
                                      read_layers(run / 'layers.json'), colour, single))
    return results


def _single(settings: RunSettings) -> float | None:
    """Unigram perplexity of a run's text; None where the text is no longer to be had."""
    try:
        corpus = load_corpus(settings.corpus, max_chars=settings.max_chars)
    except (ValueError, OSError):
        return None
    return unigram_perplexity(corpus.split(settings.valid_fraction)[0])


def read_layers(path: Path) -> Dict[str, List[float]]:
    """Read what `write_layers` has kept; nothing where it has kept nothing. Raises ValueError where the file is damaged."""
    try:
        return verified(path.read_bytes()) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f'{path} is damaged ({error}): delete it, and the next reproduction measures it again') from None


def summary(results: Sequence[Result]) -> str:
    """A line for each of the results: its last published figure beside ours, the difference, why ours is higher where it is."""
    lines = []
    for result in results:
        compared, words = result.main, result.remark[0]
        if compared is None:
            lines.append(f'{result.name:24} epoch {result.last.epoch:3}: {result.last.perplexity:.3f}'
                         + f'; {words}' * bool(words))
        elif compared.ours is None:
            lines.append(f'{result.name:24} epoch {result.last.epoch:3}: {result.last.perplexity:.3f}; published for epoch '
                         f'{compared.epoch} and later only')
        else:
            outcome = compared.reason[0] if not compared.reached else 'at or below' + ', but shortened' * result.shortened
            lines.append(f'{result.name:24} epoch {compared.epoch:3}: {compared.ours_printed}, published {compared.theirs} '
                         f'({compared.difference}): {outcome}' + f'; {words}' * bool(words))
    return '\n'.join(lines)


def write_layers(run: Path) -> None:
    """Measure the gradient norm of each layer of a run, at its beginning and at its end, and keep them in layers.json.

    Both are of the first batch of its text from zero states. What is there already stays; a newer checkpoint deletes it.
    """
    path, settings = run / 'layers.json', read_config(run)
    if path.exists():
        return
    saved = checkpoint.read(run / 'checkpoint.npz')
    corpus = load_corpus(settings.corpus, max_chars=settings.max_chars)
    X, Y = next(consecutive_batches(corpus.indices, settings.batch_size, settings.num_steps))
    runtime.seed(settings.seed)
    new = build_model(saved.config)
    if settings.sigma is not None:
        redraw_weights(new, settings.sigma)
    norms = {name: diagnostics.grad_norms_by_layer(model, X, Y)
             for name, model in (('untrained', new), ('trained', saved.model()))}
    write_whole(path, json.dumps(with_checksum(norms)) + '\n')
