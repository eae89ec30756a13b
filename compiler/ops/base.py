"""What an op is: one frozen dataclass whose fields are the language's parameters.

An op says its shape rule (`infer`), the arrays it holds (`weights`), its cost (`macs`) and what
each output position looks at (`reach`). What else it means stands in tables (`compiler.registry`):
in ONNX in `compiler/onnx`, in NumPy in `runtime/kernels`. Nothing here imports onnx or numpy:
numbers stay nested tuples of floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from fractions import Fraction
from math import ceil, floor
from typing import Any, ClassVar, Literal, TypeAlias

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import Kind, Named
from grammar.diagnostics import Message, Remedy, Saying
from grammar.records import dataclass

Shape: TypeAlias = tuple[Size, ...]
Shapes: TypeAlias = tuple[Shape, ...]


class ShapeError(Saying, Exception):
    """A layer that its input does not allow: the rule and the values, before it has a place.

    `argument` names the parameter at fault (its source text is underlined). The elaborator adds the
    place, the input's shape and where it came from.
    """

    def __init__(
        self,
        code: str,
        headline: str,
        *,
        argument: str | None = None,
        label: str = "",
        notes: Sequence[str] = (),
        help: Remedy | str | None = None,
    ) -> None:
        super().__init__(headline)
        self.content = Message(code, headline, label, tuple(notes), Remedy.of(help))
        self.argument = argument


@dataclass(frozen=True)
class Weight:
    """One array that a layer holds: `weight`, `bias`, `running_mean`, …, or "", called as it is.

    `init` is the distribution of its initial numbers, scaled by `fan_in` and `fan_out` (the number
    of inputs of one output and the reverse); `values` are fixed by the definition. A buffer is
    not learnable and not counted as a parameter.
    """

    name: str
    shape: tuple[int, ...]
    init: str
    fan_in: int = 1
    fan_out: int = 1
    buffer: bool = False
    values: Any = None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count


@dataclass(frozen=True)
class Axis:
    """A window along one spatial axis, every pad resolved to a number of pixels.

    `overhang` is what `ceil=true` adds after the padding so that the last window is whole.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    overhang: int = 0

    @property
    def extent(self) -> int:
        """The dilated kernel, K = d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1


@dataclass(frozen=True)
class Sampling:
    """Output o looks around place `ratio` * o + `offset` of an axis, exactly.

    "floor", "ceil", "prefer_floor" and "prefer_ceil" say which pixel is the nearest; "linear" and
    "cubic" look at the 2 and 4 around a place between two pixels, and at one that they stand on.
    """

    ratio: Fraction
    offset: Fraction = Fraction(0)
    mode: str = "floor"

    def pixels(self, output: int) -> range:
        """The pixels that an output looks at; those before 0 and behind the last are the edge."""
        place = self.ratio * output + self.offset
        below = floor(place)
        if self.mode in ("linear", "cubic"):
            more = {"linear": 1, "cubic": 2}[self.mode] if place != below else 0
            return range(below - max(more - 1, 0), below + more + 1)
        half = Fraction(1, 2)
        nearest = {
            "floor": below,
            "ceil": ceil(place),
            "prefer_floor": ceil(place - half),
            "prefer_ceil": floor(place + half),
        }[self.mode]
        return range(nearest, nearest + 1)


@dataclass(frozen=True)
class Reach:
    """Which input positions one output position looks at.

    pointwise: the same position; window and transposed: `axes`; everywhere: all of them, or those
    `along` some spatial axes (0 is the first); parts: its share of near-equal parts of each axis;
    sampled: those of `samplings`.
    """

    kind: Literal["pointwise", "window", "transposed", "sampled", "parts", "everywhere"]
    axes: tuple[Axis, ...] = ()
    along: tuple[int, ...] | None = None
    samplings: tuple[Sampling, ...] = ()


POINTWISE = Reach("pointwise")
EVERYWHERE = Reach("everywhere")


def along_axis(axis: int, shape: Shape) -> Reach:
    """The reach of an output that looks along one per-sample axis, the channels being axis 0."""
    spatial = axis % len(shape) - 1
    return POINTWISE if spatial < 0 else Reach("everywhere", along=(spatial,))


@dataclass(frozen=True)
class Op(Named):
    """The base of all ops. Class variables: its group beside its name, how many inputs."""

    name: ClassVar[str] = ""
    group: ClassVar[str] = ""
    least_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int | None] = 1  # None: any number, the op is a join
    holds_weights: ClassVar[bool] = False  # counts towards `depth`
    in_float32: ClassVar[bool] = False  # sums or exponentiates by itself: never in half precision
    no_derivative: ClassVar[str] = ""  # why it has none, if it has none
    whole_inputs: ClassVar[tuple[int, ...]] = ()  # places of inputs that must be whole numbers
    class_inputs: ClassVar[tuple[int, ...]] = ()  # and of those that may be

    def __init_subclass__(cls, *, group: str | None = None, **head: str) -> None:
        """`class Relu(Op, name="relu", group="activate")`"""
        super().__init_subclass__(**head)
        if group is not None:
            cls.group = group

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        """The output's shape per sample, from the inputs'; raises `ShapeError`."""
        raise NotImplementedError

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        """The arrays it holds for inputs of these shapes, in PyTorch's order."""
        return ()

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        """Multiply-accumulates per sample, bias not counted."""
        return 0

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        """What one output position looks at, for the receptive field."""
        return POINTWISE

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        """What it asks of its input beyond a positive output: pairs (size, least value)."""
        return ()


def is_join(op: type[Op] | Op) -> bool:
    """Whether an op takes several tensors: branches in braces, or tensors by their names."""
    return op.most_inputs is None or op.most_inputs > 1


def parameters(op: type[Op]) -> tuple[Field[Any], ...]:
    """The parameters of an op in the order of the language."""
    return fields(op)


def kind_of(parameter: Field[Any]) -> Kind:
    """The sort of argument that a parameter takes."""
    kind = parameter.metadata["kind"]
    assert isinstance(kind, Kind)
    return kind


def is_required(parameter: Field[Any]) -> bool:
    """Whether a call must give this parameter."""
    return parameter.default is MISSING


def show_shape(shape: Sequence[Size]) -> str:
    """A shape as a definition writes it: `[64, 56, 56]`."""
    return "[" + ", ".join(map(str, shape)) + "]"


def show_count(value: object) -> str:
    """A number with thousands separated, or a closed form."""
    return f"{value:,}" if isinstance(value, int) else str(value)
