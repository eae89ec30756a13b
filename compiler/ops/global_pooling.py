"""Poolings whose output size is given: one number for each map, or a fixed number of parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, extent
from compiler.ops.base import EVERYWHERE, Emitter, Op, Reach, Shape, ShapeError, Shapes
from compiler.ops.checks import spatial_of
from compiler.shapes import per_axis

LARGEST_MATRIX = 2**22


@dataclass(frozen=True)
class GlobalAveragePool(Op):
    """The mean of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gap"
    group: ClassVar[str] = "windows"
    onnx_type: ClassVar[str] = "GlobalAveragePool"

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        return (inputs[0][0], *(1 for _ in spatial))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node(self.onnx_type, inputs[0])


@dataclass(frozen=True)
class GlobalMaxPool(GlobalAveragePool):
    """The largest value of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gmp"
    onnx_type: ClassVar[str] = "GlobalMaxPool"


@dataclass(frozen=True)
class AdaptiveAvgPool(Op):
    """The means of `size` near-equal parts of each axis.

    Part i of n along W pixels runs from floor(iW/n) to ceil((i + 1)W/n), as in PyTorch.
    """

    name: ClassVar[str] = "adaptive_avgpool"
    group: ClassVar[str] = "windows"

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

    def lower(self, emit: Emitter, *inputs: str) -> str:
        if all(parts == 1 for parts in emit.output[1:]):
            return emit.node("GlobalAveragePool", inputs[0])
        x, last = inputs[0], len(emit.output)
        for axis, (size, parts) in enumerate(
            zip(emit.inputs[0][1:], emit.output[1:], strict=True), start=2
        ):
            if parts == 1:
                x = emit_mean(emit, x, axis)
            elif isinstance(size, int) and isinstance(parts, int) and parts != size:
                matrix = emit.floats(averages(size, parts))
                if axis == last:
                    x = emit.node("MatMul", x, matrix)
                    continue
                swapped = [*range(last + 1)]
                swapped[axis], swapped[last] = last, axis
                x = emit.node("MatMul", emit.node("Transpose", x, perm=swapped), matrix)
                x = emit.node("Transpose", x, perm=swapped)
        return x


def averages(size: int, parts: int) -> tuple[tuple[float, ...], ...]:
    """The matrix [size, parts] that takes an axis to the means of its parts."""
    bounds = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    return tuple(
        tuple(1 / (end - start) if start <= pixel < end else 0.0 for start, end in bounds)
        for pixel in range(size)
    )


def emit_mean(emit: Emitter, x: str, axis: int) -> str:
    """The mean along one axis, which stays with size 1; opset 18 made `axes` an input."""
    if emit.opset < 18:
        return emit.node("ReduceMean", x, axes=[axis], keepdims=1)
    return emit.node("ReduceMean", x, emit.ints([axis]), keepdims=1)
