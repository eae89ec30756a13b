"""Remove the layers that change nothing at run time."""

from __future__ import annotations

from compiler.graph import Input, Node
from compiler.ops.connect import Dropout, Identity
from compiler.ops.reshape import Flatten
from compiler.ops.scale import Scale, Shift
from compiler.rewriting import Rewriting


def is_identity(rewriting: Rewriting, node: Node) -> bool:
    """Whether a layer hands on its single input as it is."""
    match node.op:
        case Identity() | Dropout():
            return True
        case Flatten():
            return node.shape == rewriting.nodes[node.inputs[0]].shape
        case Scale(factor=1.0) | Shift(offset=0.0):
            return True
    return node.op.most_inputs is None and len(node.inputs) == 1


def remove_identity(rewriting: Rewriting) -> None:
    """Remove identity, dropout (which acts in training only) and other layers without effect.

    Requires nothing; guarantees that no such layer is left, but for one between an input and an
    output, which is kept as the output's own tensor.
    """
    outputs = set(rewriting.outputs.values())
    for node in rewriting.each():
        if isinstance(node.op, Input) or not is_identity(rewriting, node):
            continue
        source_is_input = isinstance(rewriting.nodes[node.inputs[0]].op, Input)
        if node.name not in outputs or not source_is_input:
            rewriting.drop(node.name, instead=node.inputs[0])
