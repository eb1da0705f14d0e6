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
        return
    except (LookupError, ValueError):
        pass
    raise ValueError(f'encoding must be one that Python knows, as utf-8, gb18030 or utf-16, got {encoding!r}')


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
        lines = io.IncrementalNewlineDecoder(None, translate=True)
        for block in _and_end(_decoded(path, member, encoding)):
            text = lines.decode(block or '', final=block is None)
            if text:
                last = text
                yield text


def read_text(path: Path | str, member: str | None = None, *, encoding: str | None = None) -> str:
    """The whole text of a file, or of the one text file in a zip (or of its file `member`), its line ends as they are.

    Raises as `read_blocks` does.
    """
    return ''.join(_decoded(Path(path), member, encoding))


def line_ends(text: str) -> str:
    """The same text with a line feed at the end of each line."""
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _and_end(blocks: Iterator[str]) -> Iterator[str | None]:
    yield from blocks
    yield None


def _texts_in(folder: Path) -> List[Path]:
    """The text files in a folder, by their names."""
    found = [path for path in sorted(folder.iterdir())
             if path.suffix.lower() in _TEXTS and path.name[0] != '.' and path.is_file()]
    if not found:
        raise ValueError(f'{str(folder)!r} is a folder without a file {" or ".join(_TEXTS)}: give a text file, a zip of one, or '
                         f'another folder')
    return found


def _decoded(path: Path, member: str | None, encoding: str | None) -> Iterator[str]:
    empty, done, decoder = True, 0, None
    with _opened(path, member) as (file, kind):
        block = _read(file, path, kind)
        while block:
            if decoder is None:
                encoding = encoding or next((name for mark, name in _BYTE_ORDER_MARKS if block.startswith(mark)), 'utf-8')
                known = codecs.lookup(encoding)
                decoder = codecs.getincrementaldecoder('utf-8-sig' if known.name == 'utf-8' else encoding)()
            waiting, following = len(decoder.getstate()[0]), _read(file, path, kind)    # of the block before: half a character
            try:
                text = decoder.decode(block, final=not following)
            except UnicodeDecodeError as error:
                raise ValueError(f'{path} is not {str(encoding).upper()} text (byte {done - waiting + error.start}): save it as '
                                 f'UTF-8, or name its encoding, as gb18030') from None
            done += len(block)
            if done > MAX_TEXT_BYTES:
                raise ValueError(f'{path} would unpack to more than {MAX_TEXT_BYTES >> 20} MiB: refused')
            if text:
                empty = False
                yield text
            block = following
    if empty:
        raise ValueError(f'{path} is empty: give a text with at least a few hundred characters')


@contextlib.contextmanager
def _opened(path: Path, member: str | None) -> Iterator[Tuple[Any, str]]:
    """The bytes of a text, and what they are packed in: 'zip', 'gzip' or ''."""
    with open(path, 'rb') as file, contextlib.ExitStack() as stack:
        if path.suffix.lower() == '.zip':
            try:
                archive = stack.enter_context(zipfile.ZipFile(file))
                text = stack.enter_context(archive.open(_the_text(archive, path, member)))
            except _Refused:
                raise
            except Exception as error:
                raise _damaged(path, 'zip', error) from None
            yield text, 'zip'
        elif file.peek(2)[:2] == b'\x1f\x8b':
            yield stack.enter_context(gzip.open(file)), 'gzip'
        elif path.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f'{path} is larger than {MAX_TEXT_BYTES >> 20} MiB: cut it into parts')
        else:
            yield file, ''


def _read(file: Any, path: Path, kind: str) -> bytes:
    try:
        return file.read(_BLOCK)
    except Exception as error:
        if kind == 'zip' or (kind == 'gzip' and isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile))):
            raise _damaged(path, kind, error) from None
        raise


def _damaged(path: Path, kind: str, error: Exception) -> ValueError:
    """A damaged zip makes Python's reader stumble in a dozen ways."""
    return ValueError(f'{path} is not a readable {kind} file ({type(error).__name__}: {" ".join(str(error).split())[:100]}): '
                      f'download or copy it again')


class _Refused(ValueError):
    """A zip that can be read, and is not taken."""


def _the_text(archive: zipfile.ZipFile, path: Path, member: str | None) -> zipfile.ZipInfo:
    for info in archive.infolist():
        if _leads_out(info.filename):
            raise _Refused(f'{path} holds a name that leads out of it ({info.filename!r}): refused')
    files = [info for info in archive.infolist() if not info.filename.endswith('/') and not info.filename.startswith('__MACOSX/')]
    if member:
        chosen = [info for info in files if info.filename == member or info.filename.endswith(f'/{member}')]
    else:
        chosen = files
    if len(chosen) != 1:
        names = ', '.join(ascii(info.filename)[1:-1] if not info.filename.isprintable() else info.filename for info in files[:5])
        wanted = f'one file {member!r}' if member else 'exactly one text file'
        raise _Refused(f'{path} must hold {wanted}, found {names or "none"}: choose one by {path.name}:NAME')
    files = chosen
    if files[0].file_size > MAX_TEXT_BYTES:
        raise _Refused(f'{path} would unpack to more than {MAX_TEXT_BYTES >> 20} MiB: refused')
    return files[0]


def _leads_out(name: str) -> bool:
    """Whether a name in a zip is absolute, or climbs."""
    parts = name.replace('\\', '/').split('/')
    return '..' in parts or (len(parts) > 1 and not parts[0]) or parts[0].endswith(':')
