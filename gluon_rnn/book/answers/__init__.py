"""The written answers to the book's exercises: a Markdown file an exercise and language, `6.4.2.en.md` and `6.4.2.zh.md`.

    # 6.4.2                                     the number
    Train without clipping. What happens?       the question, one paragraph
    A step is the learning rate times ...       the answer; a paragraph that names measured figures, as {perplexity} or
                                                {share:.0%}, is left out where nothing was measured
    ## explodes                                 a conclusion and its text; the experiment says which of them holds
"""
from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any, Dict, List, Mapping, Tuple

from ...tables import plain, shown

FOLDER = Path(__file__).parent
LANGUAGES = 'en', 'zh'
Text = Tuple[str, str]      # in English, in Chinese
_WIDE = '[\u3000-\u9fff\uff00-\uffef“”‘’]'


@dataclass(frozen=True)
class Answer:
    """One answer in one language. paragraphs: with places for figures; conclusions: name -> text."""
    number: str
    question: str
    paragraphs: List[str]
    conclusions: Dict[str, str]

    def places(self) -> List[str]:
        """The names of the figures that the text asks for, each once."""
        return list(dict.fromkeys(name for text in (*self.paragraphs, *self.conclusions.values()) for name in _places(text)))

    def text(self, figures: Mapping[str, Any] | None = None, conclusion: str = '') -> str:
        """The answer with the figures in their places and one of its conclusions at the end.

        figures: None: nothing was measured, so what speaks of measurements is left out.
        Raises ValueError for a figure that is missing or a conclusion that is not written.
        """
        if conclusion and conclusion not in self.conclusions:
            raise ValueError(f'{self.number} has no conclusion {conclusion!r}: choose from {", ".join(self.conclusions)}')
        if figures is None:
            return '\n\n'.join(text for text in self.paragraphs if not _places(text))
        missing = [name for name in self.places() if name not in figures]
        if missing:
            raise ValueError(f'the answer to {self.number} needs the figure {missing[0]!r}')
        texts = [*self.paragraphs, *([self.conclusions[conclusion]] if conclusion else [])]
        return '\n\n'.join(_Figures().vformat(text, (), figures) for text in texts)


def read_answer(number: str, language: str) -> Answer:
    """One answer. Raises ValueError for a number that is none of the book's exercises."""
    path = FOLDER / f'{number}.{language}.md'
    if not path.is_file():
        raise ValueError(f'unknown exercise {number!r}: choose from {", ".join(numbers())}')
    body, *parts = re.split('^## ', path.read_text(encoding='utf-8'), flags=re.MULTILINE)
    _, question, *paragraphs = (_joined(text) for text in body.strip().split('\n\n'))
    named = (part.partition('\n') for part in parts)
    return Answer(number, question, paragraphs, {name.strip(): _joined(text.strip()) for name, _, text in named})


def numbers() -> List[str]:
    """All exercises, in the book's order."""
    found = {path.name[:-len('.en.md')] for path in FOLDER.glob('*.en.md')}
    return sorted(found, key=lambda number: tuple(map(int, number.split('.'))))


def question(number: str) -> Text:
    """The question of an exercise, in this project's words."""
    en, zh = (read_answer(number, language).question for language in LANGUAGES)
    return en, zh


def answer(number: str, figures: Mapping[str, Any] | None = None, conclusion: str = '') -> Text:
    """The answer to an exercise, see `Answer.text`. Of a figure that is a `Text` each language takes its own."""
    en, zh = (read_answer(number, language).text(_in_language(figures, k), conclusion) for k, language in enumerate(LANGUAGES))
    return en, zh


def show(number: str) -> Any:
    """Question and answer for a notebook, Chinese first, without what speaks of measurements."""
    from IPython.display import Markdown
    asked, told = question(number), answer(number)
    english = '\n\n'.join(f'*{text}*' for text in told[0].split('\n\n'))
    return Markdown(f'**{number}** {asked[1]}\n\n*{asked[0]}*\n\n{told[1]}\n\n{english}')


class _Figures(Formatter):
    """Puts figures into a text: `shown` where no format is named, a dash for what is no number."""

    def format_field(self, value: Any, spec: str) -> str:
        value = plain(value)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return '–'
        return format(value, spec) if spec else shown(value)


def _in_language(figures: Mapping[str, Any] | None, k: int) -> Mapping[str, Any] | None:
    return figures and {name: value[k] if isinstance(value, tuple) else value for name, value in figures.items()}


def _places(text: str) -> List[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def _joined(text: str) -> str:
    """A paragraph's lines as one; between Chinese characters a line's end is no space."""
    return re.sub(r'\s*\n\s*', ' ', re.sub(f'(?<={_WIDE})\\n|\\n(?={_WIDE})', '', text)).strip()
