"""How an output size came about: the formula of `compiler.shapes` with its numbers."""

from __future__ import annotations

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.ops.base import Axis, Op, Shape, Shapes
from compiler.ops.joins import Concat
from compiler.shapes import axis_names, per_axis, size_along


def derivation(op: Op, inputs: Shapes, output: Shape, facts: Facts) -> tuple[str, ...]:
    """A line for each size that a formula gives; axes of one formula share a line.

    >>> from compiler.ops import OPS
    >>> pool = OPS["maxpool"](kernel=3, stride=2)
    >>> derivation(pool, ((64, 112, 112),), (64, 55, 55), Facts())
    ('height, width: floor((112 + 0 + 0 - 3)/2) + 1 = 55, 1 pixel left over',)
    """
    if isinstance(op, Concat):
        axis = op.axis % len(output)
        word = ("channels", *axis_names(len(output) - 1))[axis]
        return (f"{word}: {' + '.join(str(shape[axis]) for shape in inputs)} = {output[axis]}",)
    if not inputs or len(inputs[0]) != len(output) or len(output) < 2:
        return ()
    reach = op.reach(inputs, output, facts)
    rank = len(output) - 1
    if reach.kind == "window" and len(reach.axes) == rank:
        steps = [
            windowed(size, axis, have, facts)
            for size, axis, have in zip(inputs[0][1:], reach.axes, output[1:], strict=True)
        ]
    elif reach.kind == "transposed":
        extra = per_axis(getattr(op, "output_pad", 0), rank, "output_pad")
        steps = list(map(transposed, inputs[0][1:], reach.axes, extra, output[1:]))
    else:
        return ()
    said: dict[str, list[str]] = {}
    for name, step in zip(axis_names(rank), steps, strict=True):
        if step:
            said.setdefault(step, []).append(name)
    return tuple(f"{', '.join(names)}: {step}" for step, names in said.items())


def windowed(size: Size, axis: Axis, output: Size, facts: Facts) -> str:
    """floor((W + P_before + P_after - K)/S) + 1; "" where the op has a rule of its own."""
    if facts.simplify(size_along(size, axis)) != output:
        return ""
    numerator = f"{grouped(size)} + {axis.before} + {axis.after} - {axis.extent}"
    if axis.overhang:
        return f"ceil(({numerator})/{axis.stride}) + 1 = {output}, the last window is partial"
    formula = f"floor(({numerator})/{axis.stride}) + 1 = {output}"
    if axis.dilation > 1:
        formula += f", with {dilated(axis)}"
    if isinstance(size, Dim):
        return formula
    left = (size + axis.before + axis.after - axis.extent) % axis.stride
    plural = "" if left == 1 else "s"
    return formula + (f", {left} pixel{plural} left over" if left else "")


def transposed(size: Size, axis: Axis, extra: int, output: Size) -> str:
    """(W - 1)S - P_before - P_after + K + output_pad."""
    formula = f"({grouped(size)} - 1)*{axis.stride} - {axis.before} - {axis.after} + {axis.extent}"
    formula += f" + {extra}" if extra else ""
    return f"{formula} = {output}" + (f", with {dilated(axis)}" if axis.dilation > 1 else "")


def dilated(axis: Axis) -> str:
    """K = d(k - 1) + 1."""
    return f"K = {axis.dilation}*({axis.kernel} - 1) + 1 = {axis.extent}"


def grouped(size: Size) -> str:
    """A size as one term of a formula."""
    return f"({size})" if " " in str(size) else str(size)
