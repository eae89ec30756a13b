"""Poolings whose output size does not follow from a window."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import (
    Extent,
    arg,
    extent,
)
from compiler.ops.base import (
    EVERYWHERE,
    Axis,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    spatial_of,
)
from compiler.shapes import per_axis


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
        return (inputs[0][0], *sizes)

    def parts(self, spatial: Shape) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each axis the (start, end) of every part; `spatial` must be known numbers."""
        sizes = per_axis(self.size, len(spatial), "size")
        return tuple(
            tuple((i * w // n, -(-(i + 1) * w // n)) for i in range(n))
            for w, n in zip((int(s) for s in spatial if isinstance(s, int)), sizes, strict=True)
        )

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        spatial = inputs[0][1:]
        if any(isinstance(s, Dim) for s in spatial):
            return EVERYWHERE
        axes = []
        for parts in self.parts(spatial):
            widths = {end - start for start, end in parts}
            steps = {b[0] - a[0] for a, b in itertools.pairwise(parts)}
            axes.append(Axis(max(widths), max(steps, default=max(widths))))
        return Reach("window", tuple(axes))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        spatial = emit.inputs[0][1:]
        if all(n == 1 for n in emit.output[1:]):
            return emit.node("GlobalAveragePool", inputs[0])
        x = inputs[0]
        rank = len(spatial)
        # A matrix of averages along one axis at a time, that axis moved to the end.
        for index, parts in enumerate(self.parts(spatial)):
            size = spatial[index]
            assert isinstance(size, int)
            if len(parts) == size:
                continue
            matrix = tuple(
                tuple(1 / (end - start) if start <= pixel < end else 0.0 for start, end in parts)
                for pixel in range(size)
            )
            order = [*range(rank + 2)]
            order[index + 2], order[-1] = order[-1], order[index + 2]
            if index < rank - 1:
                x = emit.node("Transpose", x, perm=order)
            x = emit.node("MatMul", x, emit.floats(matrix))
            if index < rank - 1:
                x = emit.node("Transpose", x, perm=order)
        return x
