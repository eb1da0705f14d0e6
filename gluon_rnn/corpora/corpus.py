"""Text -> Corpus: reading, cutting and indexing characters, section 6.3."""
from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from .. import runtime
from .download import CORPORA, NamedCorpus, checked, download
from .reading import Source, check_encoding, line_ends, read_blocks, read_text, sources
from .tokens import Vocabulary, check_tokens, index_chars, index_words


@dataclass(frozen=True)
class Corpus:
    """A text as indices of its characters, or of its words.

    indices: int32 array, one a token; idx_to_char: the vocabulary; chars_per_token: the text's characters by its tokens.
    """
    indices: np.ndarray
    idx_to_char: Vocabulary
    chars_per_token: float = 1.0
    num_lines: int = 0      # of the text as it was read, 0 where nobody counted

    def __post_init__(self) -> None:
        object.__setattr__(self, 'idx_to_char', Vocabulary.of(self.idx_to_char))

    @functools.cached_property
    def char_to_idx(self) -> Dict[str, int]:
        return self.idx_to_char.to_idx

    @property
    def vocab_size(self) -> int:
        return len(self.idx_to_char)

    def __repr__(self) -> str:
        kind = 'characters' if self.idx_to_char.rule == 'char' else 'words'
        return f'Corpus({len(self):,} {kind}, {self.vocab_size:,} different: {self.decode(self.indices[:20])!r}…)'

    def __len__(self) -> int:
        return len(self.indices)

    @classmethod
    def from_text(cls, text: str, known: Sequence[str] = (), *, tokens: str = 'char', min_count: int = 1) -> Corpus:
        """Index every token of `text`. Raises ValueError where it is empty or holds half a character.

        known: a vocabulary that comes first and keeps its indices, all of it. tokens: 'char' or 'word' (`tokens.py` has the
        rules); min_count: words seen less often are `<unk>`.
        """
        return cls.from_blocks([text], known, tokens=tokens, min_count=min_count)

    @classmethod
    def from_blocks(cls, blocks: Iterable[str], known: Sequence[str] = (), *, tokens: str = 'char', min_count: int = 1) -> Corpus:
        """The same for a text in parts, of which only one is in memory at a time."""
        check_tokens(tokens, min_count)
        length = 0

        def counted() -> Iterator[str]:
            nonlocal length
            for block in blocks:
                try:
                    block.encode('utf-8')
                except UnicodeEncodeError as error:
                    raise ValueError(f'the text holds half a character (a lone surrogate) at position '
                                     f'{length + error.start}') from None
                length += len(block)
                yield block
        if tokens == 'char':
            indices, vocabulary = index_chars(counted(), known)
        else:
            indices, vocabulary = index_words(map(line_ends, counted()), min_count, known)
        if not length:
            raise ValueError('the text is empty: give one with at least a few hundred characters')
        if not len(indices):
            raise ValueError('the text has no words, nothing but spaces: give another, or take characters')
        return cls(indices, vocabulary, length / len(indices))

    def encode(self, text: str) -> List[int]:
        """Indices of the tokens of `text`. Raises ValueError that names those not in the vocabulary."""
        return self.idx_to_char.encode(text)

    def decode(self, indices: Any) -> str:
        return self.idx_to_char.decode(indices)

    def split(self, valid_fraction: float) -> Tuple[np.ndarray, np.ndarray]:
        """The indices in two: the first part to train on, the last `valid_fraction` of them held out."""
        if not 0 <= valid_fraction < 1:
            raise ValueError(f'valid_fraction must be from 0 to below 1, got {valid_fraction}')
        cut = len(self) - round(len(self) * valid_fraction)
        return self.indices[:cut], self.indices[cut:]


def unigram_perplexity(indices: np.ndarray) -> float:
    """Unigram perplexity of a corpus; a model below it has learned something of the order of characters."""
    p = np.bincount(indices) / len(indices)
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def load_corpus(name: str = 'lyrics', *, max_chars: int | None = None, folder: Path | str | None = None,
                known: Sequence[str] = (), tokens: str = 'char', min_count: int = 1, keep_lines: bool = False,
                encoding: str | None = None) -> Corpus:
    """Read a corpus and index it.

    name: one of `CORPORA`, or the path of a text file, plain or compressed by gzip, of a zip that holds one, ZIP:MEMBER, a folder
    of texts, or several of these with commas between them. max_chars: keep only that many characters from the start; None cuts
    a named corpus as the book does and a file not at all; 0 cuts nothing.
    folder: look for a named corpus there first, before the folders of `runtime.data_folders()` and the download.
    known, tokens, min_count: as `Corpus.from_text` takes them. keep_lines: line breaks stay; else they become spaces, as in the
    book. encoding: of a file; None: as its byte-order mark says, else UTF-8.
    Raises ValueError (unknown name, not in that encoding, empty, broken zip, wrong checksum) or OSError.
    """
    if max_chars is not None and max_chars < 0:
        raise ValueError(f'max_chars must be 0 (all) or more, got {max_chars}')
    check_tokens(tokens, min_count)     # before a text is fetched
    check_encoding(encoding)
    named = CORPORA.get(name)
    if named:
        text = _named_text(named, name, folder)
        max_chars = named.max_chars if max_chars is None else max_chars
        text = text.lower() if named.lower else text
        blocks: Iterable[str] = [line_ends(letters_only(text) if named.letters else text)]
    else:
        blocks = read_blocks(_existing(name), encoding=encoding)
    left, breaks, last = max_chars or sys.maxsize, 0, ''

    def wanted() -> Iterator[str]:
        nonlocal left, breaks, last
        for block in blocks:
            block = block[:left]
            left, breaks, last = left - len(block), breaks + block.count('\n'), block[-1:] or last
            yield block if keep_lines else block.replace('\n', ' ')
            if not left:
                return
    corpus = Corpus.from_blocks(wanted(), known, tokens=tokens, min_count=min_count)
    return replace(corpus, num_lines=breaks + (last != '\n'))


def letters_only(text: str) -> str:
    """The letters of a text as the book's second edition cuts it: lower case, every run of anything but a to z one space, no
    spaces at the ends of a line, and the lines joined without any between them.
    """
    return ''.join(re.sub('[^A-Za-z]+', ' ', line).strip().lower() for line in re.split('\r\n|\r|\n', text))


def _existing(name: str) -> List[Source]:
    if name != name.encode('utf-8', 'replace').decode('utf-8'):     # a run could not write down what its text is called
        raise ValueError(f'the name of the corpus {name!r} is not UTF-8: rename the file')
    try:
        return sources(name)
    except ValueError as error:
        raise ValueError(f'corpus {name!r} is neither a file nor one of {", ".join(CORPORA)} ({error})') from None


def _named_text(known: NamedCorpus, name: str, folder: Path | str | None) -> str:
    for place in ([Path(folder)] if folder else []) + runtime.data_folders():
        path = place / known.file
        if path.is_file():
            return checked(read_text(path, known.member), known, path)
    if not known.url:
        raise ValueError(f'corpus {name!r} ({known.file}) is missing from this installation: install gluon_rnn again')
    target = runtime.data_folders()[-1] / known.file
    download(known, known.url, target)
    return read_text(target, known.member)
