"""Look inside a trained network: its gates over a text, and how far a gradient reaches (sections 6.6 to 6.9)."""
from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any, Dict, List, Sequence

import numpy as np
from mxnet import autograd, nd

from ..cells.base import BookParams
from ..cells.build import build_layer
from ..models.language_model import LanguageModel, ModelConfig
from ..training.loss import cross_entropy

Trace = Dict[str, np.ndarray]       # 'H', 'Z', ... -> (num_steps, num_hiddens)

def trace(config: ModelConfig, params: BookParams, indices: Sequence[int]) -> Dict[str, Trace]:
    """Every gate and state of every layer while the network reads a text, from zero states.

    params: `model.book_params()`, of any implementation; indices: the characters. Returns 'layer 1', or 'layer 1 forward' and
    'layer 1 backward', -> the book's names ('Z', 'R', 'H_tilde', 'H') -> (num_steps, num_hiddens), in the order of the text.
    Raises ValueError for a text of no characters.
    """
    if not len(indices):
        raise ValueError('the text is empty: give at least one character')
    config = replace(config, impl='scratch', reset_after=config.resets_after if config.cell == 'gru' else None)
    inputs, traces = np.eye(config.vocab_size, dtype=np.float32)[np.asarray(indices)], {}
    for k in range(config.num_layers):
        prefix = f'layer{k}.' if config.num_layers > 1 else ''
        outputs = []
        for direction in ('forward', 'backward') if config.bidirectional else ('',):
            part = prefix + (f'{direction}.' if direction else '')
            weights = {name[len(part):]: value for name, value in params.items() if name.startswith(part)}
            order = slice(None, None, -1 if direction == 'backward' and not config.both_forward else 1)
            steps = _run(config, weights, inputs[order])
            traces[f'layer {k + 1} {direction}'.strip()] = {name: value[order] for name, value in steps.items()}
            outputs.append(steps['H'][order])
        H = np.concatenate(outputs, axis=1)
        inputs = inputs + H if config.residual and k else H
    return traces


def _run(config: ModelConfig, weights: BookParams, inputs: np.ndarray) -> Trace:
    """One layer and direction, step by step: the variables of the cell's `step`, by their names, when it returns."""
    num_hiddens = next(value.shape[0] for name, value in weights.items() if re.match('W_h[^q]', name))
    cell: Any = build_layer(config, inputs.shape[1], num_hiddens)
    if 'b_hh' in weights:       # Gluon's second bias
        cell.b_hh = cell.parameter('b_hh', nd.zeros(weights['b_hh'].shape))
    cell.load_book_params({name: value for name, value in weights.items() if name not in ('W_hq', 'b_q')})
    seen: List[Dict[str, Any]] = []

    def returned(frame: Any, event: str, _: Any) -> None:
        if event == 'return' and frame.f_code is cell.step.__code__:
            seen.append(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(returned)
    try:
        cell(nd.array(inputs[:, None]), cell.begin_state(1))
    finally:
        sys.setprofile(before)
    shape = 1, num_hiddens
    steps = [{name: value for name, value in step.items() if name != 'X' and getattr(value, 'shape', ()) == shape}
             for step in seen]
    names = sorted(steps[0], key=lambda name: name in cell.state_names[::-1])
    return {name: np.concatenate([step[name].asnumpy() for step in steps]) for name in names}


def reach(model: LanguageModel, indices: Sequence[int]) -> np.ndarray:
    """How strongly the loss of a text's last character depends on each earlier state: the L2 norms of its gradients.

    indices: the text, the last of them only a label. Returns (len(indices) - 2,): the norm over all arrays of the state after
    character 1, 2, ..., up to the state that the last step starts from. Section 6.6 derives how it shrinks in the RNN.
    Raises ValueError for a text below 3 characters, and for a bidirectional network, whose states come from both ends.
    """
    if len(indices) < 3:
        raise ValueError(f'the text must have 3 characters or more, got {len(indices)}')
    if model.config.bidirectional and not model.config.both_forward:
        raise ValueError('a bidirectional network has no earlier states: its second direction comes from the end')
    state = model.begin_state(1)
    # what is added to each state is zero, but it has a gradient, and that is the state's
    nudges = [tuple(nd.zeros(s.shape, ctx=s.context) for s in state) for _ in indices[2:]]
    for array in (array for nudge in nudges for array in nudge):
        array.attach_grad()
    with autograd.record():
        for index, nudge in zip(indices[:-2], nudges):
            _, state = model(nd.array([[index]], ctx=model.ctx), state)
            state = tuple(s + array for s, array in zip(state, nudge))
        logits, _ = model(nd.array([[indices[-2]]], ctx=model.ctx), state)
        loss = -nd.log_softmax(logits)[0, int(indices[-1])]
    loss.backward()
    return np.array([_norm([array.grad for array in nudge]) for nudge in nudges])


def singular_values(params: BookParams) -> Dict[str, np.ndarray]:
    """Singular values of each recurrent weight matrix, W_hh and its like, largest first.

    Values above 1 can let a state and its gradient grow, values below 1 let them shrink (section 6.6).
    """
    return {name: np.linalg.svd(value, compute_uv=False) for name, value in params.items()
            if re.search(r'(^|\.)W_h([^q]|\d+)$', name)}


def grad_norms_by_layer(model: LanguageModel, X: nd.NDArray, Y: nd.NDArray) -> List[float]:
    """The L2 norm of the gradients of each layer, lowest first, of the mean loss of one batch from zero states.

    X and Y as the samplers give them. The output layer is not among them. The gradients are left in the parameters.
    """
    with autograd.record():
        logits, _ = model(X, model.begin_state(X.shape[0]))
    _, gradient = cross_entropy(logits, Y.T.reshape((-1,)))
    logits.backward(gradient)
    gradients: Dict[int, List[nd.NDArray]] = {}
    for name, parameter in model.network.parameters().items():
        found = re.match(r'layer(\d+)\.|[lr](\d+)_', name)        # of a stack of networks, or inside one of Gluon's
        layer = int(found.group(1) or found.group(2)) if found else 0
        gradients.setdefault(layer, []).append(parameter.grad)
    return [_norm(gradients[layer]) for layer in sorted(gradients)]


def _norm(arrays: Sequence[nd.NDArray]) -> float:
    """The L2 norm of all arrays together, in float64: in float32 the square of what is below 1e-22 is 0."""
    return float(np.linalg.norm([np.linalg.norm(array.asnumpy().astype(np.float64)) for array in arrays]))
