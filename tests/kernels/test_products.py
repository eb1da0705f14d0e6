"""Packed products and weight gradients against NumPy in float64, at every number of rows and at edges of panels."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.products import (
        columns_shape,
        multiply,
        pack,
        pack_columns,
        pack_panels,
        pack_transposed,
        padded,
        panels_shape,
        weight_gradient,
    )
    from gluon_rnn.kernels.tile import MOST_ROWS, PANEL

DTYPES = [(np.float32, 2e-6), pytest.param(np.float64, 1e-13, marks=pytest.mark.slow)]


def wide(rng, *shape, dtype):
    """Random numbers with a panel of columns behind them that must not be read."""
    array = np.full((*shape[:-1], padded(shape[-1]) + PANEL), np.nan, dtype)[..., :shape[-1]]
    array[...] = rng.normal(size=shape)
    return array


@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@settings(max_examples=25, deadline=None)
@given(steps=st.integers(1, 3), rows=st.integers(1, 2 * MOST_ROWS + 1), K=st.integers(1, 700), N=st.integers(1, 3 * PANEL))
def test_product(dtype, tolerance, steps, rows, K, N):
    rng = np.random.default_rng(0)
    A, W = wide(rng, steps, rows, K, dtype=dtype), rng.normal(size=(K, N)).astype(dtype)
    panels, C = np.full((padded(N) // PANEL, K, PANEL), np.nan, dtype), np.full((steps, rows, padded(N)), np.nan, dtype)
    wanted = A.astype(np.float64) @ W
    pack(W, panels, 0, len(panels))
    multiply(A, panels, C, False)
    assert_allclose(C[..., :N], wanted, rtol=0, atol=tolerance * (K + 20))
    assert not C[..., N:].any()
    pack_transposed(np.ascontiguousarray(W.T), panels, 0, 0, len(panels))
    multiply(A, panels, C, True)
    assert_allclose(C[..., :N], 2 * wanted, rtol=0, atol=2 * tolerance * (K + 20))


@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@pytest.mark.parametrize(('rows', 'K', 'N'), [(1, 1, PANEL), (1400, 13, 2 * PANEL), (35, 2 * MOST_ROWS + 1, PANEL)])
def test_weight_gradient(dtype, tolerance, rows, K, N):
    rng = np.random.default_rng(1)
    A, D = wide(rng, 1, rows, K, dtype=dtype), wide(rng, 1, rows, N, dtype=dtype)
    G, bias = wide(rng, 1, K, N, dtype=dtype), np.zeros(N, dtype)
    squares, turn = np.zeros(N // PANEL), np.zeros(1, np.int64)
    columns, panels = np.zeros(columns_shape(2 + rows, K), dtype), np.zeros(panels_shape(1, rows, N), dtype)
    columns[:, :2] = np.nan     # rows before those that are asked for
    pack_columns(A, columns[:, 2:], 0, 1, 0, rows)
    for first, last in ((0, rows // 2), (rows // 2, rows)):
        pack_panels(D[:, first:last], panels, 0, first)
    weight_gradient(columns, 2, panels, G, bias, squares, turn)
    assert_allclose(G[0], A[0].astype(np.float64).T @ D[0], rtol=0, atol=tolerance * (rows + 20))
    assert_allclose(bias, D[0].sum(axis=0, dtype=np.float64), rtol=0, atol=tolerance * (rows + 20))
    assert_allclose(squares.sum(), (G.astype(np.float64) ** 2).sum() + (bias.astype(np.float64) ** 2).sum(), rtol=1e-12)
