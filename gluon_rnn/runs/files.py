"""Files that are whole or absent, whatever happens while they are written."""
from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO, Iterator


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the name `path` only once it is complete and on the disk.

    The part written so far has a hidden name of its own beside it; what stood at `path` stays until it is replaced. A device or
    a pipe, as /dev/stdout is, is written to: root would replace it.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with open(path, 'wb') as file:
            yield file
        return
    part = path.with_name(f'.{path.name}.part')
    try:
        with open(part, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(path)
        raise
    _sync_folder(path.parent)


def write_whole(path: Path, data: bytes | memoryview | str) -> None:
    """Write `data` (text as UTF-8) to `path`, whole or not at all."""
    with whole_file(path) as file:
        file.write(data.encode('utf-8') if isinstance(data, str) else data)


def append_line(path: Path, line: str) -> None:
    """Add a line, which ends with a newline, to a file that need not be there yet: all of it, or nothing where it fails.

    A process that is killed in the middle leaves a line without an end. OSError if it cannot be written.
    """
    size = path.stat().st_size if path.exists() else 0
    try:
        with open(path, 'ab') as file:
            file.write(line.encode('utf-8'))
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        if path.exists():
            os.truncate(path, size)
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(path)
        raise


def _sync_folder(folder: Path) -> None:
    """Have the folder remember the new name, too; some systems cannot."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
