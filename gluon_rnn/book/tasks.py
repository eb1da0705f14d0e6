"""The trainings of a reproduction: each variant of the book's sections with its settings and its folder."""
from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from ..runs import checkpoint
from ..runs.folder import read_config
from ..runs.run import impl_by_hand
from ..runs.settings import RunSettings
from .sections import Section, Text, Variant, corpus_here, quick

# Settings in which the run in a folder may differ from the one that is wanted, and still be the same run.
_INDIFFERENT = ('ctx', 'checkpoint_period', 'prefixes', 'corpus_sha256')


@dataclass(frozen=True)
class Task:
    """One training to be done: a variant of a section, with all its settings."""
    section: Section
    variant: Variant
    settings: RunSettings
    folder: Path

    @property
    def name(self) -> str:
        return f'{self.section.name}/{self.variant.name}'

    def epochs_done(self) -> int:
        """How many epochs its folder holds. Raises ValueError where it holds a run of other settings, or a damaged one."""
        if not (self.folder / 'config.json').exists():
            return 0
        saved = read_config(self.folder)
        for name, wanted in asdict(self.settings).items():
            if name not in _INDIFFERENT and getattr(saved, name) != wanted:
                raise ValueError(f'{self.folder} holds a run with {name} {getattr(saved, name)!r}, this one has {wanted!r}: '
                                 f'choose another folder')
        path = self.folder / 'checkpoint.npz'
        return checkpoint.read_epoch(path) if path.exists() else 0


@dataclass(frozen=True)
class Wanted:
    """Wishes for a reproduction; None: as the book has it.

    shortened: see `sections.quick`; impl: of the networks by hand, None: as a run began, else the fastest here.
    """
    seed: int = 0
    ctx: str = 'auto'
    shortened: bool = False
    impl: str | None = None
    corpus: str | None = None
    num_epochs: int | None = None
    num_hiddens: int | None = None

    def settings(self, section: Section, variant: Variant) -> RunSettings:
        """Settings of one training, but for its text where that cannot be had."""
        settings = replace(section.settings_of(variant), seed=self.seed, ctx=self.ctx)
        if self.shortened:
            settings = quick(settings)
        if self.num_epochs is not None:
            period = min(settings.pred_period, max(1, self.num_epochs // 4))
            settings = replace(settings, num_epochs=self.num_epochs, pred_period=period)
        # a run may be resumed from another folder
        corpus = str(Path(self.corpus).resolve()) if self.corpus and Path(self.corpus).exists() else self.corpus
        return replace(settings, num_hiddens=self.num_hiddens or settings.num_hiddens, corpus=corpus or settings.corpus)


def tasks_of(sections: Sequence[Section], out: Path, wanted: Wanted) -> Tuple[List[Task], Dict[str, str]]:
    """All trainings of the sections, and of each text that cannot be had, so that `FALLBACK` takes its place, the reason."""
    tasks, missing = [], {}
    for section in sections:
        for variant in section.variants:
            settings = wanted.settings(section, variant)
            if not wanted.corpus:
                corpus, reason = corpus_here(settings.corpus)
                if reason:
                    missing[settings.corpus] = reason
                settings = replace(settings, corpus=corpus)
            folder = out / section.name / variant.name
            if settings.impl != 'gluon':
                settings = replace(settings, impl=wanted.impl or impl_by_hand(settings, folder))
            tasks.append(Task(section, variant, settings, folder))
    return tasks, missing


def how_it_stands(epoch: int, num_epochs: int, error: str) -> Text:
    """A line on a training that has not come to its end."""
    if error:
        return f'failed, {epoch} of {num_epochs} epochs saved: {error}', f'失败，已存 {epoch} / {num_epochs} 个周期：{error}'
    if epoch:
        return f'stopped, {epoch} of {num_epochs} epochs saved', f'中断，已存 {epoch} / {num_epochs} 个周期'
    return 'not trained yet', '尚未训练'
