"""How the kernels are compiled, and the few operations that Numba has no name for.

A kernel holds no Python object, so several threads run at once (`nogil`). `contract` lets a product and a sum become one fused
operation. In a `kernel` the compiler may not change the order of a sum; a `row_kernel` sums up one whole row, whose length never
depends on the threads. So one input gives one result.
"""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

OPTIONS = {'nogil': True, 'cache': True, 'error_model': 'numpy', 'fastmath': {'contract', 'nsz'}}
kernel = njit(**OPTIONS)
row_kernel = njit(**{**OPTIONS, 'fastmath': {'contract', 'nsz', 'reassoc', 'nnan'}})
give_way = types.ExternalFunction('sched_yield', types.int32())


def element(context: Any, builder: Any, array_type: Any, array: Any, indices: Any) -> Any:
    """The address of an element of an array."""
    native = make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, native, indices, wraparound=False, boundscheck=False)


@intrinsic
def fetch_add(typingctx: Any, array: Any, index: Any) -> Any:
    """array[index] += 1, one thread at a time. Returns what was there. array: (n,) of int64."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = element(context, builder, signature.args[0], args[0], [args[1]])
        return builder.atomic_rmw('add', place, ir.IntType(64)(1), 'seq_cst')
    return types.int64(array, types.intp), codegen


@intrinsic
def load_now(typingctx: Any, array: Any, index: Any) -> Any:
    """array[index] as the other threads have left it, read from memory each time. array: (n,) of int64."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = element(context, builder, signature.args[0], args[0], [args[1]])
        return builder.load_atomic(place, 'seq_cst', 8)
    return types.int64(array, types.intp), codegen


@intrinsic
def power_of_two(typingctx: Any, exponent: Any) -> Any:
    """2 ** exponent as a float32, for an int32 from -126 to 127."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        integer = ir.IntType(32)
        return builder.bitcast(builder.shl(builder.add(args[0], integer(127)), integer(23)), ir.FloatType())
    return types.float32(types.int32), codegen


@intrinsic
def larger(typingctx: Any, a: Any, b: Any) -> Any:
    """The larger of two floating-point numbers, either where one is NaN: so that a loop of it becomes vector code."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered('>', *args, flags=('nnan', 'nsz')), *args)
    return a(a, a), codegen


@kernel
def meet(meeting: Any, number: int) -> None:
    """Wait until `number` threads have come here. meeting: (1,) of int64, zero at first, theirs alone."""
    goal = (fetch_add(meeting, 0) // number + 1) * number
    wait_for(meeting, goal)


@kernel
def arrive(meeting: Any) -> None:
    """Say that one more thread has come so far. meeting: (1,) of int64, zero at first."""
    fetch_add(meeting, 0)


@kernel
def wait_for(meeting: Any, goal: int) -> None:
    """Wait until `goal` threads have come."""
    tries = 0
    while load_now(meeting, 0) < goal:
        tries += 1
        if tries > 2000:        # somebody else has the CPU of a thread that we wait for
            give_way()
