"""The kernels on NDArrays' memory, and their place in autograd: what `impl='numba'` is.

A network here keeps the parameters of one of `cells/` and computes its numbers; called, it is one step of autograd's record.
"""
from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd
from mxnet.base import _LIB, check_call

from .. import runtime
from ..cells.base import Network, Twin
from ..cells.bi_rnn import BiRNN, BothForward
from ..cells.deep_rnn import DeepRNN
from ..cells.gru import GRU
from ..cells.lstm import LSTM
from ..cells.ops import Inputs, OneHot, State
from ..cells.rnn import RNN
from ..corpora.indices import check_indices
from .function import Function

with runtime.kernel_cache():
    from ..kernels import network, threads
    from ..kernels.direction import Direction
    from ..kernels.products import padded

_CELLS = {RNN: 'rnn', GRU: 'gru', LSTM: 'lstm'}
_PASSES_KEPT = 8        # of the shapes met lately, for the next forward pass of the kind
_pool: List[threads.Pool] = []


def pool() -> threads.Pool:
    """The threads that all kernels share, as many as `runtime.num_threads()` says at the first call."""
    if not _pool:
        _pool.append(threads.Pool(runtime.num_threads()))
    return _pool[0]


def view(array: nd.NDArray) -> np.ndarray:
    """The memory of an NDArray on the CPU, good while that lives, once nothing that MXNet has queued reads or writes it."""
    check_call(_LIB.MXNDArrayWaitToWrite(array.handle))
    return _memory(array)


def views(arrays: Iterable[nd.NDArray]) -> List[np.ndarray]:
    """The same of many, waiting once for all that MXNet has queued, anywhere. Not inside an operator, which waits for itself."""
    nd.waitall()
    return [_memory(array) for array in arrays]


def _memory(array: nd.NDArray) -> np.ndarray:
    place, dtype = ctypes.c_void_p(), np.dtype(array.dtype)
    check_call(_LIB.MXNDArrayGetData(array.handle, ctypes.byref(place)))
    numbers = (ctypes.c_char * (array.size * dtype.itemsize)).from_address(place.value or 0)
    return np.frombuffer(numbers, dtype).reshape(array.shape)


