"""The epoch of a checkpoint, without the rest of it."""
from __future__ import annotations

import numpy as np
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.checkpoint import Checkpoint


@pytest.fixture
def path(tmp_path):
    model = build_model(ModelConfig(vocab_size=5, num_hiddens=8))
    arrays = {f'params/{name}': value.asnumpy() for name, value in model.parameters().items()}
    checkpoint.save(tmp_path / 'checkpoint.npz', Checkpoint(model.config, tuple('abcde'), 7, arrays, {}))
    return tmp_path / 'checkpoint.npz'


def test_the_epoch_is_read_without_the_arrays(path, monkeypatch):
    read, names = np.lib.npyio.NpzFile.__getitem__, []
    monkeypatch.setattr(np.lib.npyio.NpzFile, '__getitem__', lambda file, name: names.append(name) or read(file, name))
    assert checkpoint.read_epoch(path) == 7 and names == ['description']
    assert checkpoint.read(path).epoch == 7 and len(names) > 2


@pytest.mark.parametrize('damage', [lambda data: data[:100], lambda data: data.replace(b'"epoch": 7', b'"epoch": 9'),
                                    lambda data: b'\x93NUMPY', lambda data: b''])
def test_a_damaged_one_has_no_epoch(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match='is not a whole checkpoint of gluon_rnn'):
        checkpoint.read_epoch(path)
    with pytest.raises(ValueError, match='is not a whole checkpoint of gluon_rnn'):
        checkpoint.read(path)
