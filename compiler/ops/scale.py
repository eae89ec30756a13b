"""Constant arithmetic for each channel."""

from __future__ import annotations

from typing import Any

from compiler.domain import Facts
from compiler.ops.arguments import DEVIATIONS, NUMBERS, arg
from compiler.ops.base import Op, Shape, ShapeError, Shapes
from compiler.ops.shapes import channels_of
from grammar.records import dataclass


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


@dataclass(frozen=True)
class Scale(Op, name="scale", group="scale"):
    """Multiplies by a constant, one for all or one for each channel."""

    factor: Any = arg(NUMBERS, doc="the factor, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.factor, inputs[0], self.name, "factor")
        return inputs[0]


@dataclass(frozen=True)
class Shift(Op, name="shift", group="scale"):
    """Adds a constant, one for all or one for each channel."""

    offset: Any = arg(NUMBERS, doc="the offset, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.offset, inputs[0], self.name, "offset")
        return inputs[0]


@dataclass(frozen=True)
class Normalize(Op, name="normalize", group="scale"):
    """(x - mean)/std with constants, one for all or one for each channel."""

    mean: Any = arg(NUMBERS, doc="the mean, or one for each channel")
    std: Any = arg(DEVIATIONS, doc="the standard deviation, or one for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_length(self.mean, inputs[0], self.name, "mean")
        check_length(self.std, inputs[0], self.name, "std")
        return inputs[0]
