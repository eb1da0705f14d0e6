"""Text as tokens, characters or words, and tokens as text again.

    rule      a text                  its tokens                      joined by
    char      飞到 宇宙               飞 到 ␣ 宇 宙                    nothing
    chinese   飞到 宇宙               飞到 ␣ 宇宙                      nothing: spaces are tokens
    marks     Well, "so it goes".     Well ⁀, " ⁀so it goes ⁀" ⁀.     a space, but where ⁀ says that none was there
    spaces    mr. <unk> is n't        mr. <unk> is n't                a space: the text had been cut before

In words each line break is an `<eos>`; a text in which `<unk>` stands by itself, as the Penn Treebank, has been cut before.
"""
from __future__ import annotations

import functools
import re
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import numpy as np

TOKENS = ('char', 'word')
UNKNOWN, LINE_END = '<unk>', '<eos>'
JOINED = '\u2060'       # ⁀ above: Unicode's WORD JOINER, which nobody sees
_LOOKED_AT = 1 << 20    # characters that decide how a text is cut
_HAN = re.compile('[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]')
_MARKS = re.compile(r"\w+(?:(?:['’-]|(?<=\d)[.,](?=\d))\w+)*|[^\w\s]")


class Vocabulary(Tuple[str, ...]):
    """All tokens, each at its index. rule: how a text is cut into them and put together again."""
    rule: str

    def __new__(cls, tokens: Iterable[str] = (), rule: str = 'char') -> Vocabulary:
        made = super().__new__(cls, tokens)     # type: ignore[type-var]
        made.rule = rule
        return made

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Vocabulary:
        """The vocabulary itself; of any other sequence, one of characters."""
        return tokens if isinstance(tokens, Vocabulary) else cls(tokens)

    def as_dict(self) -> Dict[str, Any]:
        """The vocabulary for a JSON file; that of characters as one text."""
        return {'vocabulary': ''.join(self)} if self.rule == 'char' else {'vocabulary': list(self), 'words': self.rule}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary of which `as_dict` is a part of that description."""
        return cls(description['vocabulary'], description.get('words', 'char'))

    @functools.cached_property
    def to_idx(self) -> Dict[str, int]:
        return {token: i for i, token in enumerate(self)}

    def cut(self, text: str) -> List[str]:
        """The text's tokens, known or not; where line breaks are none, each is a space."""
        if '\r' not in self.to_idx:
            text = text.replace('\r\n', '\n').replace('\r', '\n')
        if ('\n' if self.rule == 'char' else LINE_END) not in self.to_idx:
            text = text.replace('\n', ' ')
        return cut(text, self.rule)

    def unknown(self, text: str) -> List[str]:
        """The text's tokens that have no index, nor an unknown token to stand for them."""
        if self.rule != 'char' and UNKNOWN in self.to_idx:
            return []
        return sorted(set(self.cut(text)) - self.to_idx.keys())

    def encode(self, text: str) -> List[int]:
        """The indices of the text's tokens. Raises ValueError that names those not in the vocabulary."""
        unknown, known = self.unknown(text), self.to_idx
        if unknown and self.rule == 'char':
            raise ValueError(f'{"".join(unknown)!r} is not in the vocabulary of {len(self)} characters: use only characters of '
                             f'the text that the model was trained on')
        if unknown:
            raise ValueError(f'{", ".join(map(_shown, unknown[:5]))} is not in the vocabulary of {len(self)} words: use words of '
                             f'the text that the model was trained on, or train with a min_count of 2, and others are {UNKNOWN}')
        return [known[token] if token in known else known[UNKNOWN] for token in self.cut(text)]

    def decode(self, indices: Any, after: str = '') -> str:
        """The text of these tokens. after: what it will stand behind; it decides whether a space comes first."""
        tokens = [self[int(i)] for i in indices]
        if self.rule in ('char', 'chinese'):
            return ''.join('\n' if token == LINE_END else token for token in tokens)
        text, begins = [], not after or after[-1].isspace()
        for token in tokens:
            if token == LINE_END:
                text.append('\n')
            else:
                text.append(token[1:] if token[:1] == JOINED else token if begins else f' {token}')
            begins = token == LINE_END
        return ''.join(text)


