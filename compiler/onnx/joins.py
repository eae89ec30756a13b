"""Joins in ONNX."""

from __future__ import annotations

from functools import partial, reduce

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.joins import Add, Concat, Div, Join, Max, Mean, Min, Mul, Sub

OF_TWO: dict[type[Join], str] = {Add: "Add", Mul: "Mul", Sub: "Sub", Div: "Div"}
OF_MANY: dict[type[Join], str] = {Max: "Max", Min: "Min", Mean: "Mean"}


@lowers(*OF_TWO)
def of_two(op: Join, emit: Emitter, *inputs: str) -> str:
    """An operator of two, as often as there are further branches."""
    return reduce(partial(emit.node, OF_TWO[type(op)]), inputs)


@lowers(*OF_MANY)
def of_many(op: Join, emit: Emitter, *inputs: str) -> str:
    """One operator of all branches."""
    return emit.node(OF_MANY[type(op)], *inputs) if len(inputs) > 1 else inputs[0]


@lowers(Concat)
def concat(op: Concat, emit: Emitter, *inputs: str) -> str:
    """A Concat."""
    if len(inputs) == 1:
        return inputs[0]
    return emit.node("Concat", *inputs, axis=op.axis % len(emit.output) + 1)
