"""One file of plain arrays and a description in JSON, checksummed, without pickles: the format of checkpoints and saved models.

An `.npz` file; 'description' holds the JSON as bytes, with the SHA-256 of every other array in it.
"""
from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, Mapping, Tuple

import numpy as np

FORMAT = 'gluon_rnn checkpoint 1'


def pack_arrays(description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> memoryview:
    """The bytes of a file of these arrays. Raises ValueError if a number is not finite."""
    for name, value in arrays.items():
        if not np.isfinite(value).all():
            raise ValueError(f'{name} is no longer finite: not saved')
    described = {'format': FORMAT, **description, 'sha256': {name: _digest(value) for name, value in arrays.items()}}
    packed = np.frombuffer(json.dumps(described, ensure_ascii=False).encode('utf-8'), dtype=np.uint8)
    archive = io.BytesIO()      # in memory first: a zip file that a full disk breaks off complains a second time
    np.savez(archive, description=packed, **arrays)
    return archive.getbuffer()


def read_arrays(opened: BinaryIO) -> Tuple[Dict[str, Any], Dict[str, np.ndarray]]:
    """The description and the arrays of an open file. Raises one of many errors if it is damaged: call it under `undamaged`."""
    with np.load(opened, allow_pickle=False) as file:
        if any(member.compress_type != zipfile.ZIP_STORED for member in file.zip.infolist()):
            raise ValueError('it is compressed, and may unpack to any size')
        contents = {name: file[name] for name in file.files}
    description = _described(contents.pop('description'))
    digests = description['sha256']
    if digests.keys() != contents.keys() or any(_digest(contents[name]) != digests[name] for name in digests):
        raise ValueError('its contents are not what was saved')
    return description, contents


def read_description(path: Path) -> Dict[str, Any]:
    """The description alone; as `read_arrays` under `undamaged`."""
    with open(path, 'rb') as opened, np.load(opened, allow_pickle=False) as file:
        return _described(file['description'])


@contextlib.contextmanager
def undamaged(origin: Any) -> Iterator[None]:
    """Turn any error of reading a damaged file into one ValueError that names it; a file that is not there stays an OSError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:      # NumPy, zipfile and zlib raise some fourteen kinds
        said = (str(error).splitlines() or ['no more is known'])[0][:120]
        raise ValueError(f'{origin} is not a whole checkpoint of gluon_rnn ({type(error).__name__}: {said}): '
                         f'use another run, or train again') from None


def _described(packed: np.ndarray) -> Dict[str, Any]:
    description = json.loads(packed.tobytes().decode('utf-8'))
    if description['format'] != FORMAT:
        raise ValueError(f'it is a {str(description["format"])[:40]!r}')
    return description


def _digest(array: np.ndarray) -> str:
    described = f'{array.dtype.str} {array.shape} '.encode()
    return hashlib.sha256(described + np.ascontiguousarray(array).tobytes()).hexdigest()
