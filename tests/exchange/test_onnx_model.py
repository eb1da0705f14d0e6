"""Files of exported models: whole, damaged, converted by other tools, and none of ours."""
from __future__ import annotations

import re
import warnings

import numpy as np
import onnx
import onnx.version_converter
import pytest
from mxnet import nd

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.exchange.onnx_model import load_onnx
from gluon_rnn.exchange.to_onnx import export_onnx, onnx_difference

LETTERS = tuple('abcdefghi')


def make(**network):
    """A model with weights so large that each of them matters."""
    model = build_model(ModelConfig(num_hiddens=6, vocab_size=len(LETTERS), **network))
    for param in model.parameters().values():
        param[:] = nd.random.normal(scale=0.6, shape=param.shape)
    return model


@pytest.fixture
def path(tmp_path):
    export_onnx(make(), LETTERS, tmp_path / 'model.onnx')
    return tmp_path / 'model.onnx'


def test_a_damaged_file(path):
    """Refused, or told; and what is told computes the same."""
    data, X = path.read_bytes(), np.arange(9)[None]
    whole = load_onnx(path)
    wanted, _ = whole(X, whole.begin_state(1))
    for cut in (0, 1, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match=r'is damaged|is no model that gluon_rnn has exported'):
            load_onnx(path)
    ends = {'refused': 0, 'told': 0}
    for place in range(0, len(data), 61):
        path.write_bytes(data[:place] + bytes([data[place] ^ 64]) + data[place + 1:])
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter('always')
                read = load_onnx(path)
            assert 'has changed since it was exported' in str(said[0].message)
            if read.settings == whole.settings:         # and not a name that is only read
                np.testing.assert_allclose(read(X, read.begin_state(1))[0], wanted, rtol=0, atol=1e-4)
            ends['told'] += 1
        except ValueError as error:
            assert re.search(r'is damaged|is no model that gluon_rnn has exported', str(error))
            ends['refused'] += 1
    assert ends['refused'] > 2 * ends['told'] > 0, ends
    path.write_bytes(data)
    load_onnx(path)


@pytest.mark.parametrize('network', [{}, {'cell': 'rnn'}, {'cell': 'lstm', 'num_layers': 2, 'bidirectional': True}], ids=str)
def test_a_file_that_another_tool_has_converted(tmp_path, network):
    """To another opset, or with a description put into it: it runs, and says that it has changed."""
    model, path = make(**network), tmp_path / 'model.onnx'
    export_onnx(model, LETTERS, path)
    data = path.read_bytes()
    described = onnx.load_from_string(data)
    described.doc_string = 'my model'
    for proto in (described, onnx.version_converter.convert_version(onnx.load_from_string(data), 17)):
        path.write_bytes(proto.SerializeToString())
        with pytest.warns(UserWarning, match=r'model.onnx has changed since it was exported.* are \d\.\de[+-]\d+ from') as said:
            read = load_onnx(path)
        assert len(said) == 1 and onnx_difference(model, read) < 1e-5
    weight = described.graph.initializer[-1]
    weight.raw_data = np.full(int(np.prod(weight.dims)), 0.5, np.float32).tobytes()
    path.write_bytes(described.SerializeToString())
    with pytest.raises(ValueError, match='is damaged: its contents are not what was exported'):
        load_onnx(path)


def test_a_file_that_is_none_of_ours(path):
    proto = onnx.load(str(path))
    proto.producer_name = 'another tool'        # that has rewritten the file, and left its metadata
    proto.graph.doc_string = 'quantised'
    path.write_bytes(proto.SerializeToString())
    with pytest.warns(UserWarning, match='has changed since it was exported'):
        assert load_onnx(path).idx_to_char == LETTERS
    for broken in ('settings', 'format'):
        rest = [p for p in proto.metadata_props if p.key != broken]
        del proto.metadata_props[:]
        proto.metadata_props.extend(rest)
        path.write_bytes(proto.SerializeToString())
        with pytest.raises(ValueError, match=r'model.onnx is no model that gluon_rnn has exported .*scripts/export.py'):
            load_onnx(path)
    path.write_text('{"not": "ONNX"}')
    with pytest.raises(ValueError, match='is no model that gluon_rnn has exported'):
        load_onnx(path)
