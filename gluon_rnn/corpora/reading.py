"""Texts from disk, whatever they are packed in."""
from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Tuple

MAX_TEXT_BYTES = 1 << 30        # a zip member that claims more than this is refused


def member_of(name: str) -> Tuple[Path, str | None]:
    """The file that 'texts.zip:one.txt' is in, and the member; of any other path no member."""
    path, zipped, member = name.rpartition('.zip:')
    return (Path(path + '.zip'), member) if zipped and not Path(name).exists() else (Path(name), None)


def read_text(path: Path | str, member: str | None = None) -> str:
    """The text of a UTF-8 file, or of the one text file in a zip (or of its file `member`).

    Raises ValueError where it is not UTF-8, is empty, or is a broken zip, and OSError where it cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == '.zip':
        data = _read_zip(path, member)
    else:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f'{path} is larger than {MAX_TEXT_BYTES >> 20} MiB: cut it into parts')
        data = path.read_bytes()
    if data[:2] == b'\x1f\x8b':
        raise ValueError(f'{path} is compressed by gzip: unpack it by gunzip, and give the text itself')
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8 text (byte {error.start}): save it as UTF-8') from None
    if not text:
        raise ValueError(f'{path} is empty: give a text with at least a few hundred characters')
    return text


def _read_zip(path: Path, member: str | None) -> bytes:
    with open(path, 'rb') as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _the_text(archive, path, member)
        except _Refused:
            raise
        except Exception as error:      # a damaged zip makes Python's reader stumble in a dozen ways
            raise ValueError(f'{path} is not a readable zip file ({type(error).__name__}: {" ".join(str(error).split())[:100]}): '
                             f'get it again') from None


class _Refused(ValueError):
    """A zip that can be read, and is not taken."""


def _the_text(archive: zipfile.ZipFile, path: Path, member: str | None) -> bytes:
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
    size = files[0].file_size
    if size <= MAX_TEXT_BYTES:
        with archive.open(files[0]) as text:        # in memory: nothing is unpacked to where a name says
            data = text.read(MAX_TEXT_BYTES + 1)
        size = len(data)
    if size > MAX_TEXT_BYTES:
        raise _Refused(f'{path} would unpack to more than {MAX_TEXT_BYTES >> 20} MiB: refused')
    return data


def _leads_out(name: str) -> bool:
    """Whether a name in a zip is absolute, or climbs."""
    parts = name.replace('\\', '/').split('/')
    return '..' in parts or (len(parts) > 1 and not parts[0]) or parts[0].endswith(':')
