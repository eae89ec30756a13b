"""Derivatives of the reductions in ONNX."""

from __future__ import annotations

from math import prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import like, masked, summed, zeros_like
from compiler.ops.reducing import L2Norm, Reduce, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from compiler.ops.shapes import known, per_sample_axis


def kept(op: Reduce, emit: Emitter, dy: str) -> str:
    """dy with the reduced axes at size 1."""
    if op.keep:
        return dy
    axes = op.places(emit.inputs[0])
    sizes = [1 if axis in axes else size for axis, size in enumerate(emit.inputs[0])]
    return emit.node("Reshape", dy, emit.ints([-1, *known(tuple(sizes), op.name)]))


@differentiates(ReduceSum)
def reduce_sum(op: ReduceSum, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy for every value."""
    return by_inputs(emit.node("Expand", kept(op, emit, dy), emit.node("Shape", x)))


@differentiates(ReduceMean)
def reduce_mean(op: ReduceMean, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy over their number for every value."""
    sizes = known(tuple(emit.inputs[0][axis] for axis in op.places(emit.inputs[0])), op.name)
    share = emit.node("Mul", kept(op, emit, dy), emit.floats(1 / prod(sizes)))
    return by_inputs(emit.node("Expand", share, emit.node("Shape", x)))


@differentiates(ReduceMax, ReduceMin)
def extreme(op: ReduceMax | ReduceMin, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy for the first of the largest, or smallest, values: the reduced axes as one, the last."""
    sizes = known(emit.inputs[0], op.name)
    axes = op.places(emit.inputs[0])
    rest = [axis for axis in range(len(sizes)) if axis not in axes]
    order = [0, *(axis + 1 for axis in (*rest, *axes))]
    back = sorted(range(len(order)), key=lambda place: order[place])
    leading = [sizes[axis] for axis in rest]
    turned = emit.node("Transpose", x, perm=order)
    flat = emit.node("Reshape", turned, emit.ints([-1, *leading, prod(sizes[a] for a in axes)]))
    kind = "ArgMax" if isinstance(op, ReduceMax) else "ArgMin"
    place = emit.node(kind, flat, axis=len(rest) + 1, keepdims=1)
    share = emit.node("Reshape", dy, emit.ints([-1, *leading, 1]))
    dx = emit.node("ScatterElements", zeros_like(emit, flat), place, share, axis=len(rest) + 1)
    return by_inputs(emit.node("Transpose", like(emit, dx, turned), perm=back))


@differentiates(L2Norm)
def l2norm(op: L2Norm, emit: Emitter, dy: str, x: str) -> Gradients:
    """With a length n above eps: (dy - y sum(dy y))/n, else dy/eps."""
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name) + 1
    length = emit.node("Sqrt", summed(emit, emit.node("Mul", x, x), [axis], keep=True))
    eps = emit.floats(op.eps)
    along = summed(emit, emit.node("Mul", dy, emit.result), [axis], keep=True)
    turning = masked(emit, emit.node("Greater", length, eps), along)
    rest = emit.node("Sub", dy, emit.node("Mul", emit.result, turning))
    return by_inputs(emit.node("Div", rest, emit.node("Max", length, eps)))
