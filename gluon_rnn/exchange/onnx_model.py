"""A model that `to_onnx.py` has written, run by ONNX Runtime: no MXNet is needed for it, nor any NumPy below 2."""
from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from ..corpora.tokens import Vocabulary

FORMAT = 'gluon_rnn onnx 1'
UNSIGNED = '0' * 64         # in the place of a file's SHA-256, while that is computed
_START = re.compile(rb'\x08.\x12\tgluon_rnn\x1a')       # ir_version, and this project as the producer
_SHA256 = re.compile(rb'\n\x06sha256\x12@([0-9a-f]{64})')       # an entry of the metadata, as protobuf writes it
Arrays = Tuple[np.ndarray, ...]


class OnnxModel:
    """A language model under the contract of `generation.generate`; its arrays are NumPy's.

    settings: the fields of the ModelConfig; idx_to_char: the vocabulary; states: of each array of a state the input's name, the
    output's name and the number of columns.
    """

    def __init__(self, session: Any, settings: Dict[str, Any], idx_to_char: Vocabulary, states: List[Tuple[str, str, int]]):
        self.session, self.settings, self.idx_to_char, self.states = session, settings, idx_to_char, states
        self._outputs = ['logits', *(output for _, output, _ in states)]

    def array(self, values: Any) -> np.ndarray:
        """Indices of characters as the network reads them."""
        return np.asarray(values, dtype=np.int64)

    def begin_state(self, batch_size: int) -> Arrays:
        """The state before the first step: zeros, (batch_size, columns) each."""
        return tuple(np.zeros((batch_size, columns), dtype=np.float32) for _, _, columns in self.states)

    def __call__(self, X: np.ndarray, state: Arrays) -> Tuple[np.ndarray, Arrays]:
        """X: (batch_size, num_steps), indices of characters; state: from `begin_state` or the call before.

        Returns the logits (num_steps * batch_size, vocab_size), all rows of the first step first, and the new state.
        """
        inputs = {name: array for (name, _, _), array in zip(self.states, state)}
        logits, *state = self.session.run(self._outputs, {'X': X, **inputs})
        return logits.transpose(1, 0, 2).reshape(-1, logits.shape[2]), tuple(state)


def load_onnx(path: Path) -> OnnxModel:
    """Read an exported model. Raises ValueError if the file is damaged or none of this project's, ImportError without ONNX
    Runtime, OSError if it cannot be read.
    """
    data = path.read_bytes()
    found = _SHA256.search(data)
    # another tool that has rewritten the file, to quantise it, say, names itself as the producer, and answers for the rest
    if _START.match(data) and not (found and sign(data, unsigned=found[1]) == data):
        raise ValueError(f'{path} is damaged: its contents are not what was exported. Write it again by scripts/export.py')
    return load_onnx_bytes(data, str(path))


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
        about = {key: json.loads(about[key]) for key in ('settings', 'vocabulary', 'words', 'states') if key in about}
        settings, vocabulary, states = about['settings'], Vocabulary.from_dict(about), about['states']
        return OnnxModel(session, settings, vocabulary, [(s['input'], s['output'], s['columns']) for s in states])
    except Exception as error:      # ONNX Runtime's own have no common name
        said = (str(error).splitlines() or [''])[0][:120]
        raise ValueError(f'{name} is no model that gluon_rnn has exported ({type(error).__name__}: {said}): write one by '
                         f'scripts/export.py RUN --format onnx') from None


def sign(data: bytes, *, unsigned: bytes = UNSIGNED.encode()) -> bytes:
    """The file with its SHA-256 in the place of `unsigned`, taken with zeros there."""
    place = b'\n\x06sha256\x12@'
    blank = data.replace(place + unsigned, place + UNSIGNED.encode())
    return blank.replace(place + UNSIGNED.encode(), place + hashlib.sha256(blank).hexdigest().encode())
