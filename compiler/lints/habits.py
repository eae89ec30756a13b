"""Arguments as other tools have them: allowed here, with another meaning."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.graph import Node
from compiler.lints.context import LintContext
from compiler.ops.base import Op, is_join
from compiler.ops.convolution import Conv
from compiler.ops.joins import size_word
from compiler.remedies.changes import argument_of, names_of, uniform
from grammar import syntax as s
from grammar.diagnostics import Diagnostic

WIDEST_KERNEL = 16  # wider ones are seldom meant, and never where the stride is as wide
COUNTED_ELSEWHERE = ("concat", "softmax", "log_softmax")  # whose axis 1 is the channels there


def arguments_of_other_tools(context: LintContext) -> Iterator[Diagnostic]:
    """W117: `conv(3, 64, 3)` with the input's channels, a kernel `3*3`, `axis=1` on a map."""
    for node in context.graph.nodes():
        stage = context.elaborated.around.stages.get(node.span)
        if stage is None or not stage.arguments or not node.inputs:
            continue
        shape = context.graph.input_shapes(node)[0]
        if isinstance(node.op, Conv) and has_input_channels(node.op, stage, shape[0]):
            rest = ", ".join(argument.span.text for argument in stage.arguments[1:])
            yield context.warn(
                "W117",
                node,
                f"this kernel has {node.op.kernel} pixels along each axis",
                argument="kernel",
                label=f"the first argument, {node.op.channels}, is what comes out",
                help=f"the input's channels are not written: {node.op.name}({rest})",
            )
        yield from products(context, node, node.op, stage)
        if node.op.name in COUNTED_ELSEWHERE and len(shape) > 2:
            given = argument_of(stage, "axis", axis_names_of(node.op))
            if given is not None and isinstance(given.value, s.Number) and given.value.value == 1:
                yield context.warn(
                    "W117",
                    node,
                    f"axis 1 is the {size_word(1, len(shape))}: the batch is not counted",
                    argument="axis",
                    label="the channels are axis 0",
                    help=f"axis=0 is the channels; axis={1 - len(shape)} leaves no doubt if the "
                    f"{size_word(1, len(shape))} is meant",
                )


def axis_names_of(op: Op) -> list[str]:
    """What positions in the call of an op mean: none in a join, where they are tensors."""
    return [] if is_join(op) else names_of(op)


def has_input_channels(op: Conv, stage: s.Stage, channels: object) -> bool:
    """Whether a call looks like `conv(in, out, kernel)`: three positions, a kernel far too wide."""
    given = stage.arguments or ()
    kernel = uniform(op.kernel)
    positions = len(given) >= 3 and not any(argument.keyword for argument in given[:3])
    return positions and op.channels == channels and kernel is not None and kernel > WIDEST_KERNEL


def products(context: LintContext, node: Node, op: Op, stage: s.Stage) -> Iterator[Diagnostic]:
    """A size written as a product: `3*3` is 9."""
    for name in ("kernel", "stride", "scale"):
        given = argument_of(stage, name, names_of(op))
        value = None if given is None else given.value
        if not isinstance(value, s.Binary) or value.operator != "*":
            continue
        sides = (value.left, value.right)
        numbers = [side.value for side in sides if isinstance(side, s.Number)]
        if len(numbers) == 2 and max(numbers) <= WIDEST_KERNEL:
            size = "x".join(map(str, numbers))
            yield context.warn(
                "W117",
                node,
                f"{value.span.text} is the number {numbers[0] * numbers[1]}",
                argument=name,
                label=f"the same along each axis, as {getattr(op, name)}",
                help=f"a size is written with the letter x: {size}",
            )
