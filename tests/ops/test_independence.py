"""NumPy and ONNX stand apart: a fault in where windows stand, on either side, is a difference.

Each fault is planted alone, in the compiler's rule, in the lowering or in the kernels, and each has
to come out on plain numbers of one op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from compiler.onnx import LOWERINGS
from compiler.onnx import convolution as lowered_convolution
from compiler.onnx import pooling as lowered_pooling
from compiler.onnx import windows as lowered_windows
from compiler.ops import windows as rule
from compiler.ops.base import Axis, Op
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.joins import Concat
from compiler.ops.pooling import AvgPool, MaxPool
from compiler.ops.reshape import Transpose
from compiler.ops.spatial import Crop
from runtime.kernels import KERNELS, convolution, pooling, windows
from runtime.kernels.windows import Slide
from tests.opcheck import check, make

SAME = make(Conv, 6, 4, stride=2, pad="same")
PAIRS = make(Conv, 6, 3, pad=[(2, 0), (0, 1)])
HALF = make(Conv, 6, [4, 3], pad="half")
GROUPED = make(Conv, 6, 3, groups=2)
DILATED = make(Conv, 6, 3, pad=2, dilation=[2, 1])
CEIL = make(AvgPool, 2, ceil=True)
PARTIAL = make(MaxPool, 2, stride=3, pad=1, ceil=True)
DECONV = make(Deconv, 6, [4, 3], stride=[3, 2], pad="same")
LONGER = make(Deconv, 6, 3, stride=2, output_pad=[1, 0], groups=2)
CENTRE = make(Crop, 4, 3)
SHAPE = (4, 9, 7)

Plant = Callable[[pytest.MonkeyPatch], None]


def put(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """A function that is given the right one, then its arguments."""
    right = getattr(owner, name)
    return lambda patch: patch.setattr(
        owner, name, lambda *given, **named: change(right, *given, **named)
    )


def passed_over(table: Any, op: type[Op], **values: Any) -> Plant:
    """A function of a table that does not look at some parameters."""
    right = table[op]
    return lambda patch: patch.setitem(
        table, op, lambda op, *given: right(replace(op, **values), *given)
    )


def other_word(right: Any, pad: Any, *given: Any, **named: Any) -> Any:
    """ "same" for "same_lower"."""
    return right("same_lower" if pad == "same" else pad, *given, **named)


def other_side(right: Any, *given: Any, **named: Any) -> Any:
    """The pixels before for those after."""
    return tuple(pair[::-1] for pair in right(*given, **named))


def rounded_up(right: Any, pad: Any, spatial: Any, extents: Any, *given: Any, **named: Any) -> Any:
    """ "half" as K // 2."""
    pairs = tuple((k // 2, k // 2) for k in extents)
    return right(pairs if pad == "half" else pad, spatial, extents, *given, **named)


def no_overhang(right: Any, size: Any, axis: Axis) -> Axis:
    """No partial window."""
    return axis


def every_window(right: Any, size: Any, axis: Axis) -> Axis:
    """Also a last window that starts in the padding."""
    rest = (axis.extent - size - axis.before - axis.after) % axis.stride
    return replace(axis, overhang=rest)


def turned(right: Any, axes: Any, **named: Any) -> Any:
    """The pads of height for those of width."""
    return right(axes[::-1], **named)


def swapped(right: Any, axes: Any, **named: Any) -> Any:
    """The pads before for those after."""
    pads = right(axes, **named)
    return pads[len(pads) // 2 :] + pads[: len(pads) // 2]


def reordered(right: Any, op: Transpose, *given: Any) -> Any:
    """The order read the other way round: old axis to new."""
    order = tuple(op.order.index(axis) for axis in range(len(op.order)))
    return right(replace(op, order=order), *given)


def in_table(table: Any, op: type[Op], change: Callable[..., Any]) -> Plant:
    """A function of a table that is given the right one, then its arguments."""
    right = table[op]
    return lambda patch: patch.setitem(table, op, lambda *given: change(right, *given))


def late(right: Any, op: Crop, *given: Any) -> Any:
    """The centre of a crop rounded up."""
    return right(replace(op, top=(SHAPE[1] - op.h + 1) // 2), *given)


def without(**changes: int) -> Callable[..., Any]:
    """Windows whose slides say something else."""
    return lambda right, *given, **named: tuple(
        replace(slide, **changes) for slide in right(*given, **named)
    )


def mirrored(right: Any, *given: Any, **named: Any) -> Any:
    """The kernel's pads before for those after."""
    return tuple(
        replace(slide, before=slide.after, after=slide.before) for slide in right(*given, **named)
    )


def axes_turned(right: Any, x: Any, axes: tuple[Slide, ...], *given: Any, **named: Any) -> Any:
    """The padding of height for that of width."""
    return right(x, axes[::-1], *given, **named)


FAULTS: dict[str, tuple[Op, Plant]] = {
    "rule: same as same_lower": (SAME, put(rule, "resolve_padding", other_word)),
    "rule: pairs turned": (PAIRS, put(rule, "resolve_padding", other_side)),
    "rule: half rounded up": (HALF, put(rule, "resolve_padding", rounded_up)),
    "rule: ceil forgotten": (CEIL, put(rule, "with_overhang", no_overhang)),
    "rule: ceil keeps every window": (PARTIAL, put(rule, "with_overhang", every_window)),
    "onnx: sides": (SAME, put(lowered_windows, "onnx_pads", swapped)),
    "onnx: sides of a deconv": (DECONV, put(lowered_convolution, "onnx_pads", swapped)),
    "onnx: axes": (PAIRS, put(lowered_windows, "onnx_pads", turned)),
    "onnx: overhang": (CEIL, put(lowered_pooling, "onnx_pads", lambda right, axes, **_: [0] * 4)),
    "onnx: dilation": (DILATED, passed_over(LOWERINGS, Conv, dilation=1)),
    "onnx: groups": (GROUPED, passed_over(LOWERINGS, Conv, groups=1)),
    "onnx: output_pad": (LONGER, passed_over(LOWERINGS, Deconv, output_pad=0)),
    "onnx: axis order": (
        make(Transpose, [1, 2, 0]),
        in_table(LOWERINGS, Transpose, reordered),
    ),
    "onnx: axis": (make(Concat, axis=1), passed_over(LOWERINGS, Concat, axis=2)),
    "onnx: centre": (CENTRE, in_table(LOWERINGS, Crop, late)),
    "numpy: centre": (CENTRE, in_table(KERNELS, Crop, late)),
    "numpy: same as same_lower": (SAME, put(convolution, "slides", mirrored)),
    "numpy: sides of a deconv": (DECONV, put(convolution, "transposed_slides", mirrored)),
    "numpy: half rounded up": (
        HALF,
        put(windows, "fixed_padding", lambda right, pad, axis, extent: (extent // 2, extent // 2)),
    ),
    "numpy: axes": (PAIRS, put(convolution, "padded", axes_turned)),
    "numpy: ceil": (CEIL, passed_over(KERNELS, AvgPool, ceil=False)),
    "numpy: overhang": (PARTIAL, put(pooling, "slides", without(overhang=2))),
    "numpy: dilation": (DILATED, passed_over(KERNELS, Conv, dilation=1)),
    "numpy: groups": (GROUPED, passed_over(KERNELS, Conv, groups=1)),
    "numpy: output_pad": (LONGER, passed_over(KERNELS, Deconv, output_pad=0)),
    "numpy: axis order": (make(Transpose, [1, 2, 0]), in_table(KERNELS, Transpose, reordered)),
    "numpy: axis": (make(Concat, axis=1), passed_over(KERNELS, Concat, axis=2)),
}


@pytest.fixture(autouse=True)
def windows_anew() -> Iterator[None]:
    """The compiler keeps windows from net to net: none of a faulty rule may stay."""
    rule.known_axes.cache_clear()
    yield
    rule.known_axes.cache_clear()


def inputs_of(op: Op) -> tuple[tuple[int, ...], ...]:
    """The shapes that an op of this page takes."""
    return (SHAPE, SHAPE) if isinstance(op, Concat) else (SHAPE,)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_on_one_side_is_a_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op, plant = FAULTS[name]
    check(op, *inputs_of(op))
    rule.known_axes.cache_clear()
    plant(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - a wrong number, or a shape that does not fit
        check(op, *inputs_of(op))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1, "same", "same_lower", "half", [(0, 2)]])
@pytest.mark.parametrize("ceil", [False, True])
def test_windows_stand_where_counting_them_puts_them(stride: int, pad: Any, ceil: bool) -> None:
    for size in range(4, 12):
        for kernel in (2, 3, 4):
            op = make(MaxPool, kernel, stride=stride, pad=pad, ceil=ceil)
            (axis,) = windows.slides((size,), kernel, stride, op.pad, 1, ceil)
            starts, at = [], -axis.before
            while at + kernel <= size + axis.after or (
                ceil and at < size and at + kernel - stride < size + axis.after
            ):
                starts.append(at)
                at += stride
            total = axis.before + size + axis.after + axis.overhang
            assert (total - kernel) // stride + 1 == len(starts)
            if pad in ("same", "same_lower") and not ceil:
                assert len(starts) == max(-(-size // stride), (size - kernel) // stride + 1)
