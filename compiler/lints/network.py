"""Rules about the whole network."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.graph import Input
from compiler.lints.context import LintContext
from compiler.lints.joins import passed_by
from grammar.diagnostics import Diagnostic

LARGE = 1_000_000  # parameters of a dense layer that is worth a word


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


def unused_tensor(context: LintContext) -> Iterator[Diagnostic]:
    """W110: a tensor that nothing takes and that is no output."""
    graph = context.graph
    taken = passed_by(context) | set(graph.outputs.values())  # W111 tells of the former
    taken |= context.elaborated.results
    for node in graph.nodes():
        if node.name in taken or context.users[node.name]:
            continue
        what = "input" if isinstance(node.op, Input) else "result of"
        yield context.warn(
            "W110",
            node,
            f"the {what} `{node.name}` is never used",
            label="nothing takes this tensor",
            help="join it, or declare it: output name",
        )
