"""A trained language model as an ONNX file: a way out of a framework that is no longer developed.

    X ── one-hot ── RNN, GRU or LSTM ── … ── W_hq, b_q ── logits        docs/export.md describes the file,
         state in ──┘            └── state out                          onnx_model.py runs it

The graph is made from the weights under the book's names (`Model.book_params`), so that every implementation of a network
gives the same file. Layers and directions are one node each. PyTorch's files are written by `torch_parity/model_file.py`.
"""
from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ..cells.base import BookParams
from ..cells.clockwork_rnn import PERIODS
from ..cells.weights import ONNX_GATES, flat_state, pack
from ..corpora.tokens import Vocabulary
from ..models.language_model import LanguageModel, ModelConfig
from ..runs.files import write_whole
from ..version import __version__
from .onnx_model import FORMAT, TOLERANCE, UNSIGNED, OnnxModel, load_onnx_bytes, sign

try:
    import onnx
except ImportError:
    raise ImportError('ONNX is not installed: pip install onnx onnxruntime') from None
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 13, 7       # of 2020: whatever reads ONNX reads these


def export_onnx(model: LanguageModel, idx_to_char: Sequence[str], path: Path) -> float:
    """Write a model and its vocabulary to `path`, whole or not at all, once it has computed the same in ONNX Runtime.

    Returns the largest difference from what MXNet computes (see `onnx_difference`). Raises ValueError if the vocabulary
    is not the model's, and where the two do not agree; ImportError without onnx or ONNX Runtime.
    """
    data = to_onnx(model, idx_to_char)
    apart = onnx_difference(model, load_onnx_bytes(data, str(path)))
    if not apart <= TOLERANCE:
        raise ValueError(f'ONNX Runtime and MXNet differ by {apart:.1e} on this model, more than {TOLERANCE:.0e}: not written')
    write_whole(path, data)
    return apart


def to_onnx(model: LanguageModel, idx_to_char: Sequence[str]) -> bytes:
    """The file's contents, checked by `onnx.checker`."""
    config = model.config
    if not isinstance(config, ModelConfig):
        raise ValueError(f'only language models are exported, got a {type(model).__name__}')
    if len(idx_to_char) != config.vocab_size:
        raise ValueError(f'the vocabulary must have {config.vocab_size} characters as the model, got {len(idx_to_char)}')
    graph = _Graph(config, model.book_params())
    about = {'format': FORMAT, 'version': __version__, 'settings': json.dumps(dataclasses.asdict(config)),
             **{key: json.dumps(value, ensure_ascii=False) for key, value in Vocabulary.of(idx_to_char).as_dict().items()},
             'states': json.dumps([{'input': name, 'output': f'{name}_next', 'columns': n} for name, n in graph.states]),
             'sha256': UNSIGNED}
    proto = helper.make_model(graph.build(), producer_name='gluon_rnn', producer_version=__version__, ir_version=IR_VERSION,
                              opset_imports=[helper.make_opsetid('', OPSET)])
    helper.set_model_props(proto, about)
    about['probe'] = json.dumps(load_onnx_bytes(proto.SerializeToString(), 'the model').probe())
    helper.set_model_props(proto, about)
    onnx.checker.check_model(proto, full_check=True)
    return sign(proto.SerializeToString())


def onnx_difference(model: LanguageModel, exported: OnnxModel) -> float:
    """The difference of logits and states on two batches of random characters, the second going on from the first.

    Of each array the largest difference over its largest number, or over 1 where that is larger.
    """
    rng, apart = np.random.default_rng(0), 0.0
    state, other = model.begin_state(3), exported.begin_state(3)
    for num_steps in (7, 1):
        X = rng.integers(model.config.vocab_size, size=(3, num_steps))
        logits, state = model(X, state)
        found, other = exported(X, other)
        for here, there in zip((logits.asnumpy(), *flat_state([s.asnumpy() for s in state])), (found, *other)):
            apart = max(apart, float(np.abs(here - there).max() / max(1, np.abs(here).max())))
    return apart


