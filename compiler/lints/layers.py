"""Rules about one layer and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.lints.context import LintContext
from compiler.ops.windows import resolve_padding
from grammar.diagnostics import Diagnostic

KEEPS_ORDER = {"clip", "identity", "dropout"}  # what may stand between or after a nonlinearity


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
