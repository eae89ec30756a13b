"""What arrays a network wants, before any file is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from compiler.graph import Graph

Kind = Literal["parameter", "buffer", "fixed"]


@dataclass(frozen=True)
class WantedArray:
    """One array that a network needs.

    A parameter is learned, a buffer is a running statistic, fixed numbers stand in the definition
    (a file may leave them out). `op` and `line` are those of the layer that owns it.
    """

    name: str
    shape: tuple[int, ...]
    kind: Kind
    op: str
    line: int

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "kind": self.kind,
            "op": self.op,
            "line": self.line,
        }


def wanted_arrays(graph: Graph) -> dict[str, WantedArray]:
    """Every array of a network by its full name, shared ones once, in the order of the layers."""
    found: dict[str, WantedArray] = {}
    for node in graph.nodes():
        for weight in graph.weights(node):
            name = node.array(weight.name)
            kind: Kind = "buffer" if weight.buffer else "parameter"
            if weight.values is not None:
                kind = "fixed"
            entry = WantedArray(name, weight.shape, kind, node.op.name, node.span.line)
            found.setdefault(name, entry)
    return found
