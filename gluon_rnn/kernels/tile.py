"""The innermost loop of every product: a tile of C, held in registers, over all of K.

    C (rows, PANEL) = A (rows, K)  B (K, PANEL)         B is packed: the PANEL numbers of a row lie side by side
Each number of C is one chain of fused multiply-adds in the order of K, whichever tile it falls into: so a product has the same
bits for every way of sharing it among threads.
"""
from __future__ import annotations

from typing import Any, Callable

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .compiling import element

# Columns of a panel and most rows of a tile: as many sums as the registers hold beside a row of B and a number of A. With AVX-512
# there are 32 registers of 16 floats, else 16 of 8; LLVM cuts the vectors to what the CPU has.
PANEL, MOST_ROWS = (32, 12) if llvm.get_host_cpu_features().get('avx512f') else (16, 6)


@intrinsic
def copy_panel(typingctx: Any, A: Any, s: Any, i: Any, n: Any, panels: Any, p: Any, t: Any, r: Any) -> Any:
    """panels[p, t, r] = A[s, i, n:n + PANEL], as vectors. The last axes have no gaps."""
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), PANEL).as_pointer()
        source, target = [builder.bitcast(element(context, builder, signature.args[k], args[k], args[k + 1:k + 4]), vector)
                          for k in (0, 4)]
        value = builder.load(source)
        value.align = signature.args[0].dtype.bitwidth // 8
        builder.store(value, target).align = value.align
        return context.get_dummy_value()
    return types.void(A, *[types.intp] * 3, panels, *[types.intp] * 3), codegen


def make_tile(transposed: bool) -> Callable[..., None]:
    """The kernel for tiles of 1 to MOST_ROWS rows; transposed: A is read by columns.

    tile(rows, A, s, i, k, K, B, C, c, j, n, add): C[c, j:j + rows, n:n + PANEL] = A[s, i:i + rows, k:k + K] B[:K]; transposed:
    A[s, k:k + K, i:i + rows] turned over, times B[:K]. add: to what C holds. The last axes have no gaps; K is 1 or more.
    """
    @intrinsic
    def tile(typingctx: Any, rows: Any, A: Any, s: Any, i: Any, k: Any, K: Any, B: Any, C: Any, c: Any, j: Any, n: Any,
             add: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            end = builder.append_basic_block('tile_done')
            choice = builder.switch(args[0], end)
            for number in range(1, MOST_ROWS + 1):
                block = builder.append_basic_block(f'tile_of_{number}')
                choice.add_case(args[0].type(number), block)
                builder.position_at_end(block)
                _emit(context, builder, signature.args[1:], args[1:], number, transposed)
                builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()
        return types.void(types.intp, A, *[types.intp] * 4, B, C, *[types.intp] * 3, types.boolean), codegen
    return tile


def _emit(context: Any, builder: Any, arg_types: Any, args: Any, rows: int, transposed: bool) -> None:
    """The code of a tile of so many rows: its sums begin, the loop over K, the sums are stored."""
    (A_type, B_type, C_type), (A, B, C) = [[of[x] for x in (0, 5, 6)] for of in (arg_types, args)]
    s, i, k, K, c, j, n, add = [args[x] for x in (1, 2, 3, 4, 7, 8, 9, 10)]
    number, index = context.get_value_type(C_type.dtype), s.type
    vector, size = ir.VectorType(number, PANEL), C_type.dtype.bitwidth // 8
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3),
                                         f'llvm.fmuladd.v{PANEL}f{8 * size}')

    def row(first: Any, y: int) -> Any:
        return builder.add(first, index(y))

    def as_vector(place: Any) -> Any:
        return builder.bitcast(place, vector.as_pointer())

    def load(place: Any) -> Any:
        value = builder.load(place)
        value.align = size
        return value

    B_place = element(context, builder, B_type, B, [index(0), index(0)])
    C_places = [as_vector(element(context, builder, C_type, C, [c, row(j, y), n])) for y in range(rows)]
    A_places = [element(context, builder, A_type, A, [s, k, row(i, y)] if transposed else [s, row(i, y), k]) for y in range(rows)]
    step = index(1)         # numbers of A from one k to the next
    if transposed:
        strides = cgutils.unpack_tuple(builder, make_array(A_type)(context, builder, A).strides)
        step = builder.sdiv(strides[1], index(size))
    begin = [builder.select(add, load(place), vector(None)) for place in C_places]
    before, loop, end = builder.block, builder.append_basic_block('over_K'), builder.append_basic_block('store')
    builder.branch(loop)
    builder.position_at_end(loop)
    t, sums = builder.phi(index), [builder.phi(vector) for _ in range(rows)]
    numbers_of_B = load(as_vector(builder.gep(B_place, [builder.mul(t, index(PANEL))])))
    place_of_t, new = builder.mul(t, step), []
    for y in range(rows):
        a = builder.insert_element(vector(ir.Undefined), load(builder.gep(A_places[y], [place_of_t])), ir.IntType(32)(0))
        everywhere = builder.shuffle_vector(a, vector(ir.Undefined), ir.VectorType(ir.IntType(32), PANEL)(None))
        new.append(builder.call(fma, [everywhere, numbers_of_B, sums[y]]))
    following = builder.add(t, index(1))
    for phi, first, later in zip([t, *sums], [index(0), *begin], [following, *new]):
        phi.add_incoming(first, before)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed('<', following, K), loop, end)
    builder.position_at_end(end)
    for value, place in zip(new, C_places):
        builder.store(value, place).align = size


tile, columns_tile = make_tile(False), make_tile(True)
