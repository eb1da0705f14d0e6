"""Models as ONNX files: the same numbers in ONNX Runtime, what is in the file, and files that are none."""
from __future__ import annotations

import dataclasses
import json

import numpy as np
import onnx
import pytest
from mxnet import nd

from gluon_rnn import ModelConfig, build_model, copy_params, generate
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.cells.weights import flat_state
from gluon_rnn.exchange.onnx_model import load_onnx, load_onnx_bytes
from gluon_rnn.exchange.to_onnx import IR_VERSION, OPSET, export_onnx, onnx_difference, to_onnx
from gluon_rnn.models.classifier import Classifier, ClassifierConfig
from gluon_rnn.version import __version__

LETTERS = tuple('abcdefghi')
CELLS = [{'cell': 'rnn'}, {'cell': 'rnn', 'activation': 'relu'}, {'cell': 'rnn', 'activation': 'sigmoid'}, {'cell': 'gru'},
         {'cell': 'gru', 'reset_after': True}, {'cell': 'lstm'}]
SHAPES = [{}, {'num_layers': 3}, {'bidirectional': True}, {'bidirectional': True, 'num_layers': 2}]
OTHERS = [{'cell': 'gru', 'bidirectional': True, 'backward_hiddens': 3, 'num_layers': 2},
          {'cell': 'lstm', 'bidirectional': True, 'backward_hiddens': 8},
          {'cell': 'lstm', 'bidirectional': True, 'both_forward': True},
          {'cell': 'gru', 'num_layers': 3, 'residual': True, 'reset_after': True},
          {'cell': 'rnn', 'num_layers': 2, 'bidirectional': True, 'residual': True},
          {'cell': 'lstm', 'num_layers': 2, 'dropout': 0.4}]
CLOCKWORK = [{'periods': (1, 2, 3)}, {'periods': (6,)}, {'periods': (4, 1), 'num_layers': 2},
             {'periods': (3, 2), 'bidirectional': True, 'num_layers': 2},
             {'periods': (2, 1), 'bidirectional': True, 'both_forward': True}]


def name(network: dict) -> str:
    return '-'.join(f'{key}={value}' for key, value in network.items())


def large_weights(config, seed):
    """A model with random weights so large that every gate matters, all biases among them. What relu gives must not explode."""
    model, rng = build_model(config), np.random.default_rng(seed)
    for param in model.parameters().values():
        param[:] = rng.normal(scale=0.3 if config.activation == 'relu' else 0.6, size=param.shape)
    return model


def make(seed, impl='scratch', **network):
    if impl == 'gluon' and network.get('cell') == 'gru':
        network['reset_after'] = None
    return large_weights(ModelConfig(impl=impl, num_hiddens=6, vocab_size=len(LETTERS), **network), seed)


def exported(model):
    return load_onnx_bytes(to_onnx(model, LETTERS), 'model.onnx')


def assert_same(model, onnx_model, batch_size, num_steps, rng):
    """Over two calls, from a state that is not zero."""
    clocks = model.config.cell == 'clockwork'
    state = tuple(s if clocks else s + nd.array(rng.normal(scale=0.5, size=s.shape)) for s in model.begin_state(batch_size))
    other = tuple(flat_state([s.asnumpy() for s in state]))
    assert [s.shape for s in other] == [s.shape for s in onnx_model.begin_state(batch_size)]
    for _ in range(2):
        X = rng.integers(len(LETTERS), size=(batch_size, num_steps))
        logits, state = model(X, state)
        found, other = onnx_model(X, other)
        np.testing.assert_allclose(found, logits.asnumpy(), rtol=0, atol=1e-5)
        wanted = flat_state([s.asnumpy() for s in state])
        assert len(other) == len(wanted)
        for there, here in zip(other, wanted):
            np.testing.assert_allclose(there, here, rtol=0, atol=1e-5)
        assert np.abs(found).max() > 0.1


# all implementations give one graph, as is held below
@pytest.mark.parametrize('network, impl', [*(({**cell, **shape}, 'numba') for cell in CELLS for shape in SHAPES),
                                           *((cell, impl) for cell in CELLS for impl in IMPLS if impl != 'numba')],
                         ids=lambda value: value if isinstance(value, str) else name(value))
def test_the_same_numbers(network, impl, seed):
    model, rng = make(seed, impl, **network), np.random.default_rng(seed)
    onnx_model = exported(model)
    for batch_size, num_steps in ((1, 1), (3, 7), (1, 7)):
        assert_same(model, onnx_model, batch_size, num_steps, rng)


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
@pytest.mark.parametrize('network', OTHERS, ids=name)
def test_the_same_numbers_of_rarer_networks(network, impl, seed):
    model = make(seed, impl, **network)
    onnx_model, rng = exported(model), np.random.default_rng(seed)
    for batch_size, num_steps in ((1, 1), (3, 7)):
        assert_same(model, onnx_model, batch_size, num_steps, rng)


@pytest.mark.parametrize('network', CLOCKWORK, ids=name)
def test_the_same_numbers_of_a_clockwork(network, seed):
    model = make(seed, cell='clockwork', **network)
    onnx_model, rng = exported(model), np.random.default_rng(seed)
    for batch_size, num_steps in ((1, 1), (3, 7), (2, 12)):
        assert_same(model, onnx_model, batch_size, num_steps, rng)


