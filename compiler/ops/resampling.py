"""Maps of any other size."""

from __future__ import annotations

from fractions import Fraction
from itertools import starmap
from struct import pack, unpack
from typing import Any

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import LARGEST_NUMBER, Kind, arg, choice, extent, number
from compiler.ops.base import EVERYWHERE, Op, Reach, Sampling, Shape, ShapeError, Shapes, show_shape
from compiler.ops.shapes import axes_in_words, per_axis, spatial_of
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


def _sizes(value: Any) -> Any:
    if value is None or isinstance(value, Dim):
        return value
    if isinstance(value, list | tuple) and any(isinstance(v, Dim) for v in value):
        return tuple(v if isinstance(v, Dim) else extent(1).convert(v) for v in value)
    return extent(1).convert(value)


TARGET = Kind("a whole number of at least 1, a size such as 3x3, or a list of sizes", _sizes)


def _like(value: Any) -> Any:
    shape = getattr(value, "shape", None)
    if value is None or (isinstance(value, tuple) and shape is None):
        return value
    if not isinstance(shape, tuple) or len(shape) < 2:
        raise TypeError
    return shape[1:]


LIKE = Kind("a tensor with spatial axes", _like)
MODES = {"bilinear": "linear"}  # what PyTorch calls it


def _mode(value: Any) -> str:
    return str(MODE_NAMES(MODES.get(value, value) if isinstance(value, str) else value))


MODE_NAMES = choice("nearest", "linear", "cubic")
MODE = Kind(f'{MODE_NAMES.words} ("bilinear" is "linear")', _mode)
FACTORS = Kind("a number above 0, or a list with one for each axis", _factors)


@dataclass(frozen=True)
class Resize(Op, name="resize", group="shape"):
    """The map at another size: the nearest pixels, or interpolated along each axis in turn.

    Output pixel i looks at (i + 0.5)/scale - 0.5 of the input ("half_pixel"), at i/scale
    ("asymmetric"), or so that the corners of both maps meet ("corners"); what lies outside is the
    edge. "cubic" is Keys' kernel with a = -0.75 (Keys 1981), as in PyTorch and ONNX.
    """

    size: Any = arg(TARGET, None, doc="output size", default_text="that of `like`")
    mode: str = arg(MODE, "nearest", "how pixels come about")
    align: str = arg(choice(*ALIGNMENTS), "half_pixel", "where output pixels lie in the input")
    rounding: str = arg(choice(*ROUNDINGS), "prefer_floor", "which pixel is the nearest")
    scale: Any = arg(
        FACTORS, None, "the factor between the pixels", default_text="output size/input size"
    )

    like: Any = arg(LIKE, None, "a tensor whose sizes it takes", default_text="none")

    def sizes(self, rank: int) -> Shape:
        """The output's spatial sizes; raises E305 and E306."""
        if (self.size is None) == (self.like is None):
            raise ShapeError(
                "E306",
                "resize has either a size or a tensor `like` which it becomes",
                label="here is neither" if self.size is None else "here are both",
            )
        if self.like is not None and len(self.like) != rank:
            raise ShapeError(
                "E305",
                "resize takes the sizes of a tensor of its own rank",
                argument="like",
                label=f"{axes_in_words(len(self.like))}, but the input has {axes_in_words(rank)}",
            )
        given = self.size if self.like is None else self.like
        return (given,) * rank if isinstance(given, Dim) else per_axis(given, rank, "size")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        if self.mode == "cubic" and len(spatial) != 2:
            raise ShapeError(
                "E305",
                "cubic interpolation takes a map with height and width",
                argument="mode",
                label=f"the input is {show_shape(inputs[0])}",
            )
        sizes = self.sizes(len(spatial))
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
        if any(isinstance(size, Dim) for size in (*inputs[0][1:], *output[1:])):
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
