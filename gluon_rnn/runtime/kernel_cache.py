"""Where the compiled kernels are kept, so that each machine compiles them once."""
from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, Set

from .environment import user_cache

_log = logging.getLogger('gluon_rnn')
_told: Set[Path | None] = set()      # folders whose compiling was announced; None: that there is no Numba


def has_numba() -> bool:
    """Whether Numba is there and runs here; says so, once on the log, where not."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        if None not in _told:
            _told.add(None)
            _log.warning('no Numba here (%s): the slower implementation hybrid takes its place', error)
        return False
    return True


@contextlib.contextmanager
def kernel_cache() -> Iterator[Path]:
    """Import the kernels inside this, so that Numba keeps what it compiles in the user's cache.

    One folder for each state of the kernels' code: Numba sees when a kernel's own file has changed, but not the files that it
    calls, so the folder's name is a hash of all of them. Where none can be written, one that lives as long as the process. Says
    so, on the log, where everything is still to be compiled. Raises ImportError if Numba is missing.
    """
    try:
        import numba
    except ImportError:
        raise ImportError('Numba is not installed: pip install numba, or use impl hybrid') from None
    before = numba.config.CACHE_DIR
    folder = _folder(Path(before) if before else None, numba.__version__)
    if folder not in _told and not any(folder.rglob('*.nbi')):
        _told.add(folder)
        _log.warning('compiling the kernels, once for this machine: one to two minutes in all')
    numba.config.CACHE_DIR = str(folder)
    try:
        yield folder
    finally:
        numba.config.CACHE_DIR = before


def _folder(given: Path | None, version: str) -> Path:
    sources = sorted((Path(__file__).resolve().parents[1] / 'kernels').glob('*.py'))
    name = hashlib.sha256(version.encode() + b''.join(source.read_bytes() for source in sources)).hexdigest()[:16]
    home = user_cache()
    kept = given or (home / 'kernels' if home else None)
    if kept:
        with contextlib.suppress(OSError):      # not writable
            folder = kept / name
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    folder = Path(tempfile.mkdtemp(prefix='gluon_rnn-kernels-'))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
