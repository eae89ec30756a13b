"""The output-size formula solved backwards: what would have given the size that was wanted."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.base import Op, Shape, ShapeError, Shapes, show_shape
from compiler.shapes import infer

MOST_PAD = 12
MOST_STRIDE = 5


def backwards(op: Op, inputs: Shapes, wanted: Shape, facts: Facts) -> str | None:
    """A help line with the single changes of `op` (or of its input) that give `wanted`."""
    found = [text for text, changed in variants(op) if gives(changed, inputs, wanted, facts)]
    if not found and inputs and len(inputs[0]) > 1 and len(inputs[0]) == len(wanted):
        found = input_sizes(op, inputs[0], wanted, facts)
    return " or ".join(found[:4]) + f" would give {show_shape(wanted)}" if found else None


def variants(op: Op) -> list[tuple[str, Op]]:
    """Ops that differ from `op` in one argument."""
    names = {parameter.name for parameter in fields(op)}
    choices: dict[str, list[Any]] = {
        "pad": [*range(MOST_PAD + 1)],
        "stride": [*range(1, MOST_STRIDE + 1)],
        "ceil": [True, False],
        "output_pad": [0, 1, 2],
        "kernel": [*range(1, 12)],
        "channels": [],
    }
    return [
        (f"{name}={str(value).lower()}", replace(op, **{name: value}))
        for name, values in choices.items()
        if name in names
        for value in values
        if value != getattr(op, name)
    ]


def gives(op: Op, inputs: Shapes, wanted: Shape, facts: Facts) -> bool:
    """Whether an op makes the wanted shape."""
    try:
        return infer(op, inputs, facts) == wanted
    except ShapeError:
        return False


def input_sizes(op: Op, shape: Shape, wanted: Shape, facts: Facts) -> list[str]:
    """The input of the same channels, square or as it is but for one change, that would do."""
    if any(isinstance(size, Dim) for size in (*shape, *wanted)):
        return []
    reach = max(int(size) for size in shape[1:] if isinstance(size, int))
    for side in range(1, 2 * reach + 16):
        other = (shape[0], *(side for _ in shape[1:]))
        if gives(op, (other,), wanted, facts):
            return [f"an input of {show_shape(other)}"]
    return []
