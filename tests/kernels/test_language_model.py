"""A whole step: its gradient clipped to the norm asked for, and none of it taken where it is no number."""
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.kernels.page import Page, Update


def step(page, **update):
    return page.kernels.step(page.X, page.Y, page.state, page.params, page.output, Update(**update))


@pytest.mark.parametrize('theta, part', [(1e9, 1), (1e-2, None)])
def test_the_step_is_clipped_to_the_norm(theta, part):
    """And goes as the whole gradient would; a bound above the norm changes nothing."""
    moved = {}
    for clipping in (0, theta):
        page = Page('gru')
        before = {name: array.astype(np.float64) for name, array in page.arrays().items()}
        _, norm, _ = step(page, lr=1e4, clipping_theta=clipping)
        moved[clipping] = np.concatenate([(before[name] - array).ravel() for name, array in page.arrays().items()])
    assert_allclose(np.linalg.norm(moved[0]) / 1e4, norm, rtol=1e-5)
    assert_allclose(moved[theta], (part or theta / norm) * moved[0], rtol=0, atol=1e-6 * np.abs(moved[0]).max())


def test_nothing_moves_where_the_norm_is_no_number():
    page = Page('rnn')
    page.output['b_q'][0] = np.inf
    before = {name: array.copy() for name, array in page.arrays().items()}
    _, norm, _ = step(page, lr=1.0, clipping_theta=1.0)
    assert not np.isfinite(norm)
    for name, array in page.arrays().items():
        assert_array_equal(array, before[name])


def test_a_step_goes_on_from_the_last_state_it_gave():
    page = Page('lstm')
    _, after = page.kernels.loss(page.X, page.Y, page.state, page.params, page.output)
    _, _, same = step(page, lr=0.0, clipping_theta=0)
    for one, other in zip(after, same):
        assert_array_equal(one, other)
    assert [array.shape for array in after] == [array.shape for array in page.state]
    page.state = after
    later, _ = page.kernels.loss(page.X, page.Y, page.state, page.params, page.output)
    exact = {name: array.astype(np.float64) for name, array in page.arrays().items()}
    assert_allclose(later, page.losses(exact), rtol=2e-6)
