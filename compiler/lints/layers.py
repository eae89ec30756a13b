"""Rules about a layer, and about how it or a join is written."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.bind import argument_of, names_of, size_meant, without_input_channels
from compiler.graph import Node
from compiler.lints.context import LintContext
from compiler.ops.base import Op, is_join
from compiler.ops.convolution import Conv
from compiler.ops.joins import size_word
from compiler.ops.windows import resolve_padding
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix, Remedy

KEEPS_ORDER = {"clip", "identity", "dropout"}  # what may stand between or after a nonlinearity
LARGE = 1_000_000  # parameters of a dense layer that is worth a word


def dropped_pixels(context: LintContext) -> Iterator[Diagnostic]:
    """W101: the last window ends before the input does, so some pixels are never seen."""
    for node, axes in context.windows:
        for name, size, axis in axes:
            if axis.overhang or not axis.stride or axis.extent < axis.stride:
                continue  # nothing is left, or gaps are meant
            remainder = (size + axis.before + axis.after - axis.extent) % axis.stride
            left = remainder - axis.after
            if left > 0:
                yield context.warn(
                    "W101",
                    node,
                    "a stride drops pixels",
                    argument="stride",
                    label=f"no window reaches the last {left} of {size} along {name}",
                    notes=[
                        f"size: floor(({size} + {axis.before} + {axis.after} - {axis.extent})"
                        f"/{axis.stride}) + 1, remainder {remainder}"
                    ],
                    help="pad the input, or use ceil=true"
                    if hasattr(node.op, "ceil")
                    else "pad the input, or choose a size that the stride divides",
                    change=("ceil", True) if hasattr(node.op, "ceil") else None,
                )
                break


def bias_before_norm(context: LintContext) -> Iterator[Diagnostic]:
    """W102: batch normalisation subtracts the mean, and with it any bias before it."""
    for node in context.graph.nodes():
        users = context.users[node.name]
        if not getattr(node.op, "bias", False) or node.name in context.graph.outputs.values():
            continue
        if users and all(user.op.name == "bn" for user in users):
            bias = context.graph.weights(node)[-1]
            yield context.warn(
                "W102",
                node,
                "a bias before batch normalisation has no effect",
                argument="bias",
                label=f"{bias.size:,} parameters for nothing",
                notes=[f"normalised by {users[0].name}"],
                help=f"{node.op.name}(…, bias=false)",
                change=("bias", False),
            )


def two_nonlinearities(context: LintContext) -> Iterator[Diagnostic]:
    """W106: an activation of an activation."""
    for node in context.graph.nodes():
        if node.op.group != "activate" or node.op.name in KEEPS_ORDER:
            continue
        before = context.graph[node.inputs[0]]
        if before.op.group == "activate" and before.op.name not in KEEPS_ORDER:
            yield context.warn(
                "W106",
                node,
                "two nonlinearities in a row",
                label=f"{node.op.name} of {before.op.name}",
                notes=[f"{before.op.name} stands at line {before.span.line}"],
                help="is a layer missing between them?",
            )


def same_is_not_half(context: LintContext) -> Iterator[Diagnostic]:
    """W107: at this stride "same" pads less, or to another side, than the usual half."""
    for node, _ in context.windows:
        pad = getattr(node.op, "pad", None)
        if pad not in ("same", "same_lower"):
            continue
        facts, spatial = context.graph.facts, context.graph.input_shapes(node)[0][1:]
        axes = node.op.reach(context.graph.input_shapes(node), node.shape, facts).axes
        extents, strides = tuple(a.extent for a in axes), tuple(a.stride for a in axes)
        ours = resolve_padding(pad, spatial, extents, strides, facts)
        half = resolve_padding("half", spatial, extents, strides, facts)
        if ours != half and max(strides) > 1:
            yield context.warn(
                "W107",
                node,
                f'pad="{pad}" differs from "half" at stride {max(strides)}',
                argument="pad",
                label=f"pads {ours[0][0]} before and {ours[0][1]} after; "
                f"half is {half[0][0]} on both sides",
                help='weights trained with symmetric padding need pad="half"',
                change=("pad", "half"),
            )


def kernel_wider_than_map(context: LintContext) -> Iterator[Diagnostic]:
    """W109: some taps of the kernel only ever meet padding."""
    for node, axes in context.windows:
        for name, size, axis in axes:
            if axis.extent > size and not axis.overhang:
                yield context.warn(
                    "W109",
                    node,
                    "the kernel is wider than the map",
                    argument="kernel",
                    label=f"{axis.extent} along {name}, but the map has {size}",
                    notes=["part of the kernel only ever meets padding"],
                    help=f"a kernel of at most {size}, or fewer strides before it",
                )
                break


def dominant_dense(context: LintContext) -> Iterator[Diagnostic]:
    """W108: one dense layer after convolutions holds more than half of all parameters."""
    layers = context.analysis.layers
    if not any(layer.node.op.name == "conv" for layer in layers):
        return
    total = context.analysis.parameters
    for layer in layers:
        held = layer.parameters
        if layer.node.op.name == "dense" and held > LARGE and 2 * held > total:
            (shape,) = context.graph.input_shapes(layer.node)
            yield context.warn(
                "W108",
                layer.node,
                "one dense layer holds over half of all parameters",
                label=f"{held:,} of {total:,}, {held / total:.0%}",
                notes=[f"{shape[0]} inputs times {layer.node.shape[0]} units"],
                help="average each map first: gap -> flatten",
            )


def join_of_one_branch(context: LintContext) -> Iterator[Diagnostic]:
    """W111: a join that is called with one tensor, or left with one branch by a false `if`."""
    for node, stage in single_joins(context):
        if stage.body is None:
            yield of_one_tensor(context, node, stage)
            continue
        absent = [statement for statement in stage.body.statements if may_be_absent(statement)]
        if absent and not all(map(is_shortcut, absent)):
            yield context.warn(
                "W111",
                node,
                f"`{node.op.name}` joins a single branch",
                label="nothing else is joined",
                notes=[f"the `if` at line {absent[0].span.line} is false and gives no branch"],
                help="`else { identity }` joins what flows into the braces",
            )


def single_joins(context: LintContext) -> Iterator[tuple[Node, s.Stage]]:
    """The joins that join one tensor, and how they are written."""
    for node in context.graph.nodes():
        stage = context.elaborated.around.stages.get(node.span)
        if len(node.inputs) == 1 and stage is not None and is_join(node.op):
            yield node, stage


def passed_by(context: LintContext) -> set[str | None]:
    """The layers whose tensors flow to a join that takes another one, by `add(x)`."""
    joins = {node.name for node, stage in single_joins(context) if stage.body is None}
    return {
        made.flow.node
        for made in context.elaborated.made
        if made.flow and made.tensor.node in joins
    }


def of_one_tensor(context: LintContext, node: Node, stage: s.Stage) -> Diagnostic:
    """The warning of `-> add(x)`, which drops what flows."""
    warning = context.warn(
        "W111",
        node,
        f"`{node.op.name}` joins a single tensor",
        label="nothing else is joined",
        notes=["in round brackets stand the tensors that are joined; what flows is not among them"],
        help=f"`{node.op.name} {{ identity; … }}` joins what flows with others",
    )
    joined = with_flow(stage)
    if joined is None:
        return warning
    help = f"`{joined.text}` joins it with what flows"
    return warning.saying(remedy=Remedy(help, (joined,)))


def with_flow(stage: s.Stage) -> Fix | None:
    """`add(x)` as `add { identity; x }`, where x is a tensor's name."""
    given = stage.arguments or ()
    tensors = [argument.value for argument in given if argument.keyword is None]
    if stage.callee is None or len(tensors) != 1 or not isinstance(tensors[0], s.Name):
        return None
    named = ", ".join(a.span.text for a in given if a.keyword is not None)
    call = stage.callee.id + (f"({named})" if named else "")
    text = f"{call} {{ identity; {tensors[0].id} }}"
    return Fix(f"replace with `{text}`", stage.call, text)


