"""One training step in NumPy: what the ONNX model of a step is held against.

Forward in training mode, reverse mode, clipping and the optimisers' rules, all in one floating
type, from the graph and the plan alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.ops.training import BatchNormTraining
from compiler.registry import Registry
from compiler.training.layout import (
    APPLY,
    GOOD_STEPS,
    LOSS,
    LOSS_SCALE,
    NEXT,
    NORM,
    STEP,
    SUM,
    StepLayout,
    layout_of,
)
from compiler.training.model import StepPlan, UpdatePlan
from compiler.training.optimisers import Adam, AdamW, Lion, Optimiser, RmsProp, Sgd
from runtime.backward import Backward, backward
from runtime.kernels import Array
from runtime.kernels.training import running_statistics

States: TypeAlias = Mapping[str, Array]
Moved: TypeAlias = tuple[Array, dict[str, Array]]
Rule: TypeAlias = Callable[[Any, Array, Array, States, float, int], Moved]

UPDATES: Registry[type[Optimiser], Rule] = Registry("runtime", ("training_step",))
updates = UPDATES.register


@dataclass(frozen=True)
class StepResult:
    """The outputs of a step by name, and the derivatives by tensors and by parameters.

    The derivatives are those of what is minimised.
    """

    outputs: Mapping[str, Array]
    by_tensor: Mapping[str, Array]
    by_parameter: Mapping[str, Array]


def run_step(
    plan: StepPlan,
    feeds: Mapping[str, NDArray[Any]],
    dtype: DTypeLike = np.float64,
    gradients: Mapping[str, NDArray[Any]] | None = None,
) -> StepResult:
    """The outputs of one step from everything that its model takes, by name.

    The parameters move along other `gradients` where these are given: Adam divides by the size of
    a gradient, so that one that is 0 but for rounding moves them by anything.
    """
    layout = layout_of(plan)
    values = {name: np.asarray(feeds[name], dtype=dtype) for name in layout.arrays}
    graph = replace(layout.graph, values=values)
    batch = {name: feeds[name] for name in (*layout.batch, *layout.masks)}
    found = backward(graph, batch, plan.objective, dtype)
    sign = -1.0 if plan.maximize else 1.0
    by_tensor = {name: sign * value for name, value in found.by_tensor.items()}
    by_parameter = {
        name: sign * found.by_parameter[name]
        for name in layout.learned
        if name in found.by_parameter
    }
    along = by_parameter
    if gradients is not None:
        along = {name: np.asarray(gradients[name], dtype=dtype) for name in by_parameter}
    outputs: dict[str, Array] = {LOSS: np.asarray(found.objective)}
    for name in plan.reports:
        outputs[name] = np.asarray(found.tensors[graph.outputs[name]].mean())
    outputs[NORM] = np.asarray(norm(along))
    changed: dict[str, Array] = {
        name: np.asarray(feeds[name], dtype=dtype) for name in layout.changing()
    }
    changed |= statistics(layout, found, values)
    if layout.accumulate > 1:
        along = {
            name: np.asarray(changed[f"{name}/{SUM}"] + g / layout.accumulate)
            for name, g in along.items()
        }
        begun = {name: np.zeros_like(g) if feeds[APPLY] else g for name, g in along.items()}
        changed |= {f"{name}/{SUM}": g for name, g in begun.items()}
    if LOSS_SCALE in changed:  # float64 has no need of it
        changed[GOOD_STEPS] = changed[GOOD_STEPS] + 1
    updates_now = plan.updates if layout.accumulate == 1 or feeds[APPLY] else ()
    for update, rate in zip(updates_now, layout.rates, strict=False):
        changed |= moved(layout, update, along, changed, float(feeds[rate]), int(feeds[STEP]))
    outputs |= {name + NEXT: value for name, value in changed.items()}
    return StepResult(outputs, by_tensor, by_parameter)


def norm(gradients: Mapping[str, Array]) -> float:
    """The 2-norm of several arrays taken together."""
    return float(np.sqrt(sum(np.square(g).sum() for g in gradients.values())))


def statistics(
    layout: StepLayout, found: Backward, values: Mapping[str, Array]
) -> dict[str, Array]:
    """The running statistics after the step; a layer called twice moves them twice."""
    moved_on = {name: values[name] for name in layout.buffers}
    for node in layout.graph.nodes():
        if not isinstance(node.op, BatchNormTraining):
            continue
        names = {n: node.array(n) for n in ("running_mean", "running_var")}
        held = {name: moved_on[full] for name, full in names.items()}
        after = running_statistics(node.op, found.tensors[node.inputs[0]], held)
        moved_on |= {names[name]: value for name, value in after.items()}
    return moved_on


def moved(
    layout: StepLayout,
    update: UpdatePlan,
    gradients: Mapping[str, Array],
    held: Mapping[str, Array],
    rate: float,
    step: int,
) -> dict[str, Array]:
    """The parameters of one update and their states anew; what the loss does not reach stays."""
    optimiser = update.optimiser
    own = {name: gradients[name] for name in update.parameters if name in gradients}
    found: dict[str, Array] = {}
    for name, gradient in clipped(optimiser, own).items():
        op = optimiser
        if not op.decay_all and gradient.ndim <= 1:
            op = replace(op, decay=0.0)  # type: ignore[call-arg]
        states = {
            key.removeprefix(f"{name}/"): held[key]
            for key, state in layout.states.items()
            if state.parameter == name
        }
        w, after = UPDATES[type(op)](op, held[name], gradient, states, rate, step)
        if op.average is not None:
            after["average"] = op.average * states["average"] + (1 - op.average) * w
        found[name] = w
        found |= {f"{name}/{key}": value for key, value in after.items()}
    return found


def clipped(optimiser: Optimiser, gradients: Mapping[str, Array]) -> dict[str, Array]:
    """The gradients within the bounds of the optimiser, that of the norm first."""
    found = dict(gradients)
    if optimiser.clip is not None:
        length = norm(found)
        share = min(1.0, optimiser.clip / length) if length else 1.0
        found = {name: np.asarray(g * share) for name, g in found.items()}
    if optimiser.clip_value is not None:
        most = optimiser.clip_value
        found = {name: np.clip(g, -most, most) for name, g in found.items()}
    return found


@updates(Sgd)
def sgd(op: Sgd, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """w - r g, or the velocity in the place of g."""
    g = g + op.decay * w
    if not op.momentum:
        return np.asarray(w - rate * g), {}
    velocity = op.momentum * states["momentum"] + g
    direction = g + op.momentum * velocity if op.nesterov else velocity
    return np.asarray(w - rate * direction), {"momentum": velocity}


@updates(Adam)
def adam(op: Adam, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """Kingma and Ba 2015, algorithm 1."""
    return adaptive(op, w, g + op.decay * w, states, rate, step)


@updates(AdamW)
def adamw(op: AdamW, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """Loshchilov and Hutter 2019, algorithm 2."""
    return adaptive(op, w - rate * op.decay * w, g, states, rate, step)


def adaptive(op: Adam | AdamW, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """Both moments, their bias taken off, and the step that they give."""
    m = op.beta1 * states["m"] + (1 - op.beta1) * g
    v = op.beta2 * states["v"] + (1 - op.beta2) * np.square(g)
    mean, square = m / (1 - op.beta1**step), v / (1 - op.beta2**step)
    return np.asarray(w - rate * mean / (np.sqrt(square) + op.eps)), {"m": m, "v": v}


@updates(RmsProp)
def rmsprop(op: RmsProp, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """g over the root of the mean of its square."""
    g = g + op.decay * w
    square = op.alpha * states["square"] + (1 - op.alpha) * np.square(g)
    direction = g / (np.sqrt(square) + op.eps)
    if not op.momentum:
        return np.asarray(w - rate * direction), {"square": square}
    velocity = op.momentum * states["momentum"] + direction
    return np.asarray(w - rate * velocity), {"square": square, "momentum": velocity}


@updates(Lion)
def lion(op: Lion, w: Array, g: Array, states: States, rate: float, step: int) -> Moved:
    """Chen et al. 2023, algorithm 2."""
    sign = np.sign(op.beta1 * states["m"] + (1 - op.beta1) * g)
    decayed = w - rate * op.decay * w
    m = op.beta2 * states["m"] + (1 - op.beta2) * g
    return np.asarray(decayed - rate * sign), {"m": m}
