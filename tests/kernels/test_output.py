"""Softmax and cross entropy, and dropout's masks."""
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.output import draw_mask, put_outputs, softmax_cross_entropy
    from gluon_rnn.kernels.walk import Share


@pytest.mark.parametrize('scale', [1, 30, 1000])
def test_softmax_cross_entropy_and_its_gradient(scale):
    """Also where all but one probability are nothing in float32."""
    rng = np.random.default_rng(0)
    logits, b = (scale * rng.normal(size=(1, 1, 40))).astype(np.float32)[0, 0], rng.normal(size=37).astype(np.float32)
    row, exact = logits[:37].copy(), logits[:37].astype(np.float64) + b
    p = np.exp(exact - exact.max())
    p /= p.sum()
    loss = exact.max() + np.log(np.exp(exact - exact.max()).sum()) - exact[5]
    assert_allclose(softmax_cross_entropy(row.copy(), b, 5, 12, False), loss, rtol=1e-6)
    assert_allclose(softmax_cross_entropy(row, b, 5, 12, True), loss, rtol=1e-6)
    assert_allclose(row, (p - np.eye(37)[5]) / 12, rtol=0, atol=1e-7 * (1 + scale / 30))


def test_outputs_are_the_states_after_each_step_and_nothing_past_a_rows_end():
    H = np.arange(24, dtype=np.float32).reshape(4, 2, 3)        # before the first step, and after each of three
    lengths, share = np.array([3, 2]), Share(0, 2, 0, 0, 1)
    for reverse, states in ((False, H[1:]), (True, H[:3])):
        Y = np.full((3, 2, 4), 5, np.float32)
        wanted = np.where((np.arange(3)[:, None] < lengths)[..., None], states[:, :, :2], 0)
        put_outputs(H, Y, 1, 2, lengths, reverse, False, share)
        assert_array_equal(Y[..., 1:3], wanted)
        assert (Y[..., [0, 3]] == 5).all()
        put_outputs(H, Y, 1, 2, lengths, reverse, True, share)
        assert_array_equal(Y[..., 1:3], 2 * wanted)


def test_a_mask_drops_its_part_and_keeps_the_mean():
    masks = [np.zeros((20, 10, 100), np.float32) for _ in range(2)]
    for key, mask in enumerate(masks):
        draw_mask(mask, 0.25, key, Share(0, 10, 0, 0, 1))
        assert set(np.unique(mask)) == {0, np.float32(1 / 0.75)}
        assert abs((mask == 0).mean() - 0.25) < 0.02
    assert (masks[0] != masks[1]).mean() > 0.3
    again = np.zeros((20, 10, 100), np.float32)
    for rows in ((0, 4), (4, 10)):
        draw_mask(again, 0.25, 1, Share(*rows, 0, 0, 1))
    assert_array_equal(again, masks[1])
