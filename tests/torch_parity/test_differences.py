"""Networks that must differ between the frameworks do."""
from __future__ import annotations

import dataclasses

import pytest

from gluon_rnn.torch_parity import differences
from gluon_rnn.torch_parity.parity import Size

SMALL = Size(num_hiddens=6, num_steps=4, batch_size=3, vocab_size=11, lockstep=4)


@pytest.mark.parametrize('kind', [differences.gru_form, differences.second_bias, differences.default_activation])
def test_what_must_differ_differs(kind):
    found = kind(SMALL)
    assert found.passed and found.size > 1e-3


def test_a_difference_that_is_not_there_is_no_pass():
    one = differences.gru_form(SMALL)
    assert not dataclasses.replace(one, size=1e-7).passed
    assert dataclasses.replace(one, size=1e-7).to_dict()['verdict'] == 'DOES NOT DIFFER'


def test_adam_is_the_same_with_mxnet_s_epsilon():
    found = differences.adam_epsilon(SMALL)
    assert found.size > 1e-3
    after = float(found.why.rsplit(' ', 1)[1])
    assert after < found.size / 50
