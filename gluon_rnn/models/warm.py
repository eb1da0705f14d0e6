"""Compile the kernels before somebody waits for them: `python -m gluon_rnn.models.warm`, which `make` runs once."""
from __future__ import annotations

import itertools
import time
from typing import Any, Tuple

import mxnet as mx
import numpy as np

from .. import runtime
from ..cells.build import CELLS
from .classifier import Classifier, ClassifierConfig
from .language_model import ModelConfig, build_model

# Arrays of size 1 would be of another kind to Numba, and so are those of one panel in places.
_COMMON: Any = {'impl': 'numba', 'num_hiddens': 40}
_VARIANTS: Tuple[Any, ...] = (
    {'num_layers': 2, 'dropout': 0.5}, {'bidirectional': True, 'backward_hiddens': 8}, {'embed_size': 40})


def warm() -> None:
    """Run each network of the kernels once, small: training by both optimizers, writing, dense inputs.

    What is compiled on the way is kept for all processes of this user; where nothing can be kept, that is no error.
    """
    X = np.zeros((2, 2))
    for cell, variant in itertools.product(CELLS, _VARIANTS):
        model = build_model(ModelConfig(cell=cell, vocab_size=40, **_COMMON, **variant))
        state, params = model.begin_state(2), model.parameters()
        model.train_step(X, X, state, {'optimizer': 'sgd'})
        model.train_step(X, X, state, {'optimizer': 'adam', 'moments': {name: (value.zeros_like(), value.zeros_like())
                                                                       for name, value in params.items()}})
        model.label_losses(X, X, state)
        model(X[:1, :1], model.begin_state(1))
        model.write([0], 1, temperature=1, top_k=1, top_p=1, rng=np.random.default_rng(0))
        classifier = Classifier.build(ClassifierConfig(cell=cell, num_inputs=40, num_classes=2, **_COMMON,
                                                       **{k: v for k, v in variant.items() if k != 'embed_size'}))
        with mx.autograd.record():
            logits, _ = classifier(mx.nd.zeros((2, 2, 40)), classifier.begin_state(2))
        logits.backward()
    mx.nd.waitall()


if __name__ == '__main__':
    if runtime.has_numba():
        began = time.monotonic()
        warm()
        print(f'the kernels are compiled, in {time.monotonic() - began:.0f} s')
