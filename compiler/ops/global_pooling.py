"""Poolings whose output size is given: one number for each map, or a fixed number of parts."""

from __future__ import annotations

from typing import ClassVar

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, extent
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes
from compiler.ops.shapes import per_axis, spatial_of
from grammar.records import dataclass

LARGEST_MATRIX = 2**22
MOST_OPEN_PARTS = 64  # of an axis whose size is symbolic: each part is some nodes of the model


@dataclass(frozen=True)
class GlobalAveragePool(Op, name="gap", group="windows"):
    """The mean of each whole feature map: [C, …] becomes [C, 1, …]."""

    in_float32: ClassVar[bool] = True

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        return (inputs[0][0], *(1 for _ in spatial))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class GlobalMaxPool(GlobalAveragePool, name="gmp"):
    """The largest value of each whole feature map: [C, …] becomes [C, 1, …]."""

    in_float32: ClassVar[bool] = False


@dataclass(frozen=True)
class AdaptiveAvgPool(Op, name="adaptive_avgpool", group="windows"):
    """The means of `size` near-equal parts of each axis.

    Part i of n along W pixels runs from floor(iW/n) to ceil((i + 1)W/n), as in PyTorch.
    """

    in_float32: ClassVar[bool] = True

    size: int | Extent = arg(extent(1), doc="output size")

    plain: ClassVar[str] = "avgpool"

    def parts(self, rank: int) -> tuple[int, ...]:
        """How many parts each axis is divided into."""
        return per_axis(self.size, rank, "size")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        sizes = self.parts(len(spatial))
        for given, wanted in zip(spatial, sizes, strict=True):
            if isinstance(given, Dim) and wanted > MOST_OPEN_PARTS:
                raise ShapeError(
                    "E307",
                    f"{self.name} divides the symbolic size {given} into at most "
                    f"{MOST_OPEN_PARTS} parts",
                    argument="size",
                    label=f"{wanted} parts",
                    help="fix the input's size for more",
                )
            if wanted != 1 and isinstance(given, int) and given * wanted > LARGEST_MATRIX:
                raise ShapeError(
                    "E306",
                    f"{self.name} from {given} pixels to {wanted} takes a matrix of more than "
                    f"{LARGEST_MATRIX:_} numbers",
                    argument="size",
                    help=f"{self.plain} with a stride does most of the way",
                )
        return (inputs[0][0], *sizes)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("parts")


@dataclass(frozen=True)
class AdaptiveMaxPool(AdaptiveAvgPool, name="adaptive_maxpool"):
    """The largest values of `size` near-equal parts of each axis, parts as in adaptive_avgpool."""

    in_float32: ClassVar[bool] = False
    plain: ClassVar[str] = "maxpool"
