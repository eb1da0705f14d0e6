"""Text as tokens, characters or words, and tokens as text again.

    rule      a text                  its tokens                      joined by
    char      飞到 宇宙               飞 到 ␣ 宇 宙                    nothing
    chinese   飞到 宇宙               飞到 ␣ 宇宙                      nothing: spaces are tokens
    marks     Well, "so it goes".     Well ⁀, " ⁀so it goes ⁀" ⁀.     a space, but where ⁀ says that none was there
    spaces    mr. <unk> is n't        mr. <unk> is n't                a space: the text had been cut before

In words each line break is an `<eos>`; a text in which `<unk>` stands by itself, as the Penn Treebank, has been cut before.
"""
from __future__ import annotations

import difflib
import functools
import itertools
import re
import sys
import unicodedata
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

import numpy as np

from .reading import line_ends

TOKENS = ('char', 'word')
UNKNOWN, LINE_END = '<unk>', '<eos>'
JOINED = '\u2060'       # ⁀ above: Unicode's WORD JOINER, which nobody sees
LONG = 1 << 24          # characters of a text that is kept in small numbers
_LOOKED_AT = 1 << 20    # characters that decide how a text is cut
_HAN = re.compile('[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]')
_MARKS = re.compile(r"\w+(?:(?:['’-]|(?<=\d)[.,](?=\d))\w+)*|[^\w\s]")


# what a Chinese keyboard gives for an English one's key, and the other way round
_WIDE = {a: b for one, other in zip(',.?!:;()"\'', ('，', '。', '？', '！', '：', '；', '（', '）', '“”', '‘’'))
         for a, b in [(one, other), *((char, one) for char in other)]}


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
            text = line_ends(text)
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
            raise ValueError(f'{"".join(unknown)!r} is not in the vocabulary of {len(self)} characters{self._near(unknown)}: '
                             f'use only characters of the text that the model was trained on')
        if unknown:
            raise ValueError(f'{", ".join(map(_shown, unknown[:5]))} is not in the vocabulary of {len(self)} words'
                             f'{self._near(unknown)}: use words of the text that the model was trained on, or train with a '
                             f'min_count of 2, and others are {UNKNOWN}')
        return [known[token] if token in known else known[UNKNOWN] for token in self.cut(text)]

    def _near(self, unknown: Sequence[str]) -> str:
        """Tokens that may be meant: the same in another case, width or without an accent; of words also those spelled alike."""
        found: List[str] = []
        for token in unknown[:5]:
            plain = unicodedata.normalize('NFKC', token)
            forms = [token.lower(), token.upper(), plain, plain.lower(), plain.upper(), unicodedata.normalize('NFD', token)[0],
                     *_WIDE.get(token, ''), token.replace(JOINED, ''), JOINED + token]
            found += [form for form in dict.fromkeys(forms) if form in self.to_idx and form not in found]
            if self.rule != 'char':
                found += [word for word in difflib.get_close_matches(token, self, 2, 0.7) if word not in found]
        return f' (near: {" ".join(token.replace(JOINED, "") for token in found)})' if found else ''

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
    """Raise ValueError for an unknown kind of token, and a min_count that makes no sense."""
    if tokens not in TOKENS:
        raise ValueError(f'tokens must be one of {", ".join(TOKENS)}, got {tokens!r}')
    if min_count < 1:
        raise ValueError(f'min_count must be 1 or more, got {min_count}')
    if min_count > 1 and tokens == 'char':
        raise ValueError(f'min_count is for words only, got {min_count}: leave it out, or take words')


def rule_of(text: str) -> str:
    """How a text is cut into words."""
    text = text[:_LOOKED_AT]
    if re.search(rf'(?<!\S){UNKNOWN}(?!\S)', text):
        return 'spaces'
    return 'chinese' if 10 * len(_HAN.findall(text)) > len(re.findall(r'\S', text)) else 'marks'


def index_chars(blocks: Iterable[str], known: Sequence[str] = ()) -> Tuple[np.ndarray, Vocabulary]:
    """The characters of a text as indices into a vocabulary sorted by code point, so that it depends on the text alone
    (`list(set(text))`, as the book writes it, changes with Python's hash seed).

    blocks: the text, in parts. known: a vocabulary that comes first and keeps its indices, all of it. A text of more than
    `LONG` characters has the smallest numbers that hold its vocabulary, any other int32.
    """
    numbers, codes_seen = np.full(sys.maxunicode + 1, -1, np.int32), [ord(char) for char in known]
    numbers[codes_seen] = np.arange(len(codes_seen))
    parts: List[np.ndarray] = []        # numbered in the order of coming until all is read
    for block in blocks:
        codes = np.frombuffer(block.encode('utf-32-le'), dtype=np.uint32)
        new = np.unique(codes[numbers[codes] < 0])
        numbers[new] = np.arange(len(codes_seen), len(codes_seen) + len(new))
        codes_seen += new.tolist()
        parts.append(numbers[codes].astype(np.min_scalar_type(len(codes_seen))))
    vocabulary = codes_seen[:len(known)] + sorted(codes_seen[len(known):])
    final = np.empty(len(vocabulary), np.int32 if sum(map(len, parts)) <= LONG else np.min_scalar_type(len(vocabulary)))
    final[numbers[vocabulary]] = np.arange(len(vocabulary))
    for i, part in enumerate(parts):    # each takes the place of the one before
        parts[i] = final[part]
    return np.concatenate(parts or [final]), Vocabulary(map(chr, vocabulary))


def index_words(blocks: Iterable[str], min_count: int = 1, known: Sequence[str] = ()) -> Tuple[np.ndarray, Vocabulary]:
    """The words of a text as int32 indices into a sorted vocabulary; those seen less than min_count times are all `<unk>`.

    blocks: the text, in parts. known: a vocabulary that comes first; where it has an `<unk>`, that stands for all words that it
    has not.
    """
    numbers: Dict[str, int] = {}
    pieces = _whole_words(blocks)
    first = next(pieces, '')
    rule = known.rule if isinstance(known, Vocabulary) else rule_of(first)
    tokens = (token for piece in itertools.chain([first], pieces) for token in cut(piece, rule))
    order = np.fromiter((numbers.setdefault(token, len(numbers)) for token in tokens), np.int32)
    frequent = {token for token, count in zip(numbers, np.bincount(order)) if count >= min_count or token == LINE_END}
    new = set() if UNKNOWN in known else frequent - set(known)
    if len(frequent) < len(numbers) and UNKNOWN not in known:
        new.add(UNKNOWN)
    vocabulary = Vocabulary([*known, *sorted(new)], rule)
    to_idx = vocabulary.to_idx
    table = np.array([to_idx[token] if token in to_idx else to_idx[UNKNOWN] for token in numbers], np.int32)
    return table[order], vocabulary


def _whole_words(blocks: Iterable[str]) -> Iterator[str]:
    """The same text in parts of `_LOOKED_AT` characters or more, the last but for that, each ending behind a line or a space."""
    waiting: List[str] = []
    size = 0
    for block in blocks:
        end = max(block.rfind('\n'), block.rfind(' ')) + 1
        size += len(block)
        if end and size >= _LOOKED_AT:
            yield ''.join([*waiting, block[:end]])
            waiting, size = [], len(block) - end
            block = block[end:]
        waiting.append(block)
    yield ''.join(waiting)


def _shown(token: str) -> str:
    return repr(token.replace(JOINED, ''))
