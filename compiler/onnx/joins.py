"""Joins in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.joins import Add, Concat, Div, Join, Max, Mean, Min, Mul, Sub

OF_TWO: dict[type[Join], str] = {Add: "Add", Mul: "Mul", Sub: "Sub", Div: "Div"}
OF_MANY: dict[type[Join], str] = {Max: "Max", Min: "Min", Mean: "Mean"}


def with_axes(emit: Emitter, inputs: Sequence[str]) -> list[str]:
    """The branches with as many axes: those of tensors without an input may have fewer."""
    found = []
    for tensor, name, shape in zip(inputs, emit.layer.inputs, emit.inputs, strict=True):
        own = emit.graph[name].shape
        if len(own) < len(shape) and not emit.is_initializer(tensor):
            sizes = [size for size in shape if isinstance(size, int)]
            tensor = emit.node("Reshape", tensor, emit.ints([-1, *sizes]))
        found.append(tensor)
    return found


@lowers(*OF_TWO)
def of_two(op: Join, emit: Emitter, *inputs: str) -> str:
    """An operator of two, as often as there are further branches."""
    return reduce(partial(emit.node, OF_TWO[type(op)]), with_axes(emit, inputs))


@lowers(*OF_MANY)
def of_many(op: Join, emit: Emitter, *inputs: str) -> str:
    """One operator of all branches."""
    return emit.node(OF_MANY[type(op)], *with_axes(emit, inputs)) if len(inputs) > 1 else inputs[0]


@lowers(Concat)
def concat(op: Concat, emit: Emitter, *inputs: str) -> str:
    """A Concat."""
    if len(inputs) == 1:
        return inputs[0]
    return emit.node("Concat", *inputs, axis=op.axis % len(emit.output) + 1)