@pytest.mark.parametrize('network', [*CELLS, *OTHERS[2:4], {'cell': 'clockwork', 'periods': (1, 2, 3)}], ids=name)
def test_step_by_step_is_the_whole(network, seed):
    onnx_model = exported(make(seed, **network))
    X = np.random.default_rng(seed).integers(len(LETTERS), size=(2, 9))
    whole, last = onnx_model(X, onnx_model.begin_state(2))
    state, rows = onnx_model.begin_state(2), []
    for t in range(9):
        logits, state = onnx_model(X[:, t:t + 1], state)
        rows.append(logits)
    np.testing.assert_allclose(np.concatenate(rows), whole, rtol=0, atol=1e-6)
    for one, other in zip(state, last):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_implementations_give_one_graph(cell, seed):
    scratch = make(seed, cell=cell, num_layers=2, bidirectional=True, **({'reset_after': True} if cell == 'gru' else {}))
    graphs = []
    for impl in IMPLS:
        model = build_model(dataclasses.replace(scratch.config, impl=impl))
        copy_params(scratch, model)
        graphs.append(onnx.load_from_string(to_onnx(model, LETTERS)).graph.SerializeToString(deterministic=True))
    assert graphs[0] == graphs[1] == graphs[2]


# ------------------------------------------------------------------------------------------------------------- what is in it

def test_what_the_file_holds(tmp_path, seed):
    model, path = make(seed, 'hybrid', cell='lstm', num_layers=2), tmp_path / 'model.onnx'
    apart = export_onnx(model, LETTERS, path)
    assert 0 < apart < 1e-5 and list(tmp_path.iterdir()) == [path]
    proto = onnx.load(str(path))
    onnx.checker.check_model(proto, full_check=True)
    assert [(o.domain, o.version) for o in proto.opset_import] == [('', OPSET)] and proto.ir_version == IR_VERSION
    assert (proto.producer_name, proto.producer_version) == ('gluon_rnn', __version__)
    assert [node.op_type for node in proto.graph.node].count('LSTM') == 2
    axes = {value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
            for value in (*proto.graph.input, *proto.graph.output)}
    states = ['layer0.H', 'layer0.C', 'layer1.H', 'layer1.C']
    assert axes == {'X': ['batch_size', 'num_steps'], 'logits': ['batch_size', 'num_steps', 9],
                    **{name + end: ['batch_size', 6] for name in states for end in ('', '_next')}}
    about = {p.key: p.value for p in proto.metadata_props}
    assert json.loads(about['vocabulary']) == ''.join(LETTERS) and about['version'] == __version__
    assert json.loads(about['states']) == [{'input': name, 'output': f'{name}_next', 'columns': 6} for name in states]
    read = load_onnx(path)
    assert ModelConfig(**read.settings) == model.config and read.idx_to_char == LETTERS


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('options', [{}, {'temperature': 0.7}, {'temperature': 2.0, 'top_k': 4}], ids=str)
def test_the_same_text(impl, options, seed):
    model = make(seed, impl, cell='gru')
    onnx_model = exported(model)
    wanted, found = (generate(m, LETTERS, 'bad', 60, seed=5, **options) for m in (model, onnx_model))
    assert found == wanted and len(set(found)) > 2


def test_characters_that_need_care(tmp_path, seed):
    chars = ('\x00', '\n', ' ', '"', '\\', 'é', '分', '𝄞', '😀')
    model = make(seed)
    export_onnx(model, chars, tmp_path / 'model.onnx')
    read = load_onnx(tmp_path / 'model.onnx')
    assert read.idx_to_char == chars
    assert generate(read, read.idx_to_char, '分\x00😀', 20) == generate(model, chars, '分\x00😀', 20)


def test_the_files_of_one_model_are_the_same(tmp_path, seed):
    assert to_onnx(make(seed, cell='lstm'), LETTERS) == to_onnx(make(seed, cell='lstm'), LETTERS)


# ------------------------------------------------------------------------------------------------------------- what is refused

def test_what_cannot_be_exported(tmp_path, seed, monkeypatch):
    path = tmp_path / 'model.onnx'
    with pytest.raises(ValueError, match='must have 9 characters as the model, got 3'):
        export_onnx(make(seed), 'abc', path)
    with pytest.raises(ValueError, match='only language models are exported, got a Classifier'):
        export_onnx(Classifier.build(ClassifierConfig('lstm', num_hiddens=3, num_inputs=2, num_classes=2)), 'ab', path)
    monkeypatch.setattr('gluon_rnn.exchange.to_onnx.onnx_difference', lambda *_: float('nan'))
    with pytest.raises(ValueError, match='differ by nan on this model, more than 1e-05: not written'):
        export_onnx(make(seed), LETTERS, path)
    assert not list(tmp_path.iterdir())


def test_the_difference_is_seen(seed):
    """Of a file with another model's weights."""
    assert onnx_difference(make(seed), exported(make(seed))) < 1e-6
    assert onnx_difference(make(seed), exported(make(seed + 1))) > 0.1
    assert onnx_difference(make(seed, cell='gru', reset_after=True), exported(make(seed, cell='gru'))) > 1e-3
