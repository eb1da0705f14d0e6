"""tanh, sigmoid and exp, in a form that compilers turn into vector code; float64 takes the exact ones."""
from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from .compiling import OPTIONS, power_of_two

f32 = np.float32
# tanh(x) = x p(x²) / q(x²) for |x| <= 7.9, the rational approximation of Eigen, within 2 units in the last place
_LIMIT, _HALF = f32(7.90531110763549805), f32(0.5)
_P = tuple(map(f32, (4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08,
                     -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16)))
_Q = tuple(map(f32, (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)))
_P0, _P1, _P2, _P3, _P4, _P5, _P6 = _P
_Q0, _Q1, _Q2, _Q3 = _Q
# exp(x) = 2^n exp(r), n the whole number nearest to x / ln 2, r = x - n ln 2 in two parts, exp(r) by the polynomial of Cephes
_LOG2E, _LN2_HIGH, _LN2_LOW, _ONE = f32(1.44269504088896341), f32(0.693359375), f32(-2.12194440e-4), f32(1)
_E0, _E1, _E2, _E3, _E4, _E5 = map(f32, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
                                         5.0000001201e-1))
_SMALLEST, _ZERO = f32(-87), f32(0)


def tanh(x: Any) -> Any:
    """tanh(x) of a float32 or float64."""
    return math.tanh(x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) of a float32 or float64, as (tanh(x / 2) + 1) / 2."""
    return (math.tanh(x / 2) + 1) / 2


def exp_not_above_zero(x: Any) -> Any:
    """exp(x) for x <= 0, of a float32 or float64; below -87 a float32 gives 0."""
    return math.exp(x)


@overload(tanh, jit_options=OPTIONS)
def _tanh(x):
    if x != types.float32:
        return lambda x: math.tanh(x)

    def rational(x):
        x = _LIMIT if x > _LIMIT else x         # so that NaN stays NaN
        x = -_LIMIT if x < -_LIMIT else x
        y = x * x
        p = _P0 + y * (_P1 + y * (_P2 + y * (_P3 + y * (_P4 + y * (_P5 + y * _P6)))))
        return x * p / (_Q0 + y * (_Q1 + y * (_Q2 + y * _Q3)))
    return rational


@overload(sigmoid, jit_options=OPTIONS)
def _sigmoid(x):
    if x != types.float32:
        return lambda x: 0.5 * math.tanh(0.5 * x) + 0.5
    return lambda x: _HALF * tanh(_HALF * x) + _HALF


@overload(exp_not_above_zero, jit_options=OPTIONS)
def _exp(x):
    if x != types.float32:
        return lambda x: math.exp(x)

    def by_powers_of_two(x):
        bounded = _SMALLEST if x < _SMALLEST else x
        n = np.int32(bounded * _LOG2E - _HALF)
        whole = np.float32(n)
        r = bounded - whole * _LN2_HIGH - whole * _LN2_LOW
        y = r * r * (_E5 + r * (_E4 + r * (_E3 + r * (_E2 + r * (_E1 + r * _E0))))) + r + _ONE
        return y * power_of_two(n) if x >= _SMALLEST else (_ZERO if x < _SMALLEST else x)      # so that NaN stays NaN
    return by_powers_of_two
