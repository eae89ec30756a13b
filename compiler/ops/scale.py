"""Constant arithmetic for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import DEVIATIONS, NUMBERS, arg
from compiler.ops.base import Emitter, Op, Shape, ShapeError, Shapes
from compiler.ops.checks import channels_of


def check_length(values: Any, shape: Shape, op: str, argument: str) -> None:
    """Raise E303 unless a list has one number for each channel."""
    if isinstance(values, tuple) and len(values) != channels_of(shape, op):
        raise ShapeError(
            "E303",
            f"{argument} of {op} needs one number for each channel",
            argument=argument,
            label=f"{len(values)} numbers for {shape[0]} channels",
            help="a single number serves every channel",
        )


def channel_constant(emit: Emitter, values: Any) -> str:
    """A constant that broadcasts over the axes after the channels."""
    numbers = values if isinstance(values, tuple) else (values,)
    rank = len(emit.inputs[0]) - 1
    for _ in range(rank):
        numbers = tuple((n,) for n in numbers)
    return emit.floats(numbers)


@dataclass(frozen=True)
class Scale(Op):
    """Multiplies by a constant, one for all or one for each channel."""

    name: ClassVar[str] = "scale"
    group: ClassVar[str] = "scale"

    factor: Any = arg(NUMBERS, doc="the factor, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.factor, inputs[0], self.name, "factor")
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Mul", inputs[0], channel_constant(emit, self.factor))


@dataclass(frozen=True)
class Shift(Op):
    """Adds a constant, one for all or one for each channel."""

    name: ClassVar[str] = "shift"
    group: ClassVar[str] = "scale"

    offset: Any = arg(NUMBERS, doc="the offset, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.offset, inputs[0], self.name, "offset")
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Add", inputs[0], channel_constant(emit, self.offset))


@dataclass(frozen=True)
class Normalize(Op):
    """(x - mean)/std with constants, one for all or one for each channel."""

    name: ClassVar[str] = "normalize"
    group: ClassVar[str] = "scale"

    mean: Any = arg(NUMBERS, doc="the mean, or one for each channel")
    std: Any = arg(DEVIATIONS, doc="the standard deviation, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.mean, inputs[0], self.name, "mean")
        check_length(self.std, inputs[0], self.name, "std")
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        centred = emit.node("Sub", inputs[0], channel_constant(emit, self.mean))
        return emit.node("Div", centred, channel_constant(emit, self.std))
