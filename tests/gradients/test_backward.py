"""Reverse mode through whole nets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.graph import Graph
from compiler.initialise import scatter
from compiler.ops.shapes import known
from runtime.backward import backward
from runtime.reference import run_reference
from tests.define import define

SHARED = """
net siamese {
    input a: f32[2, 6, 6]
    input b: f32[2, 6, 6]
    one = a -> conv(3, 3x3, pad=1) as c -> tanh
    two = b -> conv(3, 3x3, pad=1) like c -> sigmoid
    add(one, two, one) -> bn -> relu -> maxpool(2) -> flatten -> dense(4) -> tanh
    output y
}
"""


def net(text: str) -> Graph:
    """A net with numbers for all its parameters, in float64."""
    graph = scatter(define(text).graph, 1)
    return replace(graph, values={n: v.astype(np.float64) for n, v in graph.values.items()})


def feeds_of(graph: Graph) -> dict[str, Any]:
    """Random inputs of three samples."""
    random = np.random.default_rng(0)
    shapes = {node.name: known(node.shape, node.name) for node in graph.inputs()}
    return {name: random.standard_normal((3, *shape)) for name, shape in shapes.items()}


def test_shared_parameters_and_tensors_sum_what_they_are_handed() -> None:
    graph = net(SHARED)
    feeds = feeds_of(graph)
    found = backward(graph, feeds, "y")
    learned = {name for name, weight in graph.parameters().items() if not weight.buffer}
    assert {*found.by_parameter} == learned
    assert found.objective == pytest.approx(run_reference(graph, feeds, np.float64)["y"].mean())
    random = np.random.default_rng(1)
    for name in learned:
        direction = random.standard_normal(graph.values[name].shape)

        def moved(step: float, name: str = name, direction: Any = direction) -> float:
            values = {**graph.values, name: graph.values[name] + step * direction}
            outputs = run_reference(replace(graph, values=values), feeds, np.float64)
            return float(outputs["y"].mean())

        slope = (moved(1e-6) - moved(-1e-6)) / 2e-6
        assert (found.by_parameter[name] * direction).sum() == pytest.approx(slope, abs=1e-8)


def test_what_the_objective_does_not_depend_on_has_no_derivative() -> None:
    text = "net n { input x: f32[3]\n dense(2) as a\n output y\n a -> dense(2) as b\n output z\n }"
    graph = net(text)
    found = backward(graph, feeds_of(graph), "y")
    assert {*found.by_parameter} == {"a.weight", "a.bias"}
    assert "b" not in found.by_tensor


def test_symbolic_sizes_are_those_of_the_inputs() -> None:
    text = "net n { input x: f32[2, H, W]\n crop(H - 2, W - 2, 1, 1) -> conv(1, 3x3)\n output y\n}"
    graph = net(text)
    x = np.random.default_rng(0).standard_normal((2, 2, 7, 8))
    found = backward(graph, {"x": x}, "y")
    assert found.by_tensor["x"].shape == x.shape
    assert not found.by_tensor["x"][:, :, 0].any() and found.by_tensor["x"][:, :, 2].any()
