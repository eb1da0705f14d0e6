"""The outcome of an exercise: tables, figures for its written answer, a picture where one helps; its page and its files."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Union

from ...plots import save_figure
from ...runs.files import write_whole
from ...tables import Lines, Table, markdown_lines, plain
from .. import answers
from ..answers import Text

FILES = ('result.json', 'answer.md', 'picture.png')
NO_ANSWER: Text = ('None: this run was shortened, and its figures show only what is measured.',
                   '无：这是缩短的运行，数字只展示测量的内容。')


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    figures: for the places of the written answer, by name, words as a `Text`; conclusion: the one of its conclusions that the
    figures bear out; picture: a figure of matplotlib's.
    """
    evidence: Sequence[Union[Table, Lines]]
    figures: Mapping[str, Any]
    conclusion: str = ''
    picture: Any = None


def answer_text(number: str, outcome: Outcome, *, quick: bool = False) -> Text:
    """The written answer with the outcome's figures in it; none where the run was shortened.

    Raises ValueError where a figure is missing.
    """
    return NO_ANSWER if quick else answers.answer(number, outcome.figures, outcome.conclusion)


def markdown_of(number: str, outcome: Outcome, *, note: Text, quick: bool = False) -> str:
    """The page answer.md: question, evidence, picture and answer, in both languages."""
    paragraphs = [f'# {number}', *answers.question(number), *(f'*{text}*' for text in note)]
    for part in outcome.evidence:
        paragraphs += [f'**{"  ".join(part.title)}**', '\n'.join(markdown_lines(part))]
    if outcome.picture:
        paragraphs.append('![](picture.png)')
    en, zh = answer_text(number, outcome, quick=quick)
    return '\n\n'.join([*paragraphs, '## Answer', en, '## 回答', zh]) + '\n'


def write(folder: Path, number: str, outcome: Outcome, *, note: Text, settings: Mapping[str, Any]) -> List[Path]:
    """Leave result.json, answer.md and, where there is one, picture.png. result.json comes last: with it, all is there.

    settings: what the result was made with, `quick` among it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    if outcome.picture:
        save_figure(outcome.picture, folder / 'picture.png')
    write_whole(folder / 'answer.md', markdown_of(number, outcome, note=note, quick=settings['quick']))
    result = {'exercise': number, 'question': answers.question(number), **settings, 'evidence': outcome.evidence,
              'figures': outcome.figures, 'answer': answer_text(number, outcome, quick=settings['quick'])}
    write_whole(folder / 'result.json', json.dumps(strict(result), ensure_ascii=False, indent=1, allow_nan=False) + '\n')
    return [folder / name for name in FILES if (folder / name).exists()]


def strict(value: Any) -> Any:
    """A value with tables and lines in it as strict JSON takes it: NaN and infinities as text."""
    text = json.dumps(value, default=lambda part: vars(part) if isinstance(part, (Table, Lines)) else plain(part))
    return json.loads(text, parse_constant=lambda name: str(float(name)))