class _Graph:
    """The nodes, weights, inputs and outputs of a model."""

    def __init__(self, config: ModelConfig, params: BookParams):
        self.config, self.params = config, params
        self.nodes: List[Any] = []
        self.weights: Dict[str, Any] = {}
        self.states: List[Tuple[str, int]] = []         # name, columns
        self.build_nodes()

    def build_nodes(self) -> None:
        config = self.config
        indices = self.add('Transpose', ['X'], perm=[1, 0])                     # time-major, as everything in here
        if config.embed_size:
            H = self.add('Gather', [self.constant('W_e', self.params['W_e']), indices], 'embedded')
        else:
            depth = self.constant('vocab_size', np.int64(config.vocab_size))
            H = self.add('OneHot', [indices, depth, self.constant('off_on', np.array([0, 1], dtype=np.float32))], 'one_hot')
        for i in range(config.num_layers):
            layer = f'layer{i}.' * (config.num_layers > 1)
            if config.bidirectional:
                outputs = [self.direction(layer + 'forward.', H, config.num_hiddens),
                           self.direction(layer + 'backward.', H, config.backward_hiddens or config.num_hiddens,
                                          from_end=not config.both_forward)]
                H_layer = self.add('Concat', outputs, f'{layer}outputs', axis=2)
            else:
                H_layer = self.direction(layer, H, config.num_hiddens)
            H = self.add('Add', [H, H_layer], f'{layer}residual') if i and config.residual else H_layer
        product = self.add('MatMul', [H, self.constant('W_hq', self.params['W_hq'])])
        O = self.add('Add', [product, self.constant('b_q', self.params['b_q'])])
        self.add('Transpose', [O], 'logits', perm=[1, 0, 2])

    def direction(self, name: str, X: str, num_hiddens: int, *, from_end: bool = False) -> str:
        """A layer in one direction over X (num_steps, batch_size, n). Returns what its hidden states are called."""
        params = {key[len(name):]: value for key, value in self.params.items()
                  if key.startswith(name) and key not in ('W_hq', 'b_q', 'W_e')}
        run = self.clockwork if self.config.cell == 'clockwork' else self.fused
        return run(name, X, num_hiddens, params, from_end)

    def fused(self, name: str, X: str, num_hiddens: int, params: BookParams, from_end: bool) -> str:
        """The operators RNN, GRU and LSTM. They have an axis more, for directions, of which there is one here."""
        cell = self.config.cell
        packed = pack(params, cell, ONNX_GATES)
        biases = np.concatenate([packed['i2h_bias'], packed['h2h_bias']])
        W, R, B = (self.constant(f'{name}{key}', array[None]) for key, array in
                   (('W', packed['i2h_weight']), ('R', packed['h2h_weight']), ('B', biases)))
        kinds = ('H', 'C') if cell == 'lstm' else ('H',)
        first, second = (self.constant(f'axis_{k}', np.array([k], dtype=np.int64)) for k in (0, 1))
        states = [self.state(f'{name}{kind}', num_hiddens) for kind in kinds]
        begin = [self.add('Unsqueeze', [state, first]) for state in states]
        options: Dict[str, Any] = {}
        if cell == 'rnn':
            options['activations'] = [self.config.activation.capitalize()]
        if cell == 'gru':
            options['linear_before_reset'] = int(self.config.resets_after)
        outputs = [f'{name}Y', *(f'{name}Y_{kind}' for kind in kinds)]
        self.nodes.append(helper.make_node(cell.upper(), [X, W, R, B, '', *begin], outputs, hidden_size=num_hiddens,
                                           direction='reverse' if from_end else 'forward', **options))
        for state, output in zip(states, outputs[1:]):
            self.add('Squeeze', [output, first], self.after(state, from_end))
        return self.add('Squeeze', [outputs[0], second], f'{name}outputs')

    def clockwork(self, name: str, X: str, num_hiddens: int, params: BookParams, from_end: bool) -> str:
        """The Clockwork RNN as a Scan over its steps: all groups are computed, and those kept that are due."""
        periods = sorted(self.config.periods or PERIODS)
        size = num_hiddens // len(periods)
        groups = range(len(periods))
        blocks = np.zeros((num_hiddens, num_hiddens), dtype=np.float32)
        for k in groups:
            blocks[k * size:, k * size:(k + 1) * size] = params[f'W_h{k}']
        W_x = self.constant(f'{name}W_x', np.concatenate([params[f'W_x{k}'] for k in groups], axis=1))
        b = self.constant(f'{name}b', np.concatenate([params[f'b_{k}'] for k in groups]))
        W_h = self.constant(f'{name}W_h', blocks)
        period = self.constant(f'{name}periods', np.repeat(np.array(periods, dtype=np.float32), size))
        cycle = self.constant(f'{name}cycle', np.float32(np.lcm.reduce(periods)))
        zero, one = self.constant('zero', np.float32(0)), self.constant('one', np.float32(1))
        node = helper.make_node
        step = helper.make_graph([
            node('Mod', ['clock', period], ['phase'], fmod=1),
            node('Equal', ['phase', zero], ['due']),
            node('MatMul', ['before', W_h], ['product']),
            node('Add', ['projected', 'product'], ['inside']),
            node('Tanh', ['inside'], ['candidate']),
            node('Where', ['due', 'candidate', 'before'], ['after']),
            node('Add', ['clock', one], ['one_more']),
            node('Mod', ['one_more', cycle], ['clock_after'], fmod=1),
            node('Identity', ['after'], ['output']),
        ], f'{name}step', rows(before=num_hiddens, clock=1, projected=num_hiddens),
            rows(after=num_hiddens, clock_after=1, output=num_hiddens))
        projected = self.add('Add', [self.add('MatMul', [X, W_x]), b])
        states = [self.state(f'{name}H', num_hiddens), self.state(f'{name}t', 1)]
        after = [self.after(state, from_end) for state in states]
        self.nodes.append(node('Scan', [*states, projected], [*after, f'{name}outputs'], body=step, num_scan_inputs=1,
                               scan_input_directions=[int(from_end)], scan_output_directions=[int(from_end)]))
        return f'{name}outputs'

    def state(self, name: str, columns: int) -> str:
        self.states.append((name, columns))
        return name

    def after(self, state: str, from_end: bool) -> str:
        """The name of a direction's last state: the state carried to the next batch, unless the direction runs from the end."""
        if not from_end:
            return f'{state}_next'
        self.add('ConstantOfShape', [self.add('Shape', [state])], f'{state}_next')
        return f'{state}_last'

    def add(self, op: str, inputs: List[str], output: str | None = None, **attributes: Any) -> str:
        """A node with one output. Returns the output's name."""
        output = output or f'{op.lower()}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, name: str, array: Any) -> str:
        """An array of the file, by its name; once, however often it is asked for."""
        self.weights[name] = numpy_helper.from_array(np.asarray(array, order='C'), name)
        return name

    def build(self) -> Any:
        value, vocab_size = helper.make_tensor_value_info, self.config.vocab_size
        return helper.make_graph(
            self.nodes, 'language_model',
            [value('X', TensorProto.INT64, ['batch_size', 'num_steps']), *rows(**dict(self.states))],
            [value('logits', TensorProto.FLOAT, ['batch_size', 'num_steps', vocab_size]),
             *rows(**{f'{name}_next': columns for name, columns in self.states})],
            list(self.weights.values()))


def rows(**columns: int) -> List[Any]:
    """Descriptions of arrays (batch_size, columns), by their names."""
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch_size', n]) for name, n in columns.items()]
