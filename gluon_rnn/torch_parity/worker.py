"""One epoch in PyTorch, measured: the loop by hand, the torch.nn layer, or the loop compiled. Nothing of MXNet is loaded here."""
from __future__ import annotations

from typing import Any, Callable, Dict

import torch
from modules import LanguageModel, ModelSettings
from torch_trainer import TorchTrainer, consecutive_batches


def prepare(options: Dict[str, Any]) -> Callable[[], float]:
    torch.manual_seed(0)
    batch_size, num_steps = options['batch_size'], options['num_steps']
    model: Any = new_model(options)
    if options['impl'] == 'compile':
        model = torch.compile(model)
    trainer = TorchTrainer(model, lr=options['lr'], clipping_theta=options['clipping_theta'])
    text = torch.tensor(options['corpus_indices'])

    def epoch() -> float:
        trainer.start(batch_size)
        losses = [trainer.step(X, Y) for X, Y in consecutive_batches(text, batch_size, num_steps)]
        return float(torch.tensor(losses).mean().exp())

    return epoch


def new_model(options: Dict[str, Any]) -> LanguageModel:
    """The model with the first weights that the others have: N(0, 0.01), biases zero."""
    layer = options['impl'] == 'layer'
    model = LanguageModel(ModelSettings(options['vocab_size'], options['cell'], layer, options['num_hiddens'], reset_after=layer))
    for name, param in model.named_parameters():
        if 'bias' in name:
            torch.nn.init.zeros_(param)
        elif layer:
            torch.nn.init.normal_(param, std=0.01)
    return model
