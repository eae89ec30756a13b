"""Optimisation: rewrites (`compiler.rewriting`), one a file, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.graph import Graph
from compiler.ops.base import Op
from compiler.ops.connect import Dropout, Identity
from compiler.ops.joins import Concat, Join
from compiler.ops.normalise import BatchNorm
from compiler.ops.reshape import Flatten
from compiler.ops.scale import Normalize, Scale, Shift
from compiler.passes.fold_batch_norm import fold_batch_norm
from compiler.passes.fold_constants import fold_constants
from compiler.passes.remove_identity import remove_identity
from compiler.rewriting import Rewrite, rewritten

# Each with the ops that it looks for: it has nothing to do in a graph without them.
PASSES: Mapping[Rewrite, tuple[type[Op], ...]] = {
    remove_identity: (Identity, Dropout, Flatten, Scale, Shift, Join, Concat),
    fold_constants: (Scale, Shift, Normalize),
    fold_batch_norm: (BatchNorm,),
}


def optimise(graph: Graph) -> Graph:
    """The graph, which has its numbers, after all passes: the same outputs from fewer layers."""
    if graph.unused():
        graph = rewritten(graph, lambda _: None)
    for rewrite, ops in PASSES.items():
        if any(isinstance(node.op, ops) for node in graph.nodes()):
            graph = rewritten(graph, rewrite)
    return graph
