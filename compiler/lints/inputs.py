"""Rules about the shapes of inputs: sizes in an order that is usual elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.graph import Input, Node
from compiler.layouts import ForeignLayout, declarations, foreign_layout
from compiler.lints.context import LintContext
from compiler.ops.base import Reach
from grammar.diagnostics import Diagnostic


def foreign_shapes(context: LintContext) -> Iterator[Diagnostic]:
    """W112, W113: an input that a window slides over has its channels last, or the batch first."""
    statements = declarations(context.elaborated.definition)
    for node in context.graph.inputs():
        declaration = statements[node.span]
        layout = foreign_layout(node.shape)
        picture = node.op.picture if isinstance(node.op, Input) else None
        if picture is not None and picture.layout == "hwc":
            layout = ForeignLayout((2, 0, 1))
        window = first_window(context, node, layout) if layout is not None else None
        if layout is None or window is None:
            continue
        code, message = (
            ("W113", "an input's shape seems to begin with the batch")
            if layout.has_batch
            else ("W112", "an input's channels seem to come last")
        )
        channels, *sides = map(str, node.shape)
        taken = f"{channels} channel{'s' if channels != '1' else ''} of {'x'.join(sides)}"
        yield Diagnostic.of(
            code,
            message,
            declaration.shape.span,
            f"{window.op.name} at line {window.span.line} takes this for {taken}",
            help="`transpose([2, 0, 1])` before it puts them first"
            if picture is not None
            else layout.question(node.shape),
            severity="warning",
            fixes=() if picture is not None else (layout.fix(declaration),),
        )


def first_window(context: LintContext, node: Node, layout: ForeignLayout) -> Node | None:
    """The first layer that slides a window over a tensor, axes and channels where they were.

    None too where it only slides along the axes that remain in the layout that may be meant: who
    writes `1x3x3` or `5x1` knows of the axis that is left out.
    """
    queue = [node]
    for source in queue:
        for user in context.users[source.name]:
            reach = user.op.reach(context.graph.input_shapes(user), user.shape, context.graph.facts)
            if user.op.group == "windows" and reach.axes:
                return None if leaves_out(reach, layout) else user
            if user not in queue and (reach.kind == "pointwise" or user.op.name in ("pad", "crop")):
                queue.append(user)
    return None


def leaves_out(reach: Reach, layout: ForeignLayout) -> bool:
    """Whether a window is 1 wide along what would be no axis of a picture, and wider elsewhere."""
    axes = [reach.axes[0]] * layout.has_batch + [reach.axes[-1]] * layout.has_channels_last
    extents = [axis.extent for axis in reach.axes]
    return any(axis.extent == 1 for axis in axes) and max(extents) > 1
