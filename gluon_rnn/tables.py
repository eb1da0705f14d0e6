"""Tables and lines of text, in Markdown that a terminal shows as well."""
from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Any, List, Mapping, Sequence, Tuple

Row = Mapping[str, Any]     # column -> value


@dataclass(frozen=True)
class Table:
    """Rows of values as they were measured; `shown` decides how many digits are printed."""
    title: Tuple[str, str]      # in English, in Chinese
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, title: Tuple[str, str], rows: Sequence[Row]) -> Table:
        """A table of rows that each name their columns, the same ones in the same order."""
        return cls(title, list(rows[0]), [list(row.values()) for row in rows])


@dataclass(frozen=True)
class Lines:
    """Lines of text as they came: verses, batches."""
    title: Tuple[str, str]      # in English, in Chinese
    lines: Sequence[str]


def plain(value: Any) -> Any:
    """A number of NumPy as Python's."""
    return value.item() if hasattr(value, 'item') else value


def shown(value: Any) -> str:
    """A figure to be read: four digits that count, thousands set off."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return {None: '-', False: 'no', True: 'yes'}[value]
    if isinstance(value, int):
        return f'{value:,}'
    if isinstance(value, float) and math.isfinite(value):
        if 1e3 <= abs(value) < 1e15:
            return f'{value:,.0f}'
        return f'{value:#.4g}'.rstrip('.') if value and 1e-3 <= abs(value) < 1e15 else f'{value:.3g}'
    return str(value)


def width(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in 'WF' else 0 if unicodedata.combining(char) else 1 for char in text)


def printed(rows: Sequence[Row]) -> str:
    """Rows that each name their columns, the same ones in the same order, as a table to be printed."""
    return '\n'.join(markdown_lines(Table.of(('', ''), rows)))


def markdown_lines(part: Table | Lines) -> List[str]:
    """A table, its columns under each other, numbers to the right; or lines of text as they are."""
    if isinstance(part, Lines):
        return ['```', *part.lines, '```']
    columns = []
    for k, name in enumerate(part.header):
        values = [plain(row[k]) for row in part.rows]
        cells = [cell.replace('|', '\\|') for cell in (name, *map(shown, values))]
        wide, text = max(3, *map(width, cells)), any(isinstance(value, str) for value in values)
        spaces = [' ' * (wide - width(cell)) for cell in cells]
        head, *rows = [cell + space if text else space + cell for cell, space in zip(cells, spaces)]
        columns.append([head, '-' * wide if text else '-' * (wide - 1) + ':', *rows])
    return [f'| {" | ".join(row)} |' for row in zip(*columns)]
