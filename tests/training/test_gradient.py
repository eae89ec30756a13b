"""`net.gradient`: by inputs, parameters and layers, held against central differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import netc
from compiler.initialise import scatter
from runtime.reference import run_reference
from tests.training.definitions import NET, NORMED

TWO = """
net two {
    input a: f32[2, H, W]
    input b: f32[2, H, W]
    add(a, b) -> conv(3, 3x3, pad=1) as c -> tanh -> bn -> gap -> flatten
    output y
}
"""
STEP = 1e-6


def scattered(text: str) -> netc.Net:
    """A net with random numbers in every array."""
    net = netc.loads(text)
    return net.with_graph(scatter(net.graph, 1))


def feeds_of(net: netc.Net, count: int = 3) -> dict[str, Any]:
    """Random inputs, open sizes taken as 5."""
    random = np.random.default_rng(0)
    shapes = {n.name: [s if isinstance(s, int) else 5 for s in n.shape] for n in net.graph.inputs()}
    return {name: random.random((count, *s), dtype=np.float32) for name, s in shapes.items()}


def check(net: netc.Net, feeds: dict[str, Any], found: Any, value: Callable[[Any], float]) -> None:
    """Assert a value and its derivatives; `value` takes the outputs in float64."""

    def at(changed: dict[str, Any]) -> float:
        held: dict[str, Any] = {
            n: array.astype(np.float64) for n, array in net.graph.values.items()
        }
        graph = replace(net.graph, values=held | changed)
        return value(run_reference(graph, {**feeds, **changed}, np.float64))

    learned = {name for name, weight in net.graph.parameters().items() if not weight.buffer}
    assert {*found.inputs} == {*feeds} and {*found.parameters} == learned
    assert found.value == pytest.approx(at({}), rel=1e-10)
    random = np.random.default_rng(1)
    for name, gradient in {**found.inputs, **found.parameters}.items():
        start = np.asarray(feeds.get(name, net.graph.values.get(name)), np.float64)
        assert gradient.shape == start.shape and gradient.dtype == np.float64
        direction = random.standard_normal(start.shape)
        ahead, behind = (at({name: start + sign * STEP * direction}) for sign in (1, -1))
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        slope = (ahead - behind) / (2 * STEP)
        assert (gradient * direction).sum() == pytest.approx(slope, abs=1e-6 * scale + 1e-8)


def test_an_outputs_weighted_sum_by_everything_before_it() -> None:
    net = scattered(TWO)
    feeds = feeds_of(net)
    weights = np.random.default_rng(2).standard_normal((3, 3))
    found = net.gradient(feeds, weights=weights)
    check(net, feeds, found, lambda outputs: (outputs["y"] * weights).sum())
    assert next(iter(found.tensors)) == net.graph.outputs["y"]
    np.testing.assert_array_equal(found.inputs["a"], found.inputs["b"])


def test_a_class_score_by_the_picture_and_a_layer_in_place_of_an_output() -> None:
    net = scattered(NET)
    feeds = feeds_of(net)
    one_hot = np.eye(10)[[3, 1, 4]]
    found = net.gradient(feeds, output="probs", weights=one_hot)
    check(net, feeds, found, lambda outputs: (outputs["probs"] * one_hot).sum())
    assert found.tensors["conv1"].shape == (3, 4, 8, 8)
    part = net.gradient(feeds["image"][0], output="conv1")
    assert {*part.parameters} == {"conv1.weight", "conv1.bias"}
    np.testing.assert_allclose(part.parameters["conv1.bias"], 64)  # of 8 by 8 places


def test_the_loss_of_fit_for_classes() -> None:
    net = scattered(NET)
    feeds, labels = feeds_of(net), np.array([3, 1, 4])

    def loss(outputs: Any) -> float:
        return float(-np.log(outputs["probs"][np.arange(3), labels]).mean())

    check(net, feeds, net.gradient(feeds, labels), loss)


def test_the_loss_of_fit_for_numbers() -> None:
    net = scattered(NET)
    feeds, wanted = feeds_of(net), np.full((3, 10), 0.25, np.float32)
    found = net.gradient(feeds, {"probs": wanted})
    check(net, feeds, found, lambda outputs: float(((outputs["probs"] - 0.25) ** 2).mean()))


def test_in_training_a_norm_looks_at_the_batch_and_dropout_drops_by_the_seed() -> None:
    net = scattered(NORMED)
    feeds, labels = feeds_of(net), [3, 1, 4]
    one, same = (net.gradient(feeds, labels, training=True, seed=5) for _ in range(2))
    other = net.gradient(feeds, labels, training=True, seed=6)
    assert one.value == same.value != other.value
    # What the norm takes away, the mean of each map over the batch, no bias before it moves.
    np.testing.assert_allclose(one.parameters["conv1.bias"], 0, atol=1e-12)
    assert np.abs(net.gradient(feeds, labels).parameters["conv1.bias"]).max() > 1e-4


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"weights": np.ones((3, 7))}, "weights are numbers of another shape, and probs is"),
        ({"weights": "many"}, "weights are of type str"),
        ({"output": "nothing"}, "tiny has no tensor nothing"),
        ({"target": [1, 2]}, "not as many of each"),
        ({"target": [1, 2, 12]}, "of sample 2 is 12"),
        ({"target": [1, 2, 3], "output": "probs"}, "no output or weights beside it"),
        ({"seed": -1}, "seed is at least 0"),
    ],
)
def test_calls_at_fault_are_told_of(choices: dict[str, Any], message: str) -> None:
    net = netc.loads(NET)
    with pytest.raises(netc.CallError, match=message):
        net.gradient(feeds_of(net), **choices)
    with pytest.raises(netc.CallError):
        net.gradient(np.ones((3, 2, 8, 8)), **choices)
