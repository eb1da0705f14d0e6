"""The networks in PyTorch alone: how they begin, and how they write."""
from __future__ import annotations

import pytest
import torch

from gluon_rnn.torch_parity import modules


def test_new_modules_start_as_the_book_does():
    torch.manual_seed(3)
    model = modules.LanguageModel(modules.ModelSettings(300, 'lstm', num_hiddens=50))
    assert float(model.rnn.W_xi.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert not model.rnn.b_i.detach().any() and not model.b_q.detach().any()


def test_generate_leaves_the_mode_as_it_was(alphabet):
    twin = modules.LanguageModel(modules.ModelSettings(alphabet.vocab_size, num_hiddens=4))
    text = modules.generate(twin, alphabet.idx_to_char, 'ab', 5)
    assert len(text) == 7 and text.startswith('ab') and twin.training
