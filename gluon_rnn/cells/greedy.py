"""Greedy generation as one compiled graph: with a batch of one, calling an operator from Python costs more than the operator."""
from __future__ import annotations

from typing import Any, Callable, List, Tuple

from mxnet import nd, sym

from .base import Network
from .deep_rnn import DeepRNN
from .hybrid import Compiled, Hybrid, Sym
from .ops import State
from .output_layer import OutputLayer

CHARS_AT_ONCE = 16      # characters that one call goes on by
Writer = Callable[[nd.NDArray, State], Tuple[nd.NDArray, State]]


def can_compile(network: Network, output: Any) -> bool:
    """Whether this can be compiled here: hand-written layers made of symbols, one above the other."""
    layers = list(network.parts.values()) if isinstance(network, DeepRNN) else [network]
    return isinstance(output, OutputLayer) and all(isinstance(layer, Hybrid) for layer in layers)


class Greedy:
    """The likeliest character after each one, `CHARS_AT_ONCE` of them a call; `can_compile` says for which models.

    Where a vector is multiplied, oneDNN's `FullyConnected` takes a fifth of `dot`'s time or less, and a transposed weight. A
    weight is transposed once for a whole text, so a text's weights are those of its beginning.
    """

    def __init__(self, network: Any, output: OutputLayer):
        self.parameters = {**network.parameters(), **output.parameters()}
        W = {name: sym.var(name) for name in self.parameters}
        self.gathered = _gathered(network)
        X, state = sym.var('X'), [sym.var(f'state{k}') for k in range(network.num_states)]
        arguments, chosen = [X, *state, *W.values()], []
        for _ in range(CHARS_AT_ONCE):
            H, state = _step(network, X, state, W)
            logits = sym.FullyConnected(H, W['W_hq'], W['b_q'], num_hidden=output.b_q.shape[0])
            X = sym.argmax(logits, axis=1)
            chosen.append(X)
        self.graph = Compiled([sym.stack(*chosen, axis=1), *state], arguments)

    def begin(self) -> Writer:
        """A function for one text, with the weights as they are now.

        Takes X, (1, 1), the index of a character, and the state before it. Returns the characters that follow,
        (1, CHARS_AT_ONCE), and the state before their last.
        """
        weights = [value.T if value.ndim == 2 and name not in self.gathered else value
                   for name, value in self.parameters.items()]

        def write(X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
            chosen, *last = self.graph(X.reshape((1,)), *state, *weights)
            return chosen, tuple(last)
        return write


def _gathered(network: Any, prefix: str = '') -> List[str]:
    """The weights that a character's index picks a row of: W_x of the first layer."""
    if isinstance(network, Hybrid):
        return [f'{prefix}W_x{gate}' for gate in network.gates]
    part, layer = next(iter(network.parts.items()))
    return _gathered(layer, f'{prefix}{part}.')


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
            H_layer, now = layer.symbol_step(_products(H, own, layer.num_hiddens), mine, own)
            H = H + H_layer if network.residual else H_layer
        last += now
    return H, last


def _products(H: Sym, W: Any, num_hiddens: int) -> Callable[[str], Sym]:
    return lambda gate: sym.FullyConnected(H, W[f'W_x{gate}'], num_hidden=num_hiddens, no_bias=True)
