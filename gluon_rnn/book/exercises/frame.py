"""An exercise and its outcome: tables, figures for its written answer, and a picture where it tells more."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, Tuple, Union

from .. import answers

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


@dataclass(frozen=True)
class Lines:
    """Lines of text as they came: verses, batches."""
    title: Text
    lines: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    figures: for the places of the written answer, by name; conclusion: the one of its conclusions that the figures bear out;
    picture: draws a figure.
    """
    evidence: Sequence[Union[Table, Lines]]
    figures: Mapping[str, Value]
    conclusion: str = ''
    picture: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Exercise:
    """One exercise of the book and the experiment that answers it. number: section and place in it, '6.4.2'."""
    number: str
    run: Callable[[Workbench], Outcome]

    @property
    def question(self) -> Text:
        return answers.question(self.number)

    def answer(self, outcome: Outcome) -> Text:
        """The written answer with the outcome's figures in it. Raises ValueError where one is missing."""
        return answers.answer(self.number, {name: plain(value) for name, value in outcome.figures.items()}, outcome.conclusion)


def plain(value: Any) -> Value:
    """A number of NumPy as Python's."""
    return value.item() if hasattr(value, 'item') else value


def strict(value: Any) -> Any:
    """A value, a table or lines as strict JSON takes them: NaN and infinities as text."""
    if isinstance(value, (Table, Lines)):
        return {name: strict(part) for name, part in vars(value).items()}
    if isinstance(value, Mapping):
        return {name: strict(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(part) for part in value]
    value = plain(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
