"""Rules about the whole network."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.graph import Input
from compiler.lints.joins import passed_by
from compiler.lints.subject import Subject
from grammar.diagnostics import Diagnostic

LARGE = 1_000_000  # parameters of a dense layer that is worth a word


def dominant_dense(subject: Subject) -> Iterator[Diagnostic]:
    """W108: one dense layer after convolutions holds more than half of all parameters."""
    layers = subject.analysis.layers
    if not any(layer.node.op.name == "conv" for layer in layers):
        return
    total = subject.analysis.parameters
    for layer in layers:
        held = layer.parameters
        if layer.node.op.name == "dense" and held > LARGE and 2 * held > total:
            (shape,) = subject.graph.input_shapes(layer.node)
            yield subject.warn(
                "W108",
                layer.node,
                "one dense layer holds over half of all parameters",
                label=f"{held:,} of {total:,}, {held / total:.0%}",
                notes=[f"{shape[0]} inputs times {layer.node.shape[0]} units"],
                help="average each map first: gap -> flatten",
            )


def unused_tensor(subject: Subject) -> Iterator[Diagnostic]:
    """W110: a tensor that nothing takes and that is no output."""
    graph = subject.graph
    taken = passed_by(subject) | set(graph.outputs.values())  # W111 tells of the former
    for node in graph.nodes():
        if node.name in taken or subject.users[node.name]:
            continue
        what = "input" if isinstance(node.op, Input) else "result of"
        yield subject.warn(
            "W110",
            node,
            f"the {what} `{node.name}` is never used",
            label="nothing takes this tensor",
            help="join it, or declare it: output name",
        )
