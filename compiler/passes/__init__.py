"""Graph rewrites, one a file, in the order in which they run.

Each takes a valid graph that has its numbers and returns a valid graph with the same outputs.
"""

from __future__ import annotations

from collections.abc import Callable

from compiler.graph import Graph
from compiler.passes.drop_dead_nodes import drop_dead_nodes
from compiler.passes.fold_batch_norm import fold_batch_norm
from compiler.passes.fold_constants import fold_constants
from compiler.passes.remove_identity import remove_identity

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    drop_dead_nodes,
    remove_identity,
    fold_constants,
    fold_batch_norm,
    drop_dead_nodes,
)
