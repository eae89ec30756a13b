"""What a layer at fault most likely makes, so that what follows is looked at all the same.

A call is understood as its remedy would have it, where only the name of the layer or of a parameter
is wrong; a layer that leaves shapes alone does so with any arguments.

Where only a guess is left (which branch of a join is the right one), a net is unrolled once with
the first and once with the last: a mistake that only one of them has follows from the guess.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.domain import Facts
from compiler.ops import OPS
from compiler.ops.base import Op, Shape, ShapeError, Shapes
from compiler.ops.connect import Dense, Identity
from compiler.ops.joins import Concat, Join
from compiler.ops.reshape import Reshape
from compiler.ops.shapes import infer
from compiler.values import Mistake
from grammar import syntax as s
from grammar.diagnostics import Fix

LEAVE_SHAPES_ALONE = ("activate", "normalise", "scale")  # these groups of ops


def leaves_shape_alone(op: type[Op], stage: s.Stage) -> bool:
    """Whether what comes out has the shape of what flows in, with any arguments.

    Not in `relu(conv(8, 3x3))`, which is about the shape of something else.
    """
    if any(isinstance(a.value, s.CallExpression) for a in stage.arguments or ()):
        return False
    return op.group in LEAVE_SHAPES_ALONE or issubclass(op, Identity)


def layer_offered(mistake: Mistake) -> type[Op] | None:
    """The layer that an unknown name most likely means, by the remedy of its mistake."""
    offered = [edit.text for edit in mistake.remedy.edits if isinstance(edit, Fix)]
    return OPS.get(offered[0]) if mistake.code == "E201" and len(offered) == 1 else None


def with_offered_keywords(stage: s.Stage, mistake: Mistake) -> s.Stage | None:
    """The call with the parameters that its mistakes offer; None if they are about other things."""
    offered: dict[int, str] = {}
    for each in (mistake, *mistake.others):
        fixes = [edit for edit in each.remedy.edits if isinstance(edit, Fix)]
        if each.code != "E202" or len(fixes) != 1:
            return None
        offered[fixes[0].span.start] = fixes[0].text
    arguments = tuple(
        replace(argument, keyword=offered.get(argument.span.start, argument.keyword))
        for argument in stage.arguments or ()
    )
    return replace(stage, arguments=arguments)


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
