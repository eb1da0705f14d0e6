"""Deep recurrent networks, section 6.9."""
from __future__ import annotations

from typing import List, Tuple

import numpy as np
from mxnet import nd

from .base import Composite, Network
from .ops import Inputs, State


class DeepRNN(Composite):
    """Layers of any networks, each reading the hidden states of the one below, section 6.9.

    dropout: the part of the hidden states between two layers that training sets to zero (Zaremba et al., 2014). The state is
    the states of the layers, lowest first. residual: each layer but the first adds what it reads to what it gives, so that a
    gradient has a way down past the layers (He et al., 2016); they must then read as many columns as they give.
    """

    def __init__(self, layers: List[Network], *, dropout: float = 0, residual: bool = False):
        super().__init__({f'layer{i}': layer for i, layer in enumerate(layers)})
        if not 0 <= dropout < 1:
            raise ValueError(f'dropout must be from 0 to below 1, got {dropout}')
        for i in range(1, len(layers)):
            if layers[i].num_inputs != layers[i - 1].num_outputs:
                raise ValueError(f'layer {i + 1} must read {layers[i - 1].num_outputs} inputs, got {layers[i].num_inputs}')
            if residual and layers[i].num_outputs != layers[i].num_inputs:
                raise ValueError(f'a residual layer must give as many columns as it reads, layer {i + 1} reads '
                                 f'{layers[i].num_inputs} and gives {layers[i].num_outputs}')
        self.dropout, self.residual = dropout, residual
        self.num_inputs, self.num_outputs = layers[0].num_inputs, layers[-1].num_outputs

    def run(self, inputs: Inputs, state: State, lengths: np.ndarray | None = None) -> Tuple[nd.NDArray, State]:
        states, H, last = self.split_state(state), inputs, ()
        for i, (name, layer) in enumerate(self.parts.items()):
            if i and self.dropout:
                H = nd.Dropout(H, p=self.dropout)
            H_layer, state = layer(H, states[name], lengths)
            H = H + H_layer if i and self.residual else H_layer
            last += state
        return H, last

    run_lengths = run
