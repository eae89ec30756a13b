"""Optimisation: rewrites (`compiler.rewriting`), one a file, in the order in which they run."""

from __future__ import annotations

from compiler.graph import Graph
from compiler.passes.fold_batch_norm import fold_batch_norm
from compiler.passes.fold_constants import fold_constants
from compiler.passes.remove_identity import remove_identity
from compiler.rewriting import Rewrite, rewritten

PASSES: tuple[Rewrite, ...] = (remove_identity, fold_constants, fold_batch_norm)


def optimise(graph: Graph) -> Graph:
    """The graph, which has its numbers, after all passes: the same outputs from fewer layers."""
    for rewrite in PASSES:
        graph = rewritten(graph, rewrite)
    return graph
