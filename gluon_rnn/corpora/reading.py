"""Texts from disk, block by block, whatever they are packed in: files, gzip, zip, folders; in any encoding.

A text may be of any size up to a gigabyte: nobody here holds all of it but `read_text`. Nothing is unpacked to where a name in a
zip says.
"""
from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any, Iterator, List, Sequence, Tuple

MAX_TEXT_BYTES = 1 << 30        # a text that is longer, or claims to be, is refused
_BLOCK = 1 << 20
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, 'utf-8'), (codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
                     (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16'))
_TEXTS = ('.txt', '.gz')        # what is read of a folder
Source = Tuple[Path, 'str | None']      # a file, and of a zip the member's name


def check_encoding(encoding: str | None) -> None:
    """Raise ValueError for an encoding that Python does not know, or that is none of a text."""
    try:
        'a'.encode(encoding or 'utf-8')
    except (LookupError, ValueError):
        raise ValueError(f'encoding must be one that Python knows, as utf-8, gb18030 or utf-16, got {encoding!r}') from None


def member_of(name: str) -> Tuple[Path, str | None]:
    """The file that 'texts.zip:one.txt' is in, and the member; of any other path no member."""
    path, zipped, member = name.rpartition('.zip:')
    return (Path(path + '.zip'), member) if zipped and not Path(name).exists() else (Path(name), None)


def sources(name: str) -> List[Source]:
    """The files that a name stands for: one, several with commas between them, or all texts in a folder.

    Raises ValueError where one of them does not exist.
    """
    found: List[Source] = []
    for part in [name] if Path(name).exists() else name.split(','):
        path, member = member_of(part)
        if part and path.is_dir():
            found += [(text, None) for text in _texts_in(path)]
        elif path.is_file():
            found.append((path, member))
        else:
            raise ValueError(f'{part!r} is no file')
    return found


def absolute(name: str) -> str:
    """The same name for a process in another folder; what does not exist is left as it is."""
    parts = [name] if Path(name).exists() else name.split(',')
    found = [(part, *member_of(part)) for part in parts]
    return ','.join(f'{path.resolve()}{":" * bool(member)}{member or ""}' if part and path.exists() else part
                    for part, path, member in found)


def read_blocks(files: Sequence[Source], *, encoding: str | None = None) -> Iterator[str]:
    """The text of these files, one after the other, in blocks, every line end a line feed; each file begins a new line.

    encoding: None: as a byte-order mark says, else UTF-8. Raises ValueError where a file is not what it is said to be or is
    empty, and OSError where it cannot be read.
    """
    last = ''
    for path, member in files:
        if last and not last.endswith('\n'):
            yield '\n'
        for last in _decoded(path, member, encoding, newline=None):
            yield last


def read_text(path: Path | str, member: str | None = None, *, encoding: str | None = None) -> str:
    """The whole text of a file, or of the one text file in a zip (or of its file `member`), its line ends as they are.

    Raises as `read_blocks` does.
    """
    return ''.join(_decoded(Path(path), member, encoding, newline=''))


def line_ends(text: str) -> str:
    """The same text with a line feed at the end of each line."""
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _texts_in(folder: Path) -> List[Path]:
    """The text files in a folder, by their names."""
    found = [path for path in sorted(folder.iterdir())
             if path.suffix.lower() in _TEXTS and path.name[0] != '.' and path.is_file()]
    if not found:
        raise ValueError(f'{str(folder)!r} is a folder without a file {" or ".join(_TEXTS)}: give a text file, a zip of one, or '
                         f'another folder')
    return found


def _decoded(path: Path, member: str | None, encoding: str | None, *, newline: str | None) -> Iterator[str]:
    """The text of one file in blocks. newline: as `open` takes it."""
    empty = True
    with _opened(path, member) as file:
        _check_size(path, path.stat().st_size)
        start = file.peek(4)
        encoding = encoding or next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), 'utf-8')
        text = io.TextIOWrapper(file, 'utf-8-sig' if codecs.lookup(encoding).name == 'utf-8' else encoding, newline=newline)
        try:
            while block := text.read(_BLOCK):
                _check_size(path, file.tell())
                empty = False
                yield block
        except UnicodeError as error:       # of a text in UTF-16 that begins with no mark it tells no place
            place = str(error)
            if isinstance(error, UnicodeDecodeError):
                place = f'byte {file.tell() - len(error.object) + error.start}'
            raise _Refused(f'{path} is not {encoding.upper()} text ({place}): save it as UTF-8, or name its encoding, as '
                           f'gb18030') from None
    if empty:
        raise ValueError(f'{path} is empty: give a text with at least a few hundred characters')


class _Refused(ValueError):
    """A file that can be unpacked, and is not taken."""


def _check_size(path: Path, size: int) -> None:
    if size > MAX_TEXT_BYTES:
        raise _Refused(f'{path} is larger than {MAX_TEXT_BYTES >> 20} MiB, unpacked: cut it into parts')


@contextlib.contextmanager
def _opened(path: Path, member: str | None) -> Iterator[Any]:
    """The bytes of a text, unpacked. Raises ValueError if it is damaged, also while the caller reads."""
    with open(path, 'rb') as file:
        kind = 'zip' if path.suffix.lower() == '.zip' else 'gzip' if file.peek(2)[:2] == b'\x1f\x8b' else ''
        try:
            if kind == 'zip':
                with zipfile.ZipFile(file) as archive, archive.open(_the_text(archive, path, member)) as text:
                    yield text
            else:
                yield gzip.GzipFile(fileobj=file) if kind else file
        except _Refused:
            raise
        except Exception as error:      # a damaged zip makes Python's reader stumble in a dozen ways
            if kind == 'zip' or (kind == 'gzip' and isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile))):
                raise ValueError(f'{path} is not a readable {kind} file ({type(error).__name__}: '
                                 f'{" ".join(str(error).split())[:100]}): download or copy it again') from None
            raise


def _the_text(archive: zipfile.ZipFile, path: Path, member: str | None) -> zipfile.ZipInfo:
    """The one text in a zip, or its file `member`. Where names lead does not matter: nothing is written."""
    files = [info for info in archive.infolist() if not info.filename.endswith('/') and not info.filename.startswith('__MACOSX/')]
    chosen = [info for info in files if not member or f'/{info.filename}'.endswith(f'/{member}')]
    if len(chosen) != 1:
        names = ', '.join(ascii(info.filename)[1:-1] if not info.filename.isprintable() else info.filename for info in files[:5])
        wanted = f'one file {member!r}' if member else 'exactly one text file'
        raise _Refused(f'{path} must hold {wanted}, found {names or "none"}: choose one by {path.name}:NAME')
    _check_size(path, chosen[0].file_size)
    return chosen[0]
