"""Poolings whose output size is given: one number for each map, or a fixed number of parts."""

from __future__ import annotations

from typing import ClassVar

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, extent
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes
from compiler.ops.checks import spatial_of
from compiler.ops.shapes import per_axis
from grammar.records import dataclass

LARGEST_MATRIX = 2**22


@dataclass(frozen=True)
class GlobalAveragePool(Op):
    """The mean of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gap"
    group: ClassVar[str] = "windows"
    in_float32: ClassVar[bool] = True

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        return (inputs[0][0], *(1 for _ in spatial))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class GlobalMaxPool(GlobalAveragePool):
    """The largest value of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gmp"
    in_float32: ClassVar[bool] = False


@dataclass(frozen=True)
class AdaptiveAvgPool(Op):
    """The means of `size` near-equal parts of each axis.

    Part i of n along W pixels runs from floor(iW/n) to ceil((i + 1)W/n), as in PyTorch.
    """

    name: ClassVar[str] = "adaptive_avgpool"
    group: ClassVar[str] = "windows"
    in_float32: ClassVar[bool] = True

    size: int | Extent = arg(extent(1), doc="output size")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        sizes = per_axis(self.size, len(spatial), "size")
        for given, wanted in zip(spatial, sizes, strict=True):
            if isinstance(given, Dim) and wanted != 1:
                raise ShapeError(
                    "E307",
                    f"adaptive_avgpool must know the size that it divides, but {given} is symbolic",
                    argument="size",
                    help="a size of 1 works for every input; otherwise fix the input's size",
                )
            if wanted != 1 and isinstance(given, int) and given * wanted > LARGEST_MATRIX:
                raise ShapeError(
                    "E306",
                    f"adaptive_avgpool from {given} pixels to {wanted} takes a matrix of more than "
                    f"{LARGEST_MATRIX:_} numbers",
                    argument="size",
                    help="avgpool with a stride does most of the way",
                )
        return (inputs[0][0], *sizes)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("parts")
