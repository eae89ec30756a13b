"""Trainings as text, and one step of them by ONNX Runtime and by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from compiler.driver import check_training, load
from compiler.graph import Input
from compiler.initialise import initial_values
from compiler.onnx.step import build_step
from compiler.ops.shapes import known
from compiler.training.layout import STEP, StepLayout, layout_of
from compiler.training.model import StepPlan, TrainingPlan
from grammar.source import Source
from runtime.training_step import run_step
from tests.gradients.onnxcheck import session_of


def training_of(text: str, name: str = "") -> TrainingPlan:
    """The training of a definition, checked; the first, unless a name is given."""
    items = load(Source("test.netdef", text)).trainings()
    checked = check_training(next(item for item in items if name in ("", item.name)))
    assert checked.training is not None, checked.diagnostics
    return checked.training


def first_feeds(plan: StepPlan, batch: int = 4, seed: int = 0) -> dict[str, Any]:
    """Everything that the first step takes: random data, initial parameters, states at zero."""
    layout, random = layout_of(plan), np.random.default_rng(seed)
    feeds: dict[str, Any] = {}
    for node in layout.graph.inputs():
        shape = (batch, *known(node.shape, node.name))
        if node.name in layout.masks:
            p = layout.masks[node.name].p
            feeds[node.name] = np.float32((random.random(shape) >= p) / (1 - p))
        elif isinstance(node.op, Input) and node.op.dtype == "i64":
            feeds[node.name] = random.integers(0, 3, shape)
        else:
            feeds[node.name] = random.standard_normal(shape).astype(np.float32)
    for name, weight in layout.graph.parameters().items():
        feeds[name] = initial_values(weight, name, seed)
    for name, state in layout.states.items():
        start = feeds[state.parameter] if state.starts_as_parameter else np.zeros(state.shape)
        feeds[name] = np.asarray(start, dtype=np.float32)
    feeds |= dict.fromkeys(layout.rates, np.asarray(0.01, dtype=np.float32))
    feeds[STEP] = np.asarray(1)
    return feeds


def taken_up(layout: StepLayout, feeds: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    """What the next step takes: all that has changed, the same batch."""
    anew = {name: outputs[f"{name}/next"] for name in layout.changing()}
    return feeds | anew | {STEP: np.asarray(feeds[STEP] + 1)}


def check_step(plan: StepPlan, steps: int = 3, batch: int = 4) -> list[float]:
    """Assert that ONNX Runtime and NumPy agree on every output of some steps; returns the losses.

    NumPy starts each step from what ONNX Runtime made of the one before.
    """
    session = session_of(build_step(plan, show=True))
    names = [output.name for output in session.get_outputs()]
    feeds, losses = first_feeds(plan, batch), []
    taken = [given.name for given in session.get_inputs()]
    for _ in range(steps):
        found = dict(zip(names, session.run(names, {n: feeds[n] for n in taken}), strict=True))
        learned = layout_of(plan).learned
        gradients = {n: found[f"gradient/{n}"] for n in learned if f"gradient/{n}" in found}
        exact = run_step(plan, feeds, gradients=gradients)
        derivatives = {f"gradient/{n}": value for n, value in exact.by_parameter.items()}
        for name, value in {**exact.outputs, **derivatives}.items():
            scale = max(1.0, float(np.abs(value).max()))
            np.testing.assert_allclose(
                found[name], value, rtol=1e-4, atol=1e-5 * scale, err_msg=name
            )
        losses.append(float(found["loss"]))
        feeds = taken_up(layout_of(plan), feeds, found)
    return losses
