"""An exercise's outcome as text for a terminal, as a page in Markdown, and as files in a folder."""
from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any, List, Mapping

from ...plots import save_figure
from ...runs.files import write_whole
from ..answers import shown as shown_figure
from .frame import Exercise, Lines, Outcome, Table, Text, Value, plain, strict

FILES = ('result.json', 'answer.md', 'picture.png')
NO_ANSWER: Text = ('None: this run was shortened, and its figures show only what is measured.',
                   '无：这是缩短的运行，数字只展示测量的内容。')


def shown(value: Value) -> str:
    """A value of a table to be read."""
    value = plain(value)
    return '-' if value is None else ('no', 'yes')[value] if isinstance(value, bool) else shown_figure(value)


def width(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in 'WF' else 0 if unicodedata.combining(char) else 1 for char in text)


def answer_of(exercise: Exercise, outcome: Outcome, quick: bool) -> Text:
    """The answer; none where the run was shortened."""
    return NO_ANSWER if quick else exercise.answer(outcome)


def text_of(exercise: Exercise, outcome: Outcome, *, quick: bool = False) -> str:
    """The evidence, then the answer, for a terminal."""
    lines: List[str] = []
    for part in outcome.evidence:
        lines += [_title(part.title), *(_columns(part) if isinstance(part, Table) else part.lines), '']
    en, zh = answer_of(exercise, outcome, quick)
    return '\n'.join([*lines, f'Answer to {exercise.number}: {en}', '', f'{exercise.number} 的回答：{zh}', ''])


def _title(title: Text) -> str:
    return f'{title[0]}  {title[1]}'


def _columns(table: Table) -> List[str]:
    rows = [list(table.header), *([shown(value) for value in row] for row in table.rows)]
    lines = []
    for row in rows:
        cells = []
        for k, cell in enumerate(row):
            space = ' ' * (max(width(other[k]) for other in rows) - width(cell))
            cells.append(cell + space if any(isinstance(values[k], str) for values in table.rows) else space + cell)
        lines.append('  ' + '  '.join(cells).rstrip())
    return lines


def markdown_of(exercise: Exercise, outcome: Outcome, *, note: Text, quick: bool = False) -> str:
    """The page answer.md: question, evidence, picture and answer, in both languages."""
    paragraphs = [f'# {exercise.number}', *exercise.question, *(f'*{text}*' for text in note)]
    for part in outcome.evidence:
        paragraphs += [f'**{_title(part.title)}**', '\n'.join(_markdown(part))]
    if outcome.picture:
        paragraphs.append('![](picture.png)')
    en, zh = answer_of(exercise, outcome, quick)
    return '\n\n'.join([*paragraphs, '## Answer', en, '## 回答', zh]) + '\n'


def _markdown(part: Table | Lines) -> List[str]:
    if isinstance(part, Lines):
        return ['```', *part.lines, '```']
    rows = [part.header, ['---'] * len(part.header), *([shown(value) for value in row] for row in part.rows)]
    return ['| ' + ' | '.join(cell.replace('|', '\\|') for cell in row) + ' |' for row in rows]


def write(folder: Path, exercise: Exercise, outcome: Outcome, *, note: Text, settings: Mapping[str, Any]) -> List[Path]:
    """Leave result.json, answer.md and, where there is one, picture.png. result.json comes last: with it, all is there.

    settings: what the result was made with, `quick` among it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    if outcome.picture:
        save_figure(outcome.picture(), folder / 'picture.png')
    write_whole(folder / 'answer.md', markdown_of(exercise, outcome, note=note, quick=settings['quick']))
    result = {'exercise': exercise.number, 'question': exercise.question, **settings, 'evidence': outcome.evidence,
              'figures': outcome.figures, 'answer': answer_of(exercise, outcome, settings['quick'])}
    write_whole(folder / 'result.json', json.dumps(strict(result), ensure_ascii=False, indent=1, allow_nan=False) + '\n')
    return [folder / name for name in FILES if (folder / name).exists()]
