"""Weights from MXNet to PyTorch and back.

Two forms exist in both frameworks: the book's, gate by gate, and the layer's, stacked, with two biases
(`gluon_rnn.cells.weights` draws both, and is what changes one into the other). Between frameworks nothing but names changes, for
PyTorch stacks the gates in cuDNN's order as Gluon does:

    here (hand-written)         PyTorch                         here (gluon)                    PyTorch
    W_xz                        rnn.W_xz                        l0_i2h_weight                   rnn.weight_ih_l0
    layer1.W_xz                 rnn.layer1.W_xz                 l1_h2h_bias                     rnn.bias_hh_l1
    forward.W_xz                rnn.from_start.W_xz             r0_i2h_weight                   rnn.weight_ih_l0_reverse
    backward.W_xz               rnn.from_end.W_xz               backward.l0_h2h_weight          rnn.from_end.weight_hh_l0
    W_hq, b_q                   W_hq, b_q                       dense_weight, dense_bias        dense.weight, dense.bias

Every number is carried as it is: there and back it is the same to the last bit. Only a layer with two biases that are not zero,
asked for as a loop by hand, has them added, for the loop has one.
"""
from __future__ import annotations

import re
from dataclasses import asdict, fields, replace
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import torch
from mxnet import nd

from ..cells.base import Composite, Network, load_weights
from ..cells.gluon_layer import GluonLayer
from ..cells.weights import flat_state
from ..models.language_model import LanguageModel, ModelConfig, build_model, copy_params
from . import modules

_PARTS = {'forward': 'from_start', 'backward': 'from_end'}
_OUTPUT = {'W_hq': 'W_hq', 'b_q': 'b_q', 'dense_weight': 'dense.weight', 'dense_bias': 'dense.bias'}
_KINDS = {'i2h': 'ih', 'h2h': 'hh'}


def to_torch(model: LanguageModel, *, layer: bool | None = None) -> modules.LanguageModel:
    """The model in PyTorch, with its weights. It computes the same.

    layer: True for the torch.nn layer, False for the loop by hand, None for what corresponds to the model: the layer for impl
    'gluon', unless its activation is 'sigmoid', which torch.nn does not have, else the loop.
    Raises ValueError if the form asked for cannot hold this network: nn.GRU is not the book's GRU, and the loop by hand has no
    place for the second bias of a layer's candidate.
    """
    if model.config.embed_size:
        raise ValueError('the networks in PyTorch read one-hot vectors, and this one reads an embedding: export it as ONNX')
    native = model.config.impl == 'gluon'
    layer = native and model.config.activation != 'sigmoid' if layer is None else layer
    twin = modules.LanguageModel(settings(model.config, layer=layer))
    if layer != native:
        params = model.book_params()
        inner = [name for name in params if name.endswith('b_hh')]
        if inner and not layer:
            raise ValueError(f'the second bias of the candidate ({inner[0]}) is not zero, and the GRU by hand has no place for '
                             f'it: take the torch.nn layer')
        model = build_model(_other_form(model.config))
        model.load_book_params(params)
    weights = {torch_name(name): torch.from_numpy(array.asnumpy()) for name, array in weights_of(model).items()}
    twin.load_state_dict(weights)
    return twin


def from_torch(source: Any, config: ModelConfig | None = None, ctx: Any = None) -> LanguageModel:
    """The model in MXNet, with its weights.

    source: a module that `to_torch` or `load_model` gave, or a state_dict with its keys, or those of the PyTorch ports' RNNModel.
    config: what network it is, and which implementation is wanted of it; needed for a bare state_dict. A module's form decides
    where it is left out: 'gluon' for the layer, 'scratch' for the loop by hand.
    Raises ValueError that names a wrong shape, a missing key or one too many.
    """
    if isinstance(source, modules.LanguageModel):
        config = config or config_of(source.settings)
        source = source.state_dict()
    if config is None:
        raise ValueError('a state_dict does not say what network it is of: pass its ModelConfig, too')
    if not isinstance(source, Mapping):
        raise ValueError(f'wanted a module of torch_parity or a state_dict, got a {type(source).__name__}')
    layer = any('weight_ih' in key for key in source)
    same_form = layer == (config.impl == 'gluon')
    model = build_model(config if same_form else _other_form(config), ctx)
    load_state_dict(model, source)
    if same_form:
        return model
    wanted = build_model(config, ctx)
    copy_params(model, wanted)
    return wanted


