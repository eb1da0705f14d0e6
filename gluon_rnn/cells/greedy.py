"""Greedy generation as one compiled graph: with a batch of one, calling an operator from Python costs more than the operator."""
from __future__ import annotations

from typing import Any, List, Tuple

from mxnet import nd, sym

from .deep_rnn import DeepRNN
from .hybrid import Compiled, Hybrid, Sym
from .network import Network
from .ops import State
from .output_layer import OutputLayer

CHARS_AT_ONCE = 8       # characters that one call goes on by


def can_compile(network: Network, output: Any) -> bool:
    """Whether this can be compiled here: hand-written layers made of symbols, one above the other."""
    layers = list(network.parts.values()) if isinstance(network, DeepRNN) else [network]
    return isinstance(output, OutputLayer) and all(isinstance(layer, Hybrid) for layer in layers)


class Greedy:
    """The likeliest character after each one, `CHARS_AT_ONCE` of them a call; `can_compile` says for which models."""

    def __init__(self, network: Any, output: OutputLayer):
        self.parameters = {**network.parameters(), **output.parameters()}
        W = {name: sym.var(name) for name in self.parameters}
        X, state = sym.var('X'), [sym.var(f'state{k}') for k in range(network.num_states)]
        arguments, chosen = [X, *state, *W.values()], []
        for _ in range(CHARS_AT_ONCE):
            H, state = _step(network, X, state, W)
            X = sym.argmax(sym.broadcast_add(sym.dot(H, W['W_hq']), W['b_q'].reshape((1, -1))), axis=1)
            chosen.append(X)
        self.graph = Compiled([sym.stack(*chosen, axis=1), *state], arguments)

    def __call__(self, X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
        """X: (1, 1), the index of a character. Returns those that follow, (1, CHARS_AT_ONCE), and the state before their last."""
        chosen, *last = self.graph(X.reshape((1,)), *state, *self.parameters.values())
        return chosen, tuple(last)


def _step(network: Any, X: Sym, state: List[Sym], W: Any) -> Tuple[Sym, List[Sym]]:
    if isinstance(network, Hybrid):
        shape = network.num_inputs, network.num_hiddens
        return network.symbol_step(lambda gate: sym.Embedding(X, W[f'W_x{gate}'], *shape), state, W)
    last: List[Sym] = []
    H: Any = None
    for i, (part, layer) in enumerate(network.parts.items()):
        own = {name[len(part) + 1:]: value for name, value in W.items() if name.startswith(f'{part}.')}
        mine = state[len(last):len(last) + layer.num_states]
        if i == 0:
            H, now = _step(layer, X, mine, own)
        else:
            H_layer, now = layer.symbol_step(lambda gate, H=H, own=own: sym.dot(H, own[f'W_x{gate}']), mine, own)  # type: ignore
            H = H + H_layer if network.residual else H_layer
        last += now
    return H, last
