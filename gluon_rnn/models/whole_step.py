"""A training step and a text in one call: what a language model on the kernels offers beyond the contract of all models."""
from __future__ import annotations

import functools
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import nd

from .. import runtime
from ..corpora.indices import check_indices
from .numba import view, views, whole_numbers

with runtime.kernel_cache():
    from ..kernels import language_model, network, writing
    from ..kernels.products import pack, padded
    from ..kernels.tile import PANEL


class WholeSteps:
    """The offers of a language model on the kernels beyond the contract: a training step in one call, and a text in one.

    model: the LanguageModel, whose parameters these calls read and move.
    """

    def __init__(self, model: Any):
        self.network, self.vocab_size, self.one_hot = model.network, model.vocab_size, model.embedding is None
        self.around = {name: value for part in model.parts[1:] for name, value in part.parameters().items()}
        self.begin_epoch = self.network.begin_epoch

    @functools.cached_property
    def kernels(self) -> language_model.LanguageModel:
        return language_model.LanguageModel(self.network.kernels(self.one_hot), self.vocab_size, embedded=not self.one_hot)

    def train_step(self, X: Any, Y: Any, state: Sequence[Any],
                   update: Mapping[str, Any]) -> Tuple[float, float, List[np.ndarray]]:
        """One step of training, as `training.optimizer.Optimizer.whole_step` describes the update.

        X, Y: (batch_size, num_steps), indices of characters and of those that follow, NumPy arrays; state: from `begin_state`
        or the step before. Returns the mean loss, the gradients' global norm before clipping, and the state. Moves the model's
        parameters; leaves their gradients as they were. Raises ValueError for an index outside the vocabulary.
        """
        X, Y = whole_numbers(X, self.vocab_size, 'X'), whole_numbers(Y, self.vocab_size, 'Y')
        moments = {name: tuple(views(pair)) for name, pair in update.get('moments', {}).items()}
        how = language_model.Update(**{**update, 'moments': self._by_place(moments)})
        params, output = self._arrays()
        loss, norm, last = self.kernels.step(X, Y, _state(state), params, output, how, dropout_key=self.network.dropout_key())
        return loss, norm, self._carried(last)

    def label_losses(self, X: Any, Y: Any, state: Sequence[Any]) -> Tuple[np.ndarray, List[np.ndarray]]:
        """-log of the probability of each label, (num_steps, batch_size), without training; and the state. As `train_step`."""
        X, Y = whole_numbers(X, self.vocab_size, 'X'), whole_numbers(Y, self.vocab_size, 'Y')
        loss, last = self.kernels.loss(X, Y, _state(state), *self._arrays())
        return loss, self._carried(last)

    def write(self, indices: Sequence[int], num_chars: int, *, temperature: float, top_k: int, top_p: float,
              rng: np.random.Generator) -> List[int] | None:
        """The characters after `indices`, of which there is one at least; None where the layers differ or read from the end.

        temperature: 0 takes the likeliest; top_k: 0 for all, top_p: 1 for all; rng: what is drawn with, one number a token.
        """
        layers = self.network.layers
        kernels = self.network.kernels(self.one_hot)
        if any(len(layer) > 1 for layer in layers) or len({d.num_hiddens for d in kernels.directions}) > 1:
            return None
        params, output = self._arrays()
        p = self.network.take_pass((self.one_hot, 1, 1, True), None)
        kernels.pack(p, params, False, 0, 1)
        all_W_x, first = [d.W_x for d in kernels.directions], kernels.directions[0]
        table, W_x0 = output.get('W_e'), first.W_x
        if self.one_hot:
            table, W_x0 = np.zeros((self.vocab_size, first.columns), np.float32), np.zeros((0, 1, PANEL), np.float32)
            for g, gate in enumerate(first.gates):
                table[:, g * first.width:g * first.width + first.num_hiddens] = params[0][0][f'W_x{gate}']
        W_q = np.zeros((padded(self.vocab_size) // PANEL, first.num_hiddens, PANEL), np.float32)
        pack(output['W_hq'], W_q, 0, len(W_q))
        H = np.zeros((2, len(layers), 2, 1, first.width + PANEL), np.float32)
        text = np.zeros(len(indices) + num_chars, np.int64)
        text[:len(indices)] = check_indices(indices, self.vocab_size, 'indices')
        cell = {'rnn': writing.RNN, 'gru': writing.GRU, 'lstm': writing.LSTM}[first.cell]
        W_x = np.stack(all_W_x[1:]) if len(layers) > 1 else np.zeros((0, *first.W_h.shape), np.float32)
        choice = int(first.reset_after) if first.cell == 'gru' else first.activation
        writing.write_text(text, len(indices), cell, choice, table, W_x0, W_x,
                           np.stack([d.W_h for d in kernels.directions]), np.stack([d.b for d in kernels.directions]),
                           np.stack([d.b_hh for d in kernels.directions]), H[0], H[1], kernels.residual, W_q, output['b_q'],
                           float(temperature), int(top_k), float(top_p), rng.random(num_chars))
        self.network.give_back((self.one_hot, 1, 1, True), p)
        return text[len(indices):].tolist()

    def _arrays(self) -> Tuple[network.Params, Dict[str, np.ndarray]]:
        arrays = {**self.network.parameters(), **self.around}
        found = dict(zip(arrays, views(arrays.values())))
        return self.network.by_direction(found), {name: found[name] for name in self.around}

    def _by_place(self, moments: Dict[str, Any]) -> Dict[str, Any]:
        """The moments by the kernels' names."""
        placed = {f'{i}.{d}.{name}': value for i, layer in enumerate(self.network.by_direction(moments))
                  for d, own in enumerate(layer) for name, value in own.items()}
        return {**placed, **{name: value for name, value in moments.items() if name in self.around}}

    def _carried(self, last: List[np.ndarray]) -> List[np.ndarray]:
        """The part of the last state carried to the next batch: a direction from the end starts anew."""
        carried = iter(last)
        return [array * (not reverse) for layer in self.network.layers for _, cell, reverse in layer
                for array in [next(carried) for _ in range(cell.num_states)]]


def _state(state: Sequence[Any]) -> List[np.ndarray]:
    return [view(array) if isinstance(array, nd.NDArray) else array for array in state]
