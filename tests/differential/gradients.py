"""Derivatives of random nets: ONNX Runtime's against NumPy's, layer by layer, in float64.

Half of the nets are in training mode: batch norms take the statistics of the batch, dropouts drop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph, Input, limits_of
from compiler.initialise import scatter
from compiler.training.mode import Mask, in_training
from runtime.verify.step import compare_gradients
from tests.differential.agreement import LARGEST, Findings, compiled, loaded
from tests.differential.coverage import reached
from tests.differential.definitions import Definition
from tests.differential.difference import Difference
from tests.differential.figures import Tensors, on_numpy
from tests.gradients.objective import with_objective

BATCH = 3


def check_gradients(definition: Definition, findings: Findings) -> None:
    """Raise `Difference` where the two disagree on a tensor or a derivative of a net.

    Symbolic sizes are the numbers that the net was drawn for.
    """
    plain = compiled(loaded(definition.plain), definition.symbols or None).graph
    if definition.seed % 2:
        plain = in_training(plain)
    graph = scatter(with_objective(plain), definition.seed)
    feeds = random_feeds(graph, definition.seed)
    tensors = on_numpy(graph, feeds, np.float64)
    findings.nets += 1
    findings.layers += len(graph)
    findings.forms.update(reached(definition))
    findings.ops.update(node.op.name for node in plain.nodes() if not isinstance(node.op, Input))
    if any(np.abs(value).max() > LARGEST for value in tensors.values()):
        findings.ill_conditioned += 1
        return
    found = compare_gradients(graph, "objective", feeds)
    if found.nan or any(failure.stage == "gradients" for failure in found.failures):
        raise Difference("gradients", found.sentence("cpu"))
    # What differs forward is the other campaign's: ONNX Runtime's Celu is e^x - 1, one rounding of
    # 1 off, where all numbers of the layer are near 0.
    findings.ill_conditioned += bool(found.failures)


def random_feeds(graph: Graph, seed: int) -> Tensors:
    """Standard normal numbers for every input, masks of 0 and more for dropouts."""
    random = np.random.default_rng(seed)
    feeds, limits = {}, limits_of(graph)
    for node in graph.inputs():
        assert isinstance(node.op, Input)
        shape = (BATCH, *(size for size in node.shape if isinstance(size, int)))
        value: NDArray[Any] = random.standard_normal(shape)
        if isinstance(node.op, Mask):
            value = (random.random(shape) >= node.op.p) / (1 - node.op.p)
        elif node.op.dtype == "i64":
            value = random.integers(0, limits.get(node.name, 2), shape)
        feeds[node.name] = value.astype(np.int64 if node.op.dtype == "i64" else np.float32)
    return feeds
