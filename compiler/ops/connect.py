"""Dense layers, and layers that hand on what they get."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import FITTED, FLAG, FRACTION, INIT, arg, whole
from compiler.ops.arrays import FIXED_VALUES, check_fixed
from compiler.ops.base import (
    EVERYWHERE,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    Weight,
    show_shape,
)
from compiler.ops.checks import known
from grammar.records import dataclass


@dataclass(frozen=True)
class Dense(Op):
    """Fully connected layer: every output is a weighted sum of all inputs plus a bias.

    Its weight has PyTorch's layout [units, inputs]; the input is a vector.
    """

    name: ClassVar[str] = "dense"
    group: ClassVar[str] = "connect"
    holds_weights: ClassVar[bool] = True

    units: int = arg(whole(1), doc="how many outputs")
    bias: bool = arg(FLAG, True, "add a learnable number to each output")
    init: str = arg(
        INIT,
        FITTED,
        "distribution of the initial weight; left out, less where branches add up",
        default_text='"he"',
    )
    weight: Any = arg(FIXED_VALUES, None, "fixed values of the weight", default_text="learned")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(inputs[0]) != 1:
            raise ShapeError(
                "E305",
                "dense takes a vector",
                label=f"the input is {show_shape(inputs[0])}",
                help="add `flatten` before it",
            )
        known(inputs[0], self.name)
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (self.units,)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        (features,) = known(inputs[0], self.name)
        weight = Weight(
            "weight",
            (self.units, features),
            self.init,
            fan_in=features,
            fan_out=self.units,
            values=self.weight,
        )
        return (weight, Weight("bias", (self.units,), "zero")) if self.bias else (weight,)

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return self.weights(inputs)[0].size

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class Identity(Op):
    """Hands on what it gets: the bare shortcut of a residual block."""

    name: ClassVar[str] = "identity"
    group: ClassVar[str] = "connect"

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class Dropout(Identity):
    """Drops values at random while training (Srivastava et al. 2014); hands on when run."""

    name: ClassVar[str] = "dropout"

    p: float = arg(FRACTION, 0.5, "the share that is dropped")
