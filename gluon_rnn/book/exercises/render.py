"""An exercise's outcome as text for a terminal, as a page in Markdown, and as files in a folder."""
from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any, Dict, List

from ...runs.files import write_whole
from .frame import Evidence, Exercise, Outcome, Table, Text, Value, plain

FILES = ('result.json', 'answer.md', 'picture.png')


def shown(value: Value) -> str:
    """A value to be read: four digits that count, thousands set off."""
    value = plain(value)
    if value is None:
        return '-'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, int):
        return f'{value:,}'
    if isinstance(value, float):
        if 1e3 <= abs(value) < 1e15:
            return f'{value:,.0f}'
        return f'{value:#.4g}'.rstrip('.') if value and 1e-3 <= abs(value) < 1e15 else f'{value:.3g}'
    return value


def width(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in 'WF' else 0 if unicodedata.combining(char) else 1 for char in text)


def text_of(exercise: Exercise, outcome: Outcome) -> str:
    """The evidence, then the answer, for a terminal."""
    lines: List[str] = []
    for part in outcome.evidence:
        lines += [_title(part.title), *(_columns(part) if isinstance(part, Table) else part.lines), '']
    en, zh = outcome.answer
    return '\n'.join([*lines, f'Answer to {exercise.number}: {en}', '', f'{exercise.number} 的回答：{zh}', ''])


def _title(title: Text) -> str:
    return f'{title[0]}  {title[1]}' if title[0] != title[1] else title[0]


def _columns(table: Table) -> List[str]:
    rows = [list(table.header), *([shown(value) for value in row] for row in table.rows)]
    widths = [max(width(row[k]) for row in rows) for k in range(len(table.header))]
    lines, words = [], [any(not _number_like(row[k]) for row in table.rows) for k in range(len(table.header))]
    for row in rows:
        cells = [cell + ' ' * (w - width(cell)) if word else ' ' * (w - width(cell)) + cell
                 for cell, w, word in zip(row, widths, words)]
        lines.append('  '.join(cells).rstrip())
    return [f'  {line}' for line in lines]


def _number_like(value: Value) -> bool:
    return not isinstance(value, str) or value in ('nan', 'inf', '-inf')


def markdown_of(exercise: Exercise, outcome: Outcome, note: Text) -> str:
    """The page answer.md: question, evidence, picture and answer, in both languages."""
    lines = [f'# {exercise.number}', '']
    for paragraph in (*exercise.question, f'*{note[0]}*', f'*{note[1]}*'):
        lines += [paragraph, '']
    for part in outcome.evidence:
        lines += [f'**{_title(part.title)}**', '', *_markdown(part), '']
    if outcome.picture:
        lines += ['![](picture.png)', '']
    return '\n'.join([*lines, '## Answer', '', outcome.answer[0], '', '## 回答', '', outcome.answer[1], ''])


def _markdown(part: Evidence) -> List[str]:
    if not isinstance(part, Table):
        return ['```', *part.lines, '```']

    def line(cells: Any) -> str:
        return f'| {" | ".join(str(cell).replace("|", chr(92) + "|") for cell in cells)} |'
    return [line(part.header), line(['---'] * len(part.header)), *(line(map(shown, row)) for row in part.rows)]


def result_of(exercise: Exercise, outcome: Outcome, settings: Dict[str, Any]) -> Dict[str, Any]:
    """All of it as measured, for result.json."""
    return {'exercise': exercise.number, 'question': list(exercise.question), **settings,
            'evidence': [part.to_dict() for part in outcome.evidence], 'answer': list(outcome.answer)}


def write(folder: Path, exercise: Exercise, outcome: Outcome, *, note: Text, settings: Dict[str, Any]) -> List[Path]:
    """Leave result.json, answer.md and, where there is one, picture.png. result.json comes last: with it, all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    if outcome.picture:
        outcome.picture(folder / 'picture.png')
    write_whole(folder / 'answer.md', markdown_of(exercise, outcome, note))
    result = json.dumps(result_of(exercise, outcome, settings), ensure_ascii=False, indent=1, allow_nan=False)
    write_whole(folder / 'result.json', result + '\n')
    return [folder / name for name in FILES if (folder / name).exists()]
