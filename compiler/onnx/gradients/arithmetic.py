"""What the derivatives share: masks, sums over axes, constants in a shape."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import TensorProto

from compiler.onnx.emitter import Emitter


def masked(emit: Emitter, condition: str, dy: str) -> str:
    """`dy` where a condition holds, else 0; a product is faster than a Where on the CPU."""
    return emit.node("Mul", dy, emit.node("Cast", condition, to=TensorProto.FLOAT))


def summed(emit: Emitter, x: str, axes: Sequence[int], keep: bool = False) -> str:
    """The sum over some ONNX axes."""
    return emit.node("ReduceSum", x, emit.ints([*axes]), keepdims=int(keep))


def averaged(emit: Emitter, x: str, axes: Sequence[int]) -> str:
    """The mean over some ONNX axes, which stay with size 1."""
    return emit.node("ReduceMean", x, emit.ints([*axes]), keepdims=1)


def over_channels(emit: Emitter, x: str, rank: int) -> str:
    """The sum over the batch and all pixels of [N, C, …] with `rank` axes behind the batch."""
    return summed(emit, x, [0, *range(2, rank + 1)])


def per_channel(emit: Emitter, values: str, rank: int) -> str:
    """[C] shaped to broadcast over [N, C, …] with `rank` axes behind the batch."""
    return emit.node("Reshape", values, emit.ints([-1, *([1] * (rank - 1))]))


def like(emit: Emitter, x: str, shaped: str) -> str:
    """The same numbers in the shape of another tensor."""
    return emit.node("Reshape", x, emit.node("Shape", shaped))


def zeros_like(emit: Emitter, x: str) -> str:
    """Zeros in the shape of a tensor."""
    return emit.node("ConstantOfShape", emit.node("Shape", x))


def placed(emit: Emitter, dy: str, x: str, places: Sequence[int], axis: int) -> str:
    """Zeros in the shape of `x` with `dy` at these places of an ONNX axis."""
    rank = len(emit.inputs[0]) + 1
    dims = [1] * rank
    dims[axis] = len(places)
    row = emit.node("Reshape", emit.ints(places), emit.ints(dims))
    indices = emit.node("Expand", row, emit.node("Shape", dy))
    return emit.node("ScatterElements", zeros_like(emit, x), indices, dy, axis=axis)


def along(emit: Emitter, x: str, axis: int, matrix: Sequence[Sequence[float]]) -> str:
    """Every line of `x` along an ONNX axis times a matrix [old size, new size]."""
    last = len(emit.output)
    if axis == last:
        return emit.node("MatMul", x, emit.floats(matrix))
    if axis == last - 1:
        return emit.node("MatMul", emit.floats([*zip(*matrix, strict=True)]), x)
    swapped = [*range(last + 1)]
    swapped[axis], swapped[last] = last, axis
    turned = emit.node("Transpose", x, perm=swapped)
    product = emit.node("MatMul", turned, emit.floats(matrix))
    return emit.node("Transpose", product, perm=swapped)
