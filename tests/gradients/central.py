"""Derivatives held against central differences, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compiler.initialise import scatter
from compiler.ops.base import Op
from runtime.gradients import run_gradient
from runtime.reference import run_kernel
from tests.opcheck import arrays_of, one_op

STEP = 1e-6
DIRECTIONS = 2


def slope(function: Callable[[Any], float], x: Any, direction: Any) -> float:
    """(f(x + h v) - f(x - h v))/2h."""
    return (function(x + STEP * direction) - function(x - STEP * direction)) / (2 * STEP)


def check_gradient(
    op: Op, *shapes: tuple[int, ...], seed: int = 0, inputs: tuple[Any, ...] | None = None
) -> None:
    """Assert the derivatives of a random sum of the op's outputs by its inputs and arrays.

    Each is held against the slope along random directions, which no wrong number survives.
    """
    random = np.random.default_rng(seed)
    if inputs is None:
        inputs = tuple(random.standard_normal((3, *shape)) for shape in shapes)
    graph = scatter(one_op(op, *shapes), seed)
    arrays = {name: value.astype(np.float64) for name, value in arrays_of(graph).items()}
    arrays |= {n: np.abs(v) + 0.1 for n, v in arrays.items() if n == "running_var"}
    output = run_kernel(op, inputs, arrays)
    assert output.shape[1:] == graph["layer"].shape
    dy = random.standard_normal(output.shape)
    found = run_gradient(op, inputs, arrays, output, dy)
    learned = {w.name for w in graph.weights(graph["layer"]) if not w.buffer}
    assert {*found.arrays} == learned

    for place, by_input in enumerate(found.inputs):
        if by_input is None:
            continue
        assert by_input.shape == inputs[place].shape and by_input.dtype == np.float64

        def along_input(x: Any, place: int = place) -> float:
            moved = (*inputs[:place], x, *inputs[place + 1 :])
            return float((run_kernel(op, moved, arrays) * dy).sum())

        compare(along_input, inputs[place], by_input, random)
    for name, by_array in found.arrays.items():
        assert by_array.shape == arrays[name].shape

        def along_array(value: Any, name: str = name) -> float:
            return float((run_kernel(op, inputs, arrays | {name: value}) * dy).sum())

        compare(along_array, arrays[name], by_array, random)


def compare(
    function: Callable[[Any], float], x: Any, gradient: Any, random: np.random.Generator
) -> None:
    """Assert that a gradient gives the slope along random directions."""
    for _ in range(DIRECTIONS):
        direction = random.standard_normal(x.shape)
        wanted = slope(function, x, direction)
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        np.testing.assert_allclose((gradient * direction).sum(), wanted, atol=1e-7 * scale + 1e-7)
