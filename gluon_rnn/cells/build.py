"""Build a network from its description."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Tuple

from .base import Network
from .bi_rnn import BiRNN, BothForward
from .clockwork_rnn import PERIODS, ClockworkRNN, check_periods
from .deep_rnn import DeepRNN
from .gru import GRU, gluon_gru
from .hybrid import Hybrid
from .lstm import LSTM, gluon_lstm
from .rnn import RNN, check_activation, gluon_rnn

CELLS = ('rnn', 'gru', 'lstm')                # in every implementation
ALL_CELLS = (*CELLS, 'clockwork')
IMPLS = ('scratch', 'hybrid', 'gluon', 'numba')
_SCRATCH: Dict[str, Callable[..., Network]] = {'rnn': RNN, 'gru': GRU, 'lstm': LSTM, 'clockwork': ClockworkRNN}
_GLUON: Dict[str, Callable[..., Network]] = {'rnn': gluon_rnn, 'gru': gluon_gru, 'lstm': gluon_lstm}


@dataclass(frozen=True)
class NetworkConfig:
    """A recurrent network, in any implementation."""
    cell: str = 'gru'                           # 'rnn', 'gru', 'lstm' or 'clockwork'
    impl: str = 'scratch'                       # 'scratch' (to be read), 'hybrid' (the same, a graph), 'gluon', 'numba' (fast)
    num_hiddens: int = 256                      # hidden units of a layer, in each direction
    num_layers: int = 1
    bidirectional: bool = False                 # a second direction, from the end of the sequence
    backward_hiddens: int | None = None         # its hidden units; None: as many as the first has
    activation: str = 'tanh'                    # of the 'rnn': 'tanh', 'relu' or 'sigmoid'
    reset_after: bool | None = None             # of the 'gru'; None: as the book has it, and as Gluon has it for 'gluon'
    dropout: float = 0                          # between layers
    periods: Tuple[int, ...] | None = None      # of the 'clockwork': one for each group of hidden units; None: 1, 2, 4, 8
    residual: bool = False                      # each layer but the first adds what it reads to what it gives
    both_forward: bool = False                  # a published mistake, see `BothForward`

    def __post_init__(self) -> None:
        """Raise ValueError for settings that no network has."""
        for name, allowed in (('cell', ALL_CELLS), ('impl', IMPLS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f'{name} must be one of {", ".join(allowed)}, got {getattr(self, name)!r}')
        for name in ('num_hiddens', 'num_layers', 'backward_hiddens'):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f'{name} must be 1 or more, got {value}')
        check_activation(self.activation)
        if not 0 <= self.dropout < 1:
            raise ValueError(f'dropout must be from 0 to below 1, got {self.dropout}')
        if self.cell == 'clockwork':
            if self.impl in ('gluon', 'numba'):
                raise ValueError(f'impl {self.impl} has no clockwork network: use impl scratch or hybrid')
            if self.periods is not None:
                object.__setattr__(self, 'periods', tuple(self.periods))        # a list, where it comes out of a JSON file
            for num_hiddens in (self.num_hiddens, self.backward_hiddens or self.num_hiddens):
                check_periods(PERIODS if self.periods is None else self.periods, num_hiddens)
        elif self.periods is not None:
            raise ValueError(f'periods belong to the clockwork network only, got cell {self.cell}')
        if self.backward_hiddens and not self.bidirectional:
            raise ValueError('backward_hiddens needs a bidirectional network: add bidirectional')
        if self.both_forward and not self.bidirectional:
            raise ValueError('both_forward needs a bidirectional network: add bidirectional')
        if self.activation != 'tanh' and self.cell != 'rnn':
            raise ValueError(f'activation {self.activation!r} needs cell rnn; the gates of a {self.cell} fix its own')
        if self.reset_after is not None and self.cell != 'gru':
            raise ValueError(f'reset_after is a choice of the gru only, got cell {self.cell}')
        if self.reset_after is False and self.impl == 'gluon':
            raise ValueError("gluon.rnn's GRU always resets after the product: use impl scratch or hybrid for the book's form")

    @property
    def resets_after(self) -> bool:
        """Whether this is the GRU that resets after the product, by default or by choice."""
        return self.cell == 'gru' and (self.impl == 'gluon' if self.reset_after is None else self.reset_after)


def build_network(config: NetworkConfig, num_inputs: int, ctx: Any = None) -> Network:
    """Build the network that `config` describes, with new random weights, on ctx."""
    backward_hiddens = config.backward_hiddens or config.num_hiddens
    in_one = backward_hiddens == config.num_hiddens and not (config.activation == 'sigmoid' or config.residual
                                                             or config.both_forward)
    dropout = config.num_layers > 1 and config.dropout      # `GluonLayer` says why that takes layers one by one
    if config.impl == 'gluon' and in_one and not dropout:       # one layer of gluon.rnn holds it all
        return _GLUON[config.cell](num_inputs, config.num_hiddens, num_layers=config.num_layers,
                                   bidirectional=config.bidirectional, ctx=ctx, **_choices(config))
    layers = []
    for _ in range(config.num_layers):
        layer = build_layer(config, num_inputs, config.num_hiddens, ctx)
        if config.bidirectional:
            layer = (BothForward if config.both_forward else BiRNN)(layer, build_layer(config, num_inputs, backward_hiddens, ctx))
        layers.append(layer)
        num_inputs = layer.num_outputs
    network = layers[0] if len(layers) == 1 else DeepRNN(layers, dropout=config.dropout, residual=config.residual)
    return Hybrid(network) if config.impl == 'hybrid' else network


def build_layer(config: NetworkConfig, num_inputs: int, num_hiddens: int, ctx: Any = None) -> Network:
    """One layer and direction of that network."""
    kinds = _GLUON if config.impl == 'gluon' else _SCRATCH
    return kinds[config.cell](num_inputs, num_hiddens, ctx=ctx, **_choices(config))


def _choices(config: NetworkConfig) -> Dict[str, Any]:
    """The options of this cell alone."""
    if config.cell == 'rnn':
        return {'activation': config.activation}
    if config.cell == 'clockwork':
        return {'periods': PERIODS if config.periods is None else config.periods}
    if config.cell == 'gru' and config.impl != 'gluon':
        return {'reset_after': config.resets_after}
    return {}
