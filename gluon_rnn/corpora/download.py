"""The corpora that have names, and how they are fetched."""
from __future__ import annotations

import dataclasses
import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from . import reading

_BLOCK = 1 << 20


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus that can be asked for by name, as the book cuts it."""
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


def checked(text: str, known: NamedCorpus, where: Path | str) -> str:
    digest = hashlib.sha256(text.encode('utf-8')).hexdigest()
    if known.sha256 and digest != known.sha256:
        raise ValueError(f'{where} is not the text that the book uses (SHA-256 {digest[:12]}…, wanted {known.sha256[:12]}…): '
                         f'download it again, or pass its path to use it as it is')
    return text


def download(known: NamedCorpus, url: str, target: Path, *, timeout: float = 30, longest: float = 900) -> None:
    """Fetch a named corpus to `target`, whole and checked, or not at all. Raises ValueError that says what went wrong.

    timeout: seconds that the server may be silent; longest: seconds that all of it may take.
    """
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
        checked(reading.read_text(part, known.member), known, url)
        os.replace(part, target)
    except (urllib.error.URLError, http.client.HTTPException, OSError, EOFError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()       # it holds the connection
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise ValueError(f'{target.name} is in none of the data folders and cannot be fetched ({reason}): download {url} by hand '
                         f'into a folder and set GLUON_RNN_DATA to it') from None
    except ValueError as error:         # what came is not the text; it says so of the temporary file
        raise ValueError(str(error).replace(part, url)) from None
    finally:
        Path(part).unlink(missing_ok=True)
