"""Concatenations that grow: each of all before it, as exporters write DenseNet."""

from __future__ import annotations

from dataclasses import replace

from compiler.ops.joins import Concat
from compiler.rewriting import Rewriting


def share_concats(rewriting: Rewriting) -> None:
    """A concat of all that an earlier one holds, and more, begins with the earlier one's tensor.

    [x0, x1], [x0, x1, x2], … becomes [x0, x1], [first, x2], …: the same tensors, a chain of joins.
    """
    earlier: dict[tuple[int, tuple[str, ...]], str] = {}
    for node in rewriting.each():
        if not isinstance(node.op, Concat):
            continue
        axis, inputs = node.op.axis, node.inputs
        for count in range(len(inputs) - 1, 1, -1):
            held = earlier.get((axis, inputs[:count]))
            if held is not None:
                rewriting.put(replace(node, inputs=(held, *inputs[count:])))
                break
        earlier[axis, inputs] = node.name
