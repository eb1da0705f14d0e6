"""Weight layouts and gate orders: the book's, and those of Gluon, cuDNN, PyTorch and ONNX. The only place that knows them.

The book keeps each gate's weights apart, inputs down and hidden units across:
    W_xi (num_inputs, num_hiddens), W_hi (num_hiddens, num_hiddens), b_i (num_hiddens,), and so on for each gate.
The others stack the gates, in the order of `GATES`, hidden units down and inputs across, with two biases:
    i2h_weight (gates * num_hiddens, num_inputs), h2h_weight (gates * num_hiddens, num_hiddens),
    i2h_bias and h2h_bias (gates * num_hiddens,)        (PyTorch: weight_ih, weight_hh, bias_ih, bias_hh)
Only the sum of two biases enters an equation, so carrying to the book's form adds them, and carrying back leaves the second
at zero. The exception is the GRU's candidate, whose second bias stands inside the reset product: the book's form has
no place for it, `GRU(reset_after=True, inner_bias=True)` calls it b_hh.
ONNX stacks them in the same way, with other orders of the gates.
"""
from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

import numpy as np

GATES: Dict[str, Tuple[str, ...]] = {
    'rnn': ('h',),
    'gru': ('r', 'z', 'h'),             # PyTorch and cuDNN call the candidate n
    'lstm': ('i', 'f', 'c', 'o'),       # PyTorch and cuDNN call the candidate g
}
ONNX_GATES: Dict[str, Tuple[str, ...]] = {**GATES, 'gru': ('z', 'r', 'h'), 'lstm': ('i', 'o', 'f', 'c')}
PACKED = ('i2h_weight', 'h2h_weight', 'i2h_bias', 'h2h_bias')


def pack(params: Dict[str, np.ndarray], cell: str, orders: Dict[str, Tuple[str, ...]] = GATES) -> Dict[str, np.ndarray]:
    """One layer and direction from the book's form to the stacked one, the gates in the order that `orders` has for the cell.

    Raises ValueError if a parameter is missing.
    """
    gates = orders[cell]
    wanted = {f'{kind}{gate}' for gate in gates for kind in ('W_x', 'W_h', 'b_')}
    if not wanted <= params.keys() <= wanted | ({'b_hh'} if cell == 'gru' else set()):
        raise ValueError(f'a {cell} needs the parameters {sorted(wanted)}, got {sorted(params)}')
    second = np.zeros(len(gates) * params[f'b_{gates[0]}'].shape[0], dtype=np.float32)
    if 'b_hh' in params:
        second[-params['b_hh'].shape[0]:] = params['b_hh']
    return {'i2h_weight': np.concatenate([params[f'W_x{gate}'].T for gate in gates]),
            'h2h_weight': np.concatenate([params[f'W_h{gate}'].T for gate in gates]),
            'i2h_bias': np.concatenate([params[f'b_{gate}'] for gate in gates]),
            'h2h_bias': second}


def unpack(packed: Dict[str, np.ndarray], cell: str) -> Dict[str, np.ndarray]:
    """One layer and direction from the stacked form to the book's."""
    gates = GATES[cell]
    parts = {name: np.split(packed[name], len(gates)) for name in PACKED}
    params = {}
    for k, gate in enumerate(gates):
        params[f'W_x{gate}'] = np.ascontiguousarray(parts['i2h_weight'][k].T)
        params[f'W_h{gate}'] = np.ascontiguousarray(parts['h2h_weight'][k].T)
        params[f'b_{gate}'] = parts['i2h_bias'][k] + parts['h2h_bias'][k]
    if cell == 'gru' and parts['h2h_bias'][-1].any():
        params['b_h'], params['b_hh'] = parts['i2h_bias'][-1], parts['h2h_bias'][-1]
    return params


def flat_state(arrays: Sequence[np.ndarray]) -> List[np.ndarray]:
    """A state of any implementation as arrays (batch_size, num_hiddens): by layer, by direction, H before C."""
    if arrays[0].ndim == 2:
        return list(arrays)
    return [array[i] for i in range(arrays[0].shape[0]) for array in arrays]
