"""The trainings of a reproduction: each variant of the book's sections with its settings and its folder."""
from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

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


def settings_of(section: Section, variant: Variant, changes: Mapping[str, Any], *, shortened: bool = False) -> RunSettings:
    """The settings of one training: the book's, those of `sections.quick` where shortened, and these changes of them."""
    settings = section.settings_of(variant)
    if shortened:
        settings = quick(settings)
    if 'num_epochs' in changes:
        settings = replace(settings, pred_period=min(settings.pred_period, max(1, changes['num_epochs'] // 4)))
    return replace(settings, **changes)


def tasks_of(sections: Sequence[Section], out: Path, changes: Mapping[str, Any], *,
             shortened: bool = False) -> Tuple[List[Task], Dict[str, str]]:
    """All trainings of the sections, and of each text that cannot be had, so that `FALLBACK` takes its place, the reason.

    changes: see `settings_of`; impl among them is of the networks by hand, without it as a run began, else the fastest here.
    """
    tasks, missing = [], {}
    for section in sections:
        for variant in section.variants:
            folder, settings = out / section.name / variant.name, settings_of(section, variant, changes, shortened=shortened)
            if 'corpus' not in changes:
                corpus, reason = corpus_here(settings.corpus)
                if reason:
                    missing[settings.corpus] = reason
                settings = replace(settings, corpus=corpus)
            impl = section.settings_of(variant).impl
            if impl != 'gluon':
                impl = changes.get('impl') or impl_by_hand(settings, folder)
            tasks.append(Task(section, variant, replace(settings, impl=impl), folder))
    return tasks, missing


def how_it_stands(epoch: int, num_epochs: int, error: str) -> Text:
    """A line on a training that has not come to its end."""
    if error:
        return f'failed, {epoch} of {num_epochs} epochs saved: {error}', f'失败，已存 {epoch} / {num_epochs} 个周期：{error}'
    if epoch:
        return f'stopped, {epoch} of {num_epochs} epochs saved', f'中断，已存 {epoch} / {num_epochs} 个周期'
    return 'not trained yet', '尚未训练'
