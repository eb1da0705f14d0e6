"""A model that `to_onnx.py` has written, run by ONNX Runtime: no MXNet is needed for it, nor any NumPy below 2.

The file holds its own SHA-256, and what the model answers to a probe. Where the first has changed and the second has not, another
tool has written the file anew, for another opset, say: it is run, and a warning says so. Where both have, it is damaged.
"""
from __future__ import annotations

import hashlib
import json
import re
import warnings
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ..corpora.indices import check_indices
from ..corpora.tokens import Vocabulary

FORMAT = 'gluon_rnn onnx 1'
TOLERANCE = 1e-5            # of a difference in logits or states
_PROBED = 256               # characters of a probe, at most
UNSIGNED = '0' * 64         # in the place of a file's SHA-256, while that is computed
_START = re.compile(rb'\x08.\x12\tgluon_rnn\x1a')       # ir_version, and this project as the producer
_SHA256 = re.compile(rb'\n\x06sha256\x12@([0-9a-f]{64})')       # an entry of the metadata, as protobuf writes it
Arrays = Tuple['np.ndarray', ...]     # in quotes: a NumPy too new is told later, in one line


class OnnxModel:
    """A language model under the contract of `generation.generate`; its arrays are NumPy's.

    settings: the fields of the ModelConfig; idx_to_char: the vocabulary; states: of each array of a state the input's name, the
    output's name and the number of columns.
    """

    def __init__(self, session: Any, settings: Dict[str, Any], idx_to_char: Vocabulary, states: List[Tuple[str, str, int]],
                 probed: Sequence[float] = ()):
        self.session, self.settings, self.idx_to_char, self.states, self.probed = session, settings, idx_to_char, states, probed
        self._outputs = ['logits', *(output for _, output, _ in states)]

    def begin_state(self, batch_size: int) -> Arrays:
        """The state before the first step: zeros, (batch_size, columns) each."""
        return tuple(np.zeros((batch_size, columns), dtype=np.float32) for _, _, columns in self.states)

    def __call__(self, X: np.ndarray, state: Arrays) -> Tuple[np.ndarray, Arrays]:
        """X: (batch_size, num_steps), indices of characters; state: from `begin_state` or the call before.

        Returns the logits (num_steps * batch_size, vocab_size), all rows of the first step first, and the new state.
        Raises ValueError for an X or a state that does not fit.
        """
        X = check_indices(X, len(self.idx_to_char), 'X').astype(np.int64)
        wanted = [(*X.shape[:1], columns) for _, _, columns in self.states]
        if X.ndim != 2 or [np.shape(array) for array in state] != wanted:
            raise ValueError(f'X must be (batch_size, num_steps) and the state arrays of shapes {wanted}, got {X.shape} and '
                             f'{[np.shape(array) for array in state]}: begin a new one by begin_state(batch_size)')
        inputs = {name: array for (name, _, _), array in zip(self.states, state)}
        logits, *state = self.session.run(self._outputs, {'X': X, **inputs})
        return logits.transpose(1, 0, 2).reshape(-1, logits.shape[2]), tuple(state)

    def probe(self) -> List[float]:
        """A sum of all logits, with signs that take turns, at each step over characters from all of the vocabulary."""
        vocab_size = len(self.idx_to_char)
        X = np.unique(np.linspace(0, vocab_size - 1, _PROBED).astype(np.int64))[None]
        logits, _ = self(X, self.begin_state(1))
        signs = (1 - 2 * (np.arange(vocab_size) % 2)) / vocab_size ** 0.5
        return (logits * signs).sum(axis=1).round(9).tolist()

    def apart(self) -> float:
        """How far the answers to the probe are from those of the export; NaN where the file has none, as of older versions."""
        found = np.asarray(self.probe())
        return float(np.abs(found - self.probed).max()) if found.shape == np.shape(self.probed) else float('nan')


def load_onnx(path: Path) -> OnnxModel:
    """Read an exported model. Warns if it has changed since it was exported and computes the same.

    Raises ValueError if the file is damaged or none of this project's, ImportError without ONNX Runtime, OSError if it
    cannot be read.
    """
    data = path.read_bytes()
    model = load_onnx_bytes(data, str(path))
    found = _SHA256.search(data)
    if found and sign(data, unsigned=found[1]) == data:
        return model
    try:
        apart = model.apart()
    except Exception:       # ONNX Runtime's own have no common name
        apart = float('inf')
    # another tool that names itself as the producer may have meant to change what is computed, to quantise it, say
    if apart == float('inf') or (_START.match(data) and not apart <= TOLERANCE):
        raise ValueError(f'{path} is damaged: its contents are not what was exported. Write it again by scripts/export.py')
    warnings.warn(f'{path} has changed since it was exported: another tool has written it; on a probe its logits are {apart:.1e} '
                  f'from those of the export', stacklevel=2)
    return model


def load_onnx_bytes(data: bytes, name: str) -> OnnxModel:
    """The model of a file's contents; name: what errors call it."""
    try:
        import onnxruntime
    except ImportError:
        raise ImportError('ONNX Runtime is not installed: pip install onnxruntime') from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1        # a step for one text is too little to share
    options.log_severity_level = 4          # what is wrong is said below, in one line
    try:
        session = onnxruntime.InferenceSession(data, options, providers=['CPUExecutionProvider'])
        about = session.get_modelmeta().custom_metadata_map
        if about.get('format') != FORMAT:
            raise ValueError(f'its format is {about.get("format")!r}')
        about = {key: json.loads(about[key]) for key in ('settings', 'vocabulary', 'words', 'states', 'probe') if key in about}
        settings, vocabulary, states = about['settings'], Vocabulary.from_dict(about), about['states']
        return OnnxModel(session, settings, vocabulary, [(s['input'], s['output'], s['columns']) for s in states],
                         about.get('probe', ()))
    except Exception as error:      # ONNX Runtime's own have no common name
        said = (str(error).splitlines() or [''])[0][:120]
        raise ValueError(f'{name} is no model that gluon_rnn has exported ({type(error).__name__}: {said}): write one by '
                         f'scripts/export.py RUN --format onnx') from None


def sign(data: bytes, *, unsigned: bytes = UNSIGNED.encode()) -> bytes:
    """The file with its SHA-256 in the place of `unsigned`, taken with zeros there."""
    place = b'\n\x06sha256\x12@'
    blank = data.replace(place + unsigned, place + UNSIGNED.encode())
    return blank.replace(place + UNSIGNED.encode(), place + hashlib.sha256(blank).hexdigest().encode())