def cut(text: str, rule: str) -> List[str]:
    """A text's tokens under one of the rules above."""
    if rule == 'char':
        return list(text)
    tokens: List[str] = []
    for i, line in enumerate(text.split('\n')):
        if i:
            tokens.append(LINE_END)
        tokens += line.split() if rule == 'spaces' else _marks(line) if rule == 'marks' else _chinese(line)
    return tokens


def _marks(line: str) -> List[str]:
    found = list(_MARKS.finditer(line))
    return [(JOINED if i and found[i - 1].end() == match.start() else '') + match[0] for i, match in enumerate(found)]


def _chinese(line: str) -> List[str]:
    try:
        import rjieba
    except ImportError:
        raise ImportError('the words of a Chinese text are found by rjieba, which is not installed: pip install rjieba, or '
                          'train on characters') from None
    return rjieba.cut(line)


def check_tokens(tokens: str, min_count: int) -> None:
    """Raise ValueError for what no text is cut into."""
    if tokens not in TOKENS:
        raise ValueError(f'tokens must be one of {", ".join(TOKENS)}, got {tokens!r}')
    if min_count < 1:
        raise ValueError(f'min_count must be 1 or more, got {min_count}')
    if min_count > 1 and tokens == 'char':
        raise ValueError(f'min_count is of words only, got {min_count}: leave it out, or take words')


def rule_of(text: str) -> str:
    """How a text is cut into words."""
    text = text[:_LOOKED_AT]
    if re.search(rf'(?<!\S){UNKNOWN}(?!\S)', text):
        return 'spaces'
    return 'chinese' if 10 * len(_HAN.findall(text)) > len(re.findall(r'\S', text)) else 'marks'


def index_chars(text: str, known: Sequence[str] = ()) -> Tuple[np.ndarray, Vocabulary]:
    """A text's characters as int32 indices into a vocabulary sorted by code point, so that it depends on the text alone
    (`list(set(text))`, as the book writes it, changes with Python's hash seed).

    known: a vocabulary that comes first and keeps its indices, all of it.
    """
    codes = np.frombuffer(text.encode('utf-32-le'), dtype=np.uint32)
    seen = np.zeros(int(codes.max()) + 1, dtype=bool)
    seen[codes] = True
    old = np.array([ord(char) for char in known], dtype=np.int64)
    vocabulary = np.concatenate([old, np.setdiff1d(np.flatnonzero(seen), old)])
    table = np.zeros(max(len(seen), int(vocabulary.max()) + 1), dtype=np.int32)
    table[vocabulary] = np.arange(len(vocabulary), dtype=np.int32)
    return table[codes], Vocabulary(map(chr, vocabulary))


def index_words(text: str, min_count: int = 1, known: Sequence[str] = ()) -> Tuple[np.ndarray, Vocabulary]:
    """A text's words as int32 indices into a sorted vocabulary; those seen less than min_count times are all `<unk>`.

    known: a vocabulary that comes first; where it has an `<unk>`, that stands for all words that it has not.
    """
    rule = known.rule if isinstance(known, Vocabulary) else rule_of(text)
    numbers: Dict[str, int] = {}
    order = np.fromiter((numbers.setdefault(token, len(numbers)) for token in cut(text, rule)), np.int32)
    frequent = {token for token, count in zip(numbers, np.bincount(order)) if count >= min_count or token == LINE_END}
    new = set() if UNKNOWN in known else frequent - set(known)
    if len(frequent) < len(numbers) and UNKNOWN not in known:
        new.add(UNKNOWN)
    vocabulary = Vocabulary([*known, *sorted(new)], rule)
    to_idx = vocabulary.to_idx
    table = np.array([to_idx[token] if token in to_idx else to_idx[UNKNOWN] for token in numbers], np.int32)
    return table[order], vocabulary


def _shown(token: str) -> str:
    return repr(token.replace(JOINED, ''))
