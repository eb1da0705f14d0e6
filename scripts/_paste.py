"""A command as a line to be pasted into a shell, whatever the names in it."""
from __future__ import annotations

import os
import shlex
import string
import sys
from typing import Sequence

_PLAIN = (string.ascii_letters + string.digits + '/._-').encode()


def to_paste(words: Sequence[str]) -> str:
    """The words in one line; byte by byte, as $'\\xe5\\x88\\x86', those that standard error cannot hold or nobody can see."""
    return ' '.join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable() and _can_be_shown(word):
        return shlex.quote(word)
    return "$'" + ''.join(chr(byte) if byte in _PLAIN else f'\\x{byte:02x}' for byte in os.fsencode(word)) + "'"


def _can_be_shown(word: str) -> bool:
    try:
        word.encode(sys.stderr.encoding or 'ascii')
    except UnicodeEncodeError:
        return False
    return True
