"""Text -> Corpus: reading, cutting and indexing characters, section 6.3."""
from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.client
import os
import re
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from .. import runtime
from . import reading
from .reading import member_of, read_text
from .tokens import Vocabulary, check_tokens, index_chars, index_words

_BLOCK = 1 << 20


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus with a name, cut as the book cuts it."""
    file: str
    member: str | None = None       # the text's name inside a zip file
    sha256: str | None = None       # of the text, before it is cut
    url: str | None = None
    max_chars: int | None = None
    lower: bool = False
    letters: bool = False           # cut as the second edition cuts it: `letters_only`


CORPORA: Dict[str, NamedCorpus] = {
    'lyrics': NamedCorpus('lyrics.txt'),
    'jaychou': NamedCorpus(
        'jaychou_lyrics.txt.zip', 'jaychou_lyrics.txt', max_chars=10000,
        sha256='f0cab49f5d00e736c7201a0e2aa9c8dd72da1940c9491b309e4cc657be0faa48',
        url='https://raw.githubusercontent.com/d2l-ai/d2l-zh/89403b9792861d86a0f1735cdd4a3d60c423f5a2/data/jaychou_lyrics.txt.zip'),
    'time_machine': NamedCorpus(
        'timemachine.txt', max_chars=10000, lower=True,
        sha256='8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516',
        url='https://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt'),
}
CORPORA['time_machine_letters'] = dataclasses.replace(CORPORA['time_machine'], letters=True)    # 27 characters


@dataclass(frozen=True)
class Corpus:
    """A text as indices of its characters, or of its words.

    indices: int32 array, one a token; idx_to_char: the vocabulary; chars_per_token: the text's characters by its tokens.
    """
    indices: np.ndarray
    idx_to_char: Vocabulary
    chars_per_token: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, 'idx_to_char', Vocabulary.of(self.idx_to_char))

    @functools.cached_property
    def char_to_idx(self) -> Dict[str, int]:
        return self.idx_to_char.to_idx

    @property
    def vocab_size(self) -> int:
        return len(self.idx_to_char)

    def __len__(self) -> int:
        return len(self.indices)

    @classmethod
    def from_text(cls, text: str, known: Sequence[str] = (), *, tokens: str = 'char', min_count: int = 1) -> Corpus:
        """Index every token of `text`. Raises ValueError where it is empty or holds half a character.

        known: a vocabulary that comes first and keeps its indices, all of it. tokens: 'char' or 'word' (`tokens.py` has the
        rules); min_count: words seen less often are `<unk>`.
        """
        check_tokens(tokens, min_count)
        if not text:
            raise ValueError('the text is empty: give one with at least a few hundred characters')
        try:
            text.encode('utf-8')
        except UnicodeEncodeError as error:
            raise ValueError(f'the text holds half a character (a lone surrogate) at position {error.start}') from None
        if tokens == 'char':
            return cls(*index_chars(text, known))
        indices, vocabulary = index_words(_line_ends(text), min_count, known)
        if not len(indices):
            raise ValueError('the text has no words, nothing but spaces: give another, or take characters')
        return cls(indices, vocabulary, len(text) / len(indices))

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


def encode(text: str, char_to_idx: Dict[str, int]) -> List[int]:
    """Indices of the characters of `text`. Raises ValueError that names those not in the vocabulary."""
    unknown = sorted(set(text) - char_to_idx.keys())
    if unknown:
        raise ValueError(f'{"".join(unknown)!r} is not in the vocabulary of {len(char_to_idx)} characters: '
                         f'use only characters of the text that the model was trained on')
    return [char_to_idx[char] for char in text]


def unigram_perplexity(indices: np.ndarray) -> float:
    """Unigram perplexity of a corpus; a model below it has learned something of the order of characters."""
    p = np.bincount(indices) / len(indices)
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def load_corpus(name: str = 'lyrics', *, max_chars: int | None = None, folder: Path | str | None = None,
                known: Sequence[str] = (), tokens: str = 'char', min_count: int = 1, keep_lines: bool = False) -> Corpus:
    """Read a corpus and index it.

    name: one of `CORPORA`, or the path of a UTF-8 text file, of a zip that holds one, or ZIP:MEMBER. max_chars: keep
    only that many characters from the start; None cuts a named corpus as the book does and a file not at all; 0 cuts nothing.
    folder: look for a named corpus there first, before the folders of `runtime.data_folders()` and the download.
    known, tokens, min_count: as `Corpus.from_text` takes them. keep_lines: line breaks stay; else they become spaces, as in the
    book.
    Raises ValueError (unknown name, not UTF-8, empty, broken zip, wrong checksum) or OSError.
    """
    if max_chars is not None and max_chars < 0:
        raise ValueError(f'max_chars must be 0 (all) or more, got {max_chars}')
    check_tokens(tokens, min_count)     # before a text is fetched
    named = CORPORA.get(name)
    if named:
        text = _named_text(named, name, folder)
        max_chars = named.max_chars if max_chars is None else max_chars
        text = text.lower() if named.lower else text
        text = letters_only(text) if named.letters else text
    else:
        text = read_text(*_existing(name))
    text = _line_ends(text) if keep_lines else _line_ends(text).replace('\n', ' ')
    return Corpus.from_text(text[:max_chars or None], known, tokens=tokens, min_count=min_count)


def _line_ends(text: str) -> str:
    return text.replace('\r\n', '\n').replace('\r', '\n')


def letters_only(text: str) -> str:
    """The letters of a text as the book's second edition cuts it: lower case, every run of anything but a to z one space, no
    spaces at the ends of a line, and the lines joined without any between them.
    """
    return ''.join(re.sub('[^A-Za-z]+', ' ', line).strip().lower() for line in re.split('\r\n|\r|\n', text))


def _existing(name: str) -> Tuple[Path, str | None]:
    path, member = member_of(name)
    if path.is_file():
        return path, member
    if path.is_dir():
        raise ValueError(f'corpus {name!r} is a folder: give a text file, a zip of one, or one of {", ".join(CORPORA)}')
    raise ValueError(f'corpus {name!r} is neither a file nor one of {", ".join(CORPORA)}')


def _named_text(known: NamedCorpus, name: str, folder: Path | str | None) -> str:
    for place in ([Path(folder)] if folder else []) + runtime.data_folders():
        path = place / known.file
        if path.is_file():
            return _checked(read_text(path, known.member), known, path)
    if not known.url:
        raise ValueError(f'corpus {name!r} ({known.file}) is missing from this installation: install gluon_rnn again')
    target = runtime.data_folders()[-1] / known.file
    download(known, known.url, target)
    return read_text(target, known.member)


def _checked(text: str, known: NamedCorpus, where: Path | str) -> str:
    digest = hashlib.sha256(text.encode('utf-8')).hexdigest()
    if known.sha256 and digest != known.sha256:
        raise ValueError(f'{where} is not the text that the book uses (SHA-256 {digest[:12]}…, wanted {known.sha256[:12]}…): '
                         f'get it again, or pass its path to use it as it is')
    return text


def download(known: NamedCorpus, url: str, target: Path, *, timeout: float = 30, longest: float = 900) -> None:
    """Fetch a named corpus to `target`, whole and checked, or not at all. Raises ValueError that says what went wrong.

    timeout: seconds that the server may be silent; longest: seconds that all of it may take.
    """
    help_yourself = f'download {url} by hand into a folder and set GLUON_RNN_DATA to it'
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=target.parent, suffix=target.suffix)
    try:
        with os.fdopen(handle, 'wb') as file, urllib.request.urlopen(url, timeout=timeout) as answer:
            size, end = 0, time.monotonic() + longest
            while block := answer.read1(_BLOCK):        # what has come, were it a byte: `read` would wait for all of it
                if time.monotonic() > end:
                    raise TimeoutError(f'it took longer than {longest:g} seconds')
                size += len(block)
                if size > reading.MAX_TEXT_BYTES:
                    raise ValueError(f'{url} sends more than {reading.MAX_TEXT_BYTES >> 20} MiB: refused')
                file.write(block)
        _checked(read_text(part, known.member), known, url)
        os.replace(part, target)
    except (urllib.error.URLError, http.client.HTTPException, OSError, EOFError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()       # it holds the connection
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise ValueError(f'{target.name} is in none of the data folders and cannot be fetched ({reason}): '
                         f'{help_yourself}') from None
    except ValueError as error:         # what came is not the text; it says so of the temporary file
        raise ValueError(str(error).replace(part, url)) from None
    finally:
        Path(part).unlink(missing_ok=True)
