"""The trainer in PyTorch: its batches are the samplers', its clipping the book's."""
from __future__ import annotations

import torch

from gluon_rnn.corpora.sampling import consecutive_batches
from gluon_rnn.torch_parity import torch_trainer
from gluon_rnn.torch_parity.lockstep import batches


def test_batches_are_the_samplers_in_both_frameworks():
    text = list(range(23))
    ours = list(batches(text, 2, 3))
    for (X, Y), (A, B), (P, Q) in zip(ours, consecutive_batches(text, 2, 3), torch_trainer.consecutive_batches(text, 2, 3)):
        assert X.tolist() == A.asnumpy().tolist() == P.tolist()
        assert Y.tolist() == B.asnumpy().tolist() == Q.tolist()
    assert len(ours) == len(list(torch_trainer.consecutive_batches(text, 2, 3))) == 3


def test_clipping_is_the_book_s():
    params = [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    params[0].grad, params[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    torch_trainer.clip(params, 10)
    assert params[0].grad.tolist() == [3, 0]
    torch_trainer.clip(params, 2.5)
    assert params[0].grad.tolist() == [1.5, 0] and params[1].grad.tolist() == [2]
    torch_trainer.clip(params, 0)
    assert params[1].grad.tolist() == [2]
