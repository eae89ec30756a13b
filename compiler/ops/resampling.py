"""Maps of any other size."""

from __future__ import annotations

from fractions import Fraction
from itertools import starmap
from struct import pack, unpack
from typing import Any, ClassVar

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import LARGEST_NUMBER, Extent, Kind, arg, choice, extent, number
from compiler.ops.base import (
    EVERYWHERE,
    Op,
    Reach,
    Sampling,
    Shape,
    ShapeError,
    Shapes,
    show_shape,
)
from compiler.ops.checks import spatial_of
from compiler.ops.shapes import per_axis
from grammar.records import dataclass

ALIGNMENTS = ("half_pixel", "corners", "asymmetric")
ROUNDINGS = ("prefer_floor", "prefer_ceil", "floor", "ceil")


def in_float32(value: float) -> float:
    """The nearest number that float32 holds."""
    return float(unpack("f", pack("f", value))[0])


def sizes_by(have: int, factor: float) -> set[int]:
    """What a given scale makes of a size: ONNX Runtime multiplies in float32, onnx exactly."""
    single = in_float32(factor)
    return {int(have * single), int(in_float32(have * single))}


def _factors(value: Any) -> Any:
    numbers = tuple(map(number, value)) if isinstance(value, list | tuple) else number(value)
    if not all(
        0 < n <= LARGEST_NUMBER for n in (numbers if isinstance(numbers, tuple) else (numbers,))
    ):
        raise ValueError
    return numbers


FACTORS = Kind("a number above 0, or a list with one for each axis", _factors)


@dataclass(frozen=True)
class Resize(Op):
    """The map at another size: the nearest pixels, or interpolated along each axis in turn.

    Output pixel i looks at (i + 0.5)/scale - 0.5 of the input ("half_pixel"), at i/scale
    ("asymmetric"), or so that the corners of both maps meet ("corners"); what lies outside is the
    edge. "cubic" is Keys' kernel with a = -0.75 (Keys 1981), as in PyTorch and ONNX.
    """

    name: ClassVar[str] = "resize"
    group: ClassVar[str] = "shape"

    size: int | Extent = arg(extent(1), doc="output size")
    mode: str = arg(choice("nearest", "linear", "cubic"), "nearest", "how pixels come about")
    align: str = arg(choice(*ALIGNMENTS), "half_pixel", "where output pixels lie in the input")
    rounding: str = arg(choice(*ROUNDINGS), "prefer_floor", "which pixel is the nearest")
    scale: Any = arg(
        FACTORS, None, "the factor between the pixels", default_text="output size/input size"
    )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        if self.mode == "cubic" and len(spatial) != 2:
            raise ShapeError(
                "E305",
                "cubic interpolation takes a map with height and width",
                argument="mode",
                label=f"the input is {show_shape(inputs[0])}",
            )
        sizes = per_axis(self.size, len(spatial), "size")
        if isinstance(self.scale, tuple) and len(self.scale) != len(spatial):
            raise ShapeError(
                "E305",
                f"scale has {len(self.scale)} numbers for {len(spatial)} spatial axes",
                argument="scale",
            )
        for have, wanted, factor in zip(spatial, sizes, self.factors(len(spatial)), strict=True):
            if factor is None:
                continue
            if isinstance(have, Dim) or sizes_by(have, factor) != {wanted}:
                raise ShapeError(
                    "E306",
                    "a scale must give the size: floor(input size * scale)",
                    argument="scale",
                    label=f"{have} * {factor:g} is not {wanted}",
                )
        return (inputs[0][0], *sizes)

    def factors(self, rank: int) -> tuple[float | None, ...]:
        """The given scale of each axis, None where it is the ratio of the sizes."""
        if isinstance(self.scale, tuple):
            return self.scale
        return (self.scale,) * rank

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        sizes = zip(inputs[0][1:], output[1:], self.factors(len(output) - 1), strict=True)
        if any(isinstance(have, Dim) for have in inputs[0][1:]):
            return EVERYWHERE
        return Reach("sampled", samplings=tuple(starmap(self.sampling, sizes)))

    def sampling(self, have: int, wanted: int, factor: float | None) -> Sampling:
        """Where the output's pixels lie along one axis."""
        mode = self.rounding if self.mode == "nearest" else self.mode
        ratio = Fraction(have, wanted) if factor is None else 1 / Fraction(factor)
        if self.align == "corners":
            return Sampling(Fraction(have - 1, max(wanted - 1, 1)), mode=mode)
        offset = (ratio - 1) / 2 if self.align == "half_pixel" else Fraction(0)
        return Sampling(ratio, offset, mode)