class NumbaNetwork(Twin):
    """A hand-written network of RNN, GRU and LSTM layers, deep and bidirectional, run by the kernels. On a CPU alone.

    scratch: the network whose parameters and numbers these are. Raises ValueError for one that the kernels do not have.
    """

    def __init__(self, scratch: Network):
        if scratch.ctx.device_type != 'cpu':
            raise ValueError(f'impl numba runs on a CPU, got {scratch.ctx}: use gluon or hybrid there')
        super().__init__(scratch)
        self.layers = _layers(scratch)
        self.prefixes = [[prefix for prefix, _, _ in layer] for layer in self.layers]
        self._networks: Dict[bool, network.Network] = {}
        self._free: Dict[Any, List[Any]] = {}
        self._dropout: List[int] = []       # seed, epoch, step

    def begin_epoch(self, seed: int, epoch: int) -> None:
        """Make dropout's masks depend on the seed, the epoch and the number of training passes since."""
        self._dropout = [seed, epoch, 0]

    def dropout_key(self) -> int | None:
        """Which masks the next forward pass of training draws; None where the network has no dropout."""
        if not getattr(self.network, 'dropout', 0):
            return None
        if not self._dropout:
            self._dropout = [int(nd.random.randint(0, 2 ** 31 - 1).asscalar()), 0, 0]
        key = 0
        for number in self._dropout:
            key = ((key ^ number) * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & (2 ** 63 - 1)
        self._dropout[2] += 1
        return key

    def kernels(self, one_hot: bool) -> network.Network:
        """The kernels of this network, for indices or for dense inputs."""
        if one_hot not in self._networks:
            layers = [[_direction(cell, reverse, one_hot and i == 0) for _, cell, reverse in layer]
                      for i, layer in enumerate(self.layers)]
            self._networks[one_hot] = network.Network(layers, pool(), dropout=getattr(self.network, 'dropout', 0),
                                                      residual=getattr(self.network, 'residual', False))
        return self._networks[one_hot]

    def by_direction(self, arrays: Mapping[str, Any]) -> network.Params:
        """Arrays by the parameters' names as the kernels take them: of each layer and direction, by the book's names."""
        return [[{name[len(prefix):]: array for name, array in arrays.items()
                  if name.startswith(prefix) and '.' not in name[len(prefix):]} for prefix in layer] for layer in self.prefixes]

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        return self.run_lengths(inputs, state, None)

    def run_lengths(self, inputs: Inputs, state: State, lengths: np.ndarray | None) -> Tuple[nd.NDArray, State]:
        dense = [] if isinstance(inputs, OneHot) else [inputs]
        walk = Walk(self, None if dense else whole_numbers(view(inputs.indices).T, self.num_inputs, 'indices'), lengths)
        arrays = [*dense, *state, *self.parameters().values()]
        if autograd.is_recording():
            outputs = walk(*arrays)
        else:
            outputs = walk.forward(arrays)
            walk.close()
        return outputs[0], tuple(outputs[1:])

    def take_pass(self, key: Any, lengths: np.ndarray | None) -> Any:
        """Arrays of a forward pass, used before where some are free.

        key: whether one-hot, num_steps, batch_size, whether all rows are of one length.
        """
        free = self._free.get(key)
        if free:
            p = free.pop()
            p.lengths = lengths if lengths is not None else p.lengths
            return p
        return self.kernels(key[0]).make_pass(*key[1:3], lengths=lengths)

    def give_back(self, key: Any, p: Any) -> None:
        """Take back a pass of which no gradient will be asked."""
        self._free.setdefault(key, []).append(p)
        while len(self._free) > _PASSES_KEPT:
            del self._free[next(iter(self._free))]


class Walk(Function):
    """One forward pass in autograd's record. indices: (T, B), or None where the first input is dense."""

    def __init__(self, net: NumbaNetwork, indices: np.ndarray | None, lengths: np.ndarray | None):
        self.net, self.indices, self.lengths = net, indices, lengths
        self.p: Any = None
        self.learn = autograd.is_recording()        # whether a gradient may be asked for

    def forward(self, inputs: Sequence[nd.NDArray]) -> List[nd.NDArray]:
        net, dense = self.net, self.indices is None
        X = view(inputs[0]) if self.indices is None else self.indices
        self.key = (not dense, *X.shape[:2], self.lengths is None)
        self.kernels, p = net.kernels(not dense), net.take_pass(self.key, self.lengths)
        self.p = p
        state = [view(array) for array in inputs[dense:dense + net.num_states]]
        arrays = [view(array) for array in inputs[dense + net.num_states:]]
        params = net.by_direction(dict(zip(net.parameters(), arrays)))
        train = autograd.is_training()
        self.kernels.begin(p, X, state, drop=train, dropout_key=net.dropout_key() if train else None)
        number, runs = self.kernels.pool.threads, self.kernels.pool.run
        runs(lambda k: self.kernels.pack(p, params, self.learn, k, number))
        runs(lambda k: self.kernels.forward(p, params, self.learn, k), p.groups * p.columns, meet=p.columns > 1)
        return [nd.array(p.Y[-1], ctx=net.ctx), *(nd.array(value, ctx=net.ctx) for value in self.kernels.last_state(p))]

    def backward(self, output_grads: List[nd.NDArray], out: List[nd.NDArray]) -> None:
        kernels, net, p, dense = self.kernels, self.net, self.p, self.indices is None
        kept = [(room.S.copy(), room.E.copy()) for _, room in kernels.walks(p)]     # for another gradient of a retained graph
        p.dY[-1][:, :, :net.num_outputs] = view(output_grads[0])
        kernels.begin_backward(p, [view(grad) for grad in output_grads[1:]])
        dX = np.zeros((p.T, p.B, padded(net.num_inputs)), np.float32) if dense else None
        kernels.pool.run(lambda k: kernels.backward(p, k, dX=dX), p.groups * p.columns, meet=p.columns > 1)
        kernels.count_inputs(p)
        kernels.pool.run(lambda k: kernels.weights(p))
        grads = [view(array) for array in out]
        if dX is not None:
            grads[0][...] = dX[:, :, :net.num_inputs]
        first = iter(grads[dense:])
        for direction, room in kernels.walks(p):
            for slot in (room.dH, room.dC)[:direction.num_states]:
                next(first)[...] = slot[0, :, :direction.num_hiddens]
        of = net.by_direction(dict(zip(net.parameters(), grads[dense + net.num_states:])))
        for layer, found in zip(of, kernels.gradients(p)):
            for own, gradients in zip(layer, found):
                for gradient in gradients:
                    grad = own[gradient.name]
                    if gradient.rows is None:
                        grad[...] = gradient.values.reshape(grad.shape)
                    else:
                        grad[...] = 0
                        grad[gradient.rows] = gradient.values
        for (S, E), (_, room) in zip(kept, kernels.walks(p)):
            room.S[...], room.E[...] = S, E

    def close(self) -> None:
        if self.p is not None:
            self.net.give_back(self.key, self.p)
            self.p = None

    def __del__(self) -> None:
        self.close()


def whole_numbers(indices: Any, limit: int, name: str) -> np.ndarray:
    """Indices (batch_size, num_steps) as the kernels take them, (num_steps, batch_size). ValueError for one out of range."""
    return np.ascontiguousarray(check_indices(indices, limit, name).T, np.int64)


def _layers(scratch: Any) -> List[List[Tuple[str, Any, bool]]]:
    """Each layer and direction: the prefix of its parameters' names, its cell, and whether it reads from the end."""
    parts = scratch.parts.items() if isinstance(scratch, DeepRNN) else [('', scratch)]
    found = []
    for name, layer in parts:
        prefix = f'{name}.' if name else ''
        if isinstance(layer, BiRNN):
            found.append([(f'{prefix}{key}.', cell, key == 'backward' and not isinstance(layer, BothForward))
                          for key, cell in layer.parts.items()])
        else:
            found.append([(prefix, layer, False)])
    for _, cell, _ in (entry for layer in found for entry in layer):
        if type(cell) not in _CELLS:
            raise ValueError(f'impl numba has RNN, GRU and LSTM, got {type(cell).__name__}: use impl scratch or hybrid')
    return found


def _direction(cell: Any, reverse: bool, one_hot: bool) -> Direction:
    return Direction(_CELLS[type(cell)], cell.num_inputs, cell.num_hiddens, one_hot=one_hot, reverse=reverse,
                     activation=getattr(cell, 'activation', 'tanh'), reset_after=getattr(cell, 'reset_after', False),
                     inner_bias='b_hh' in cell.params)
