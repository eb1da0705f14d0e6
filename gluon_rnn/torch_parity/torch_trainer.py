"""Training as the PyTorch ports of the book write it. Imports torch alone, so that a measured process holds nothing else."""
from __future__ import annotations

import math
from typing import Any, Iterable, Iterator, Sequence, Tuple

import torch
from torch.nn import functional

Batch = Tuple[torch.Tensor, torch.Tensor]


class TorchTrainer:
    """A model and its optimizer. The state goes on from step to step, cut off from the gradient, until `start` renews it.

    optimizer: 'sgd' or 'adam'. clipping_theta: 0 clips nothing. mxnet_epsilon: let Adam's epsilon count as in MXNet, which adds
    it to the root of the second moment before that is corrected for the first steps, not after.
    """

    def __init__(self, model: Any, *, optimizer: str = 'sgd', lr: float = 1e2, clipping_theta: float = 1e-2,
                 mxnet_epsilon: bool = False):
        self.model, self.clipping_theta = model, clipping_theta
        self.params = [param for param in model.parameters() if param.requires_grad]
        self.optimizer = {'sgd': torch.optim.SGD, 'adam': torch.optim.Adam}[optimizer](self.params, lr=lr)
        self.mxnet_epsilon, self.steps = mxnet_epsilon and optimizer == 'adam', 0
        self.state: Any = None

    def start(self, batch_size: int) -> None:
        self.state = self.model.begin_state(batch_size)

    def step(self, X: Any, Y: Any) -> float:
        """One step on X and Y, each (batch_size, num_steps), tensors or arrays. Returns the loss per character before it."""
        self.state = tuple(s.detach() for s in self.state)
        logits, self.state = self.model(torch.as_tensor(X), self.state)
        loss = functional.cross_entropy(logits, torch.as_tensor(Y).T.reshape(-1))
        self.optimizer.zero_grad()
        loss.backward()
        self.clip()
        self.steps += 1
        if self.mxnet_epsilon:
            group = self.optimizer.param_groups[0]
            group['eps'] = 1e-8 / math.sqrt(1 - group['betas'][1] ** self.steps)
        self.optimizer.step()
        return loss.item()

    def clip(self) -> None:
        clip(self.params, self.clipping_theta)


def clip(params: Iterable[torch.Tensor], theta: float) -> None:
    """Multiply all gradients with theta / norm where the norm of all together is above theta."""
    grads = [param.grad for param in params if param.grad is not None]
    norm = math.sqrt(sum((grad ** 2).sum() for grad in grads))
    if theta and norm > theta:
        for grad in grads:
            grad.mul_(theta / norm)


def consecutive_batches(corpus_indices: Sequence[int], batch_size: int, num_steps: int) -> Iterator[Batch]:
    """X and Y, each (batch_size, num_steps); each row goes on where it stopped in the batch before, section 6.3."""
    row_length = len(corpus_indices) // batch_size
    rows = torch.as_tensor(corpus_indices[:batch_size * row_length]).reshape(batch_size, row_length)
    for i in range(0, row_length - num_steps, num_steps):
        yield rows[:, i:i + num_steps], rows[:, i + 1:i + num_steps + 1]