def is_shortcut(statement: s.Statement) -> bool:
    """Whether an `if` gives what flows or nothing: no shortcut where the sizes differ is meant."""
    if not isinstance(statement, s.If) or statement.otherwise is not None:
        return False
    flows = [st.chain for st in statement.then.statements if isinstance(st, s.Flow)]
    callees = [stage.callee for chain in flows for stage in chain.stages]
    same = all(callee is not None and callee.id in ("identity", "in") for callee in callees)
    return len(flows) == len(statement.then.statements) == 1 and same


def may_be_absent(statement: s.Statement) -> bool:
    """Whether a statement is an `if`, or a chain of them, that ends without an `else`."""
    while isinstance(statement, s.If) and statement.otherwise is not None:
        if len(statement.otherwise.statements) != 1:
            return False
        (statement,) = statement.otherwise.statements
    return isinstance(statement, s.If)


COUNTED_ELSEWHERE = ("concat", "softmax", "log_softmax")  # whose axis 1 is the channels there


def arguments_of_other_tools(context: LintContext) -> Iterator[Diagnostic]:
    """W117: `conv(3, 64, 3)` with the input's channels, a kernel `3*3`, `axis=1` on a map."""
    for node in context.graph.nodes():
        stage = context.elaborated.around.stages.get(node.span)
        if stage is None or not stage.arguments or not node.inputs:
            continue
        shape = context.graph.input_shapes(node)[0]
        if isinstance(node.op, Conv) and (
            counted := without_input_channels(stage, node.op, shape[0], failed=False)
        ):
            yield context.warn(
                "W117",
                node,
                f"this kernel has {node.op.kernel} pixels along each axis",
                argument="kernel",
                label=f"the first argument, {node.op.channels}, is what comes out",
                help=counted,
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


def products(context: LintContext, node: Node, op: Op, stage: s.Stage) -> Iterator[Diagnostic]:
    """A size written as a product: `3*3` is 9."""
    for name in ("kernel", "stride", "scale"):
        given = argument_of(stage, name, names_of(op))
        size = None if given is None else size_meant(given.value)
        if given is not None and size is not None:
            yield context.warn(
                "W117",
                node,
                f"{given.value.span.text} is the number {getattr(op, name)}",
                argument=name,
                label=f"the same along each axis, as {getattr(op, name)}",
                help=f"a size is written with the letter x: {size}",
            )
