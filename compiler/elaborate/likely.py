"""What a layer at fault most likely makes, so that what follows is looked at all the same.

Where only a guess is left (which branch of a join is the right one), a net is unrolled once with
the first and once with the last: a mistake that only one of them has follows from the guess.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.domain import Facts
from compiler.ops.base import Op, Shape, ShapeError, Shapes
from compiler.ops.connect import Dense
from compiler.ops.joins import Concat, Join
from compiler.ops.reshape import Reshape
from compiler.ops.shapes import infer


def likely_shape(op: Op, inputs: Shapes, facts: Facts, code: str, branch: int) -> Shape | None:
    """The shape that the layer of a mistake was to make; None where that is anybody's guess.

    `branch` is that of a join whose sizes are taken for the right ones.
    """
    if code == "E303":  # only the groups are at fault
        return with_one_group(op, inputs, facts)
    if isinstance(op, Reshape) and all(isinstance(n, int) and n > 0 for n in op.shape):
        return tuple(op.shape)
    if isinstance(op, Dense) and code == "E305" and op.axis is None and len(inputs[0]) > 1:
        return (op.units,)
    if code != "E304" or len({len(shape) for shape in inputs}) > 1:
        return None
    if isinstance(op, Join):
        return inputs[branch]
    if isinstance(op, Concat) and op.axis == 0:
        channels = [shape[0] for shape in inputs]
        return (sum(channels[1:], channels[0]), *inputs[branch][1:])
    return None


def with_one_group(op: Op, inputs: Shapes, facts: Facts) -> Shape | None:
    """What the layer would make if its groups fitted."""
    try:
        return infer(replace(op, groups=1), inputs, facts)  # type: ignore[call-arg]
    except (ShapeError, TypeError):
        return None
