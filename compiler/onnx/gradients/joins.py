"""Derivatives of the joins in ONNX; what a branch was stretched over is summed."""

from __future__ import annotations

from functools import partial, reduce

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import masked, summed
from compiler.onnx.joins import with_axes
from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from compiler.ops.shapes import known


def gathered(emit: Emitter, dy: str, place: int) -> str:
    """The sum over the axes along which a branch was stretched."""
    pairs = zip(emit.inputs[place], emit.output, strict=True)
    axes = [axis for axis, (a, b) in enumerate(pairs, start=1) if a == 1 and b != 1]
    found = summed(emit, dy, axes, keep=True) if axes else dy
    own = emit.graph[emit.layer.inputs[place]].shape
    if len(own) == len(emit.output):
        return found
    return emit.node("Reshape", found, emit.ints([-1, *known(own, "a join")]))


@differentiates(Add)
def add(op: Add, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """dy for every branch."""
    return by_inputs(*(gathered(emit, dy, place) for place in range(len(inputs))))


@differentiates(Mean)
def mean(op: Mean, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """dy over the number of branches."""
    return add(Add(), emit, emit.node("Mul", dy, emit.floats(1 / len(inputs))), *inputs)


@differentiates(Mul)
def mul(op: Mul, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """dy times the other branches."""
    times = partial(emit.node, "Mul")
    inputs = tuple(with_axes(emit, inputs))
    products = (reduce(times, inputs[:i] + inputs[i + 1 :], dy) for i in range(len(inputs)))
    return by_inputs(*(gathered(emit, found, place) for place, found in enumerate(products)))


@differentiates(Sub)
def sub(op: Sub, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """dy and -dy."""
    return by_inputs(gathered(emit, dy, 0), gathered(emit, emit.node("Neg", dy), 1))


@differentiates(Div)
def div(op: Div, emit: Emitter, dy: str, a: str, b: str) -> Gradients:
    """1/b and -y/b."""
    a, b = with_axes(emit, (a, b))
    first = emit.node("Div", dy, b)
    second = emit.node("Neg", emit.node("Mul", first, emit.result))
    return by_inputs(gathered(emit, first, 0), gathered(emit, second, 1))


@differentiates(Max, Min)
def extreme(op: Max | Min, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """dy for the branch that wins, of equal ones the first."""
    shares, free = [], ""
    for place, x in enumerate(with_axes(emit, inputs)):
        equal = emit.node("Equal", x, emit.result)
        wins = emit.node("And", free, equal) if free else equal
        shares.append(gathered(emit, masked(emit, wins, dy), place))
        lost = emit.node("Not", equal)
        free = emit.node("And", free, lost) if free else lost
    return by_inputs(*shares)


@differentiates(Concat)
def concat(op: Concat, emit: Emitter, dy: str, *inputs: str) -> Gradients:
    """The part of dy that each branch became."""
    if len(inputs) == 1:
        return by_inputs(dy)
    axis = op.axis % len(emit.output)
    sizes = emit.ints([known(shape, op.name)[axis] for shape in emit.inputs])
    return by_inputs(*emit.outputs(len(inputs), "Split", dy, sizes, axis=axis + 1))
