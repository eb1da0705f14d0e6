"""What an exercise is, and what comes of it: evidence, an answer drawn from the evidence, and a picture where it tells more.

Every text is a pair, in English and in Chinese. An answer is written by the exercise's `run` out of the figures it has
measured, so that other figures give another answer.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Sequence, Tuple, Union

if TYPE_CHECKING:
    from .workbench import Workbench

Text = Tuple[str, str]      # in English, in Chinese
Value = Union[str, int, float, bool, None]


@dataclass(frozen=True)
class Table:
    """Rows of values as they were measured; how many decimals are shown is for whoever shows them.

    Raises ValueError where a row is not as long as the header.
    """
    title: Text
    header: Sequence[str]
    rows: Sequence[Sequence[Value]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f'a row of the table {self.title[0]!r} must have {len(self.header)} values, got {len(row)}')

    def to_dict(self) -> Dict[str, Any]:
        return {'title': list(self.title), 'header': list(self.header), 'rows': [[plain(value) for value in row]
                                                                                 for row in self.rows]}


@dataclass(frozen=True)
class Lines:
    """Lines of text as they came: verses, batches, what a tool printed."""
    title: Text
    lines: Sequence[str]

    def to_dict(self) -> Dict[str, Any]:
        return {'title': list(self.title), 'lines': list(self.lines)}


Evidence = Union[Table, Lines]


@dataclass(frozen=True)
class Outcome:
    """What an exercise came to. picture: draws the evidence into a PNG file at a path."""
    answer: Text
    evidence: Sequence[Evidence]
    picture: Callable[[Path], None] | None = None

    def __post_init__(self) -> None:
        if len(self.answer) != 2 or not all(self.answer):
            raise ValueError(f'an answer must be a pair, in English and in Chinese, got {self.answer!r}')
        if not self.evidence:
            raise ValueError('an answer needs evidence, got none')


@dataclass(frozen=True)
class Exercise:
    """One exercise of the book, in this project's words, and the experiment that answers it.

    number: section and place in it, '6.4.2'; run: works on a `Workbench`, and raises ValueError for a text that is too short.
    """
    number: str
    question: Text
    run: Callable[[Workbench], Outcome]

    @property
    def key(self) -> Tuple[int, ...]:
        """What sorts exercises into the book's order."""
        return tuple(map(int, self.number.split('.')))


def plain(value: Any) -> Value:
    """A value that strict JSON has: numbers of NumPy as Python's, NaN and infinities as text."""
    value = value.item() if hasattr(value, 'item') else value
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
