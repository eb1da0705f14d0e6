"""One epoch of this project's own trainer, in any implementation."""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, Tuple

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, seed  # by name: so MXNet is loaded here


def prepare(options: Dict[str, Any]) -> Callable[[], float]:
    _, records = begin(options)
    return lambda: next(records).perplexity


def begin(options: Dict[str, Any]) -> Tuple[Any, Iterator[Any]]:
    """The model, and its training, epoch by epoch."""
    seed(0)
    model = build_model(ModelConfig(
        cell=options['cell'], impl=options['impl'], num_hiddens=options['num_hiddens'], vocab_size=options['vocab_size']))
    trainer = Trainer(model, TrainConfig(
        num_epochs=10 ** 9, num_steps=options['num_steps'], batch_size=options['batch_size'], lr=options['lr'],
        clipping_theta=options['clipping_theta']))
    return model, trainer.epochs(options['corpus_indices'])