def load_state_dict(model: LanguageModel, state_dict: Mapping[str, torch.Tensor]) -> None:
    """Write a state_dict of the same form into a model, all or nothing. Raises ValueError that names what does not fit."""
    load_weights({torch_name(name): array for name, array in weights_of(model).items()},
                 {name: value.detach().cpu().float().numpy() for name, value in state_dict.items()})


def settings(config: ModelConfig, *, layer: bool) -> modules.ModelSettings:
    """A model's description for PyTorch. Raises ValueError for what has no counterpart there."""
    if config.cell == 'clockwork' or config.both_forward:
        what = 'a Clockwork RNN' if config.cell == 'clockwork' else 'a network whose second direction reads forward'
        raise ValueError(f'{what} has no counterpart in PyTorch here: export it as ONNX')
    same = {f.name: getattr(config, f.name) for f in fields(modules.ModelSettings) if hasattr(config, f.name)}
    return modules.ModelSettings(**{**same, 'layer': layer, 'backward_hiddens': config.backward_hiddens or 0,
                               'reset_after': config.resets_after})


def config_of(s: modules.ModelSettings) -> ModelConfig:
    """A description for PyTorch as one for MXNet."""
    same = {name: value for name, value in asdict(s).items() if name != 'layer'}
    return ModelConfig(**{**same, 'impl': 'gluon' if s.layer else 'scratch', 'backward_hiddens': s.backward_hiddens or None,
                          'reset_after': s.reset_after if s.cell == 'gru' else None})


def _other_form(config: ModelConfig) -> ModelConfig:
    """The same network by hand where it was a layer, and the reverse."""
    s = settings(config, layer=False)
    return replace(config, impl='scratch' if config.impl == 'gluon' else 'gluon',
                   reset_after=s.reset_after if s.cell == 'gru' else None)


def weights_of(model: LanguageModel) -> Dict[str, nd.NDArray]:
    """All weights by the names that `parameters` uses, those frozen among them."""
    return {**_weights(model.network), **model.output.parameters()}


def _weights(network: Network) -> Dict[str, nd.NDArray]:
    if isinstance(network, Composite):
        return {f'{name}.{key}': array for name, part in network.parts.items() for key, array in _weights(part).items()}
    return network.weights() if isinstance(network, GluonLayer) else network.parameters()


def torch_name(name: str) -> str:
    """A parameter's name in PyTorch."""
    if name in _OUTPUT:
        return _OUTPUT[name]
    *path, last = name.split('.')
    stacked = re.fullmatch(r'([lr])(\d+)_(i2h|h2h)_(weight|bias)', last)
    if stacked:
        direction, number, kind, what = stacked.groups()
        last = f'{what}_{_KINDS[kind]}_l{number}' + '_reverse' * (direction == 'r')
    return '.'.join(['rnn', *(_PARTS.get(part, part) for part in path), last])


def freeze_second_bias(model: modules.LanguageModel) -> None:
    """Hold the second bias of every gate at zero, as `GluonLayer.freeze_second_bias` does."""
    for name, parameter in model.named_parameters():
        if 'bias_hh' in name:
            parameter.requires_grad_(False).zero_()


def carried_back(values: Mapping[str, torch.Tensor], config: ModelConfig) -> Dict[str, np.ndarray]:
    """Weights, or gradients of them, from PyTorch's names and form to those of a model of `config`."""
    return {name: array.asnumpy() for name, array in weights_of(from_torch(values, config)).items()}


def flat_states(state: Tuple[Any, ...]) -> list[np.ndarray]:
    """A state of either framework and form as `flat_state` has it."""
    return flat_state([s.asnumpy() if isinstance(s, nd.NDArray) else s.detach().numpy() for s in state])
