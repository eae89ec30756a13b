"""Rules about the whole network: its inputs, what it holds, what nothing takes."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.elaborate.state import Made
from compiler.graph import Input, Node
from compiler.layouts import ForeignLayout, foreign_layout
from compiler.lints.context import LintContext
from compiler.lints.layers import passed_by
from compiler.ops.base import Reach
from compiler.symbols.names import children
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix, Remedy, together
from grammar.source import Span


def unused_tensor(context: LintContext) -> Iterator[Diagnostic]:
    """W110: a tensor that nothing takes and that is no output."""
    graph = context.graph
    told = passed_by(context) | context.elaborated.results  # W111 tells of the former
    unused = [node for node in graph.unused() if node.name not in told]
    aside = side_chains(context) if unused else {}
    yield from passed_side_chains(context, [n for n in unused if n.span in aside], aside)
    for node in unused:
        if node.span in aside:
            continue
        what = "input" if isinstance(node.op, Input) else "result of"
        yield context.warn(
            "W110",
            node,
            f"the {what} `{node.name}` is never used",
            label="nothing takes this tensor",
            help="join it, or declare it: output name",
        )


def side_chains(context: LintContext) -> dict[Span, s.Bind]:
    """The side chains of the net and its blocks that what flows enters.

    By the places of their last stages.
    """
    begun = {made.stage.span for made in context.elaborated.made if begins_with_flow(context, made)}
    elaborated = context.elaborated
    definitions = {
        id(call.definition): call.definition for call in elaborated.around.calls.values()
    }
    nodes: list[s.Syntax] = [elaborated.definition, *definitions.values()]
    found: dict[Span, s.Bind] = {}
    for node in nodes:
        nodes += children(node)
        if isinstance(node, s.Bind) and node.chain.stages[0].span in begun:
            found[node.chain.stages[-1].span] = node
    return found


def begins_with_flow(context: LintContext, made: Made) -> bool:
    """Whether a stage itself makes its tensor, of what flows: it is no name, nor `relu(x)`."""
    if (
        made.tensor.node is None
        or context.elaborated.around.stages[made.stage.span] is not made.stage
    ):
        return False
    node = context.graph[made.tensor.node]
    return made.stage.span in (node.span, *(step.span for step in node.call_stack))


def passed_side_chains(
    context: LintContext, unused: list[Node], aside: dict[Span, s.Bind]
) -> Iterator[Diagnostic]:
    """W115: side chains that nothing takes: what flows passes them by. One warning a net."""
    binds = {aside[node.span]: node for node in unused}
    if not binds:
        return
    (bind, node), *others = binds.items()
    fixes = [flowing(each, bool(context.graph.weights(n))) for each, n in binds.items()]
    first = next(m for m in context.elaborated.made if m.stage is bind.chain.stages[0])
    source = None if first.flow is None else first.flow.node
    name = bind.names[0].id
    title = fixes[0].title if len(fixes) == 1 else f"let these {len(fixes)} chains flow"
    joined = together(title, fixes)
    yield Diagnostic.of(
        "W115",
        f"what flows passes `{name}` by, and nothing takes it",
        bind.names[0].span,
        label=f"what follows goes on from `{source}`" if source else "this is a side chain",
        notes=(f"so it is with {', '.join(b.names[0].id for b, _ in others)}",) if others else (),
        help=f"let it flow: {fixes[0].text}",
        call_stack=node.call_stack,
        severity="warning",
        fixes=tuple(filter(None, [joined])),
    )


def flowing(bind: s.Bind, holds_weights: bool) -> Fix:
    """`C1 = conv(6, 5x5)` as `conv(6, 5x5) as C1`."""
    name, last = bind.names[0].id, bind.chain.stages[-1]
    label = name if holds_weights else f'"{name}"'
    text = bind.chain.span.text
    if last.label is None and last.shape is None:
        text += f" as {label}"
    return Fix(f"let `{name}` flow", bind.span, text)


def foreign_shapes(context: LintContext) -> Iterator[Diagnostic]:
    """W112, W113: an input that a window slides over has its channels last, or the batch first."""
    statements = context.elaborated.around.inputs
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
            help=layout.question(node.shape) if picture is None else transposed(window),
            severity="warning",
            fixes=() if picture is not None else (layout.fix(declaration),),
        )


def transposed(window: Node) -> Remedy:
    """The channels put first in front of a layer."""
    place = Span(window.span.source, window.span.start, window.span.start)
    first = "transpose([2, 0, 1])"
    fix = Fix(f"add `{first}` before it", place, f"{first} -> ")
    return Remedy(f"`{first}` before it puts them first", (fix,))


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
