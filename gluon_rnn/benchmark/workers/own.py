"""One epoch of this project's own trainer, in any implementation."""
from __future__ import annotations

from typing import Any, Callable, Dict

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, seed  # by name: so MXNet is loaded here


def prepare(options: Dict[str, Any]) -> Callable[[], float]:
    seed(0)
    model = build_model(ModelConfig(
        cell=options['cell'], impl=options['impl'], num_hiddens=options['num_hiddens'], vocab_size=options['vocab_size']))
    trainer = Trainer(model, TrainConfig(
        num_epochs=10 ** 9, num_steps=options['num_steps'], batch_size=options['batch_size'], lr=options['lr'],
        clipping_theta=options['clipping_theta']))
    records = trainer.epochs(options['corpus_indices'])
    return lambda: next(records).perplexity
