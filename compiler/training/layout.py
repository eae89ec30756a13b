"""What one training step takes and gives, by name.

The step is a model whose inputs are the batch (data, classes, noise and dropout masks by their
names in the graph), every parameter and running statistic (`lenet5.conv1.weight`), the optimiser's
arrays (`lenet5.conv1.weight/m`), the rate of each update and the number of the update, from 1. Its
outputs are `loss`, the reports by their names, `gradient_norm`, and everything that changes anew,
under the input's name with `/next` behind.
"""

from __future__ import annotations

from collections.abc import Mapping

from compiler.graph import Graph
from compiler.training.mode import Mask, in_training
from compiler.training.model import StepPlan
from compiler.training.optimisers import Optimiser, RmsProp, Sgd
from grammar.records import dataclass

LOSS, NORM, STEP, NEXT = "loss", "gradient_norm", "step", "/next"
APPLY, SUM = "apply", "sum"  # whether the parameters move now; what their gradients add up to
LOSS_SCALE, GOOD_STEPS = "loss_scale", "good_steps"  # of float16: `compiler/onnx/mixed.py`
RESERVED = frozenset(
    {LOSS, NORM, STEP, APPLY, LOSS_SCALE, GOOD_STEPS, "rate"}
)  # no data, noise or report is called so
# Before the names of what a step shows: a layer's tensor, the derivatives by it and by a parameter.
# A layer may be labelled as a parameter is called.
TENSOR, BY_TENSOR, GRADIENT = "tensor/", "gradient/tensor/", "gradient/"


@dataclass(frozen=True)
class OptimiserState:
    """An array that an optimiser keeps: of the parameter's shape, at first zero or its copy.

    Of no parameter, `""`, are the scalars that float16 needs, which `start` as a number.
    """

    parameter: str
    shape: tuple[int, ...]
    starts_as_parameter: bool = False
    start: float = 0.0


# Large enough for the derivatives of most nets; one too large is halved after a step.
SCALING = {
    LOSS_SCALE: OptimiserState("", (), start=65536.0),
    GOOD_STEPS: OptimiserState("", ()),
}


@dataclass(frozen=True)
class StepLayout:
    """The names of a step's inputs and outputs; `graph` is the plan's in training mode.

    `batch` are the data, classes and noise, `masks` what each dropout draws with, `arrays` the
    shapes of all parameters and buffers, `learned` the parameters that move and `buffers` the
    running statistics that do, `rates` one scalar for each update. Where gradients are accumulated
    over several batches the step takes `apply` as well: without it they are only added up. Products
    are computed in `dtype`; float16 has a scale of the loss among the `states`.
    """

    graph: Graph
    batch: tuple[str, ...]
    masks: Mapping[str, Mask]
    arrays: Mapping[str, tuple[int, ...]]
    learned: tuple[str, ...]
    buffers: tuple[str, ...]
    states: Mapping[str, OptimiserState]
    rates: tuple[str, ...]
    reports: tuple[str, ...]
    accumulate: int = 1
    dtype: str = "f32"

    def changing(self) -> tuple[str, ...]:
        """All that the step takes and gives anew."""
        return (*self.learned, *self.buffers, *self.states)

    def as_dict(self) -> dict[str, object]:
        """What the model says of itself, so that a loop can be written without netc."""
        return {
            "batch": [*self.batch],
            "masks": {name: mask.p for name, mask in self.masks.items()},
            "parameters": [*self.arrays],
            "states": {
                name: "parameter"
                if state.starts_as_parameter
                else f"{state.start:g}"
                if state.start
                else "zero"
                for name, state in self.states.items()
            },
            "rates": [*self.rates],
            "step": STEP,
            "loss": LOSS,
            "gradient_norm": NORM,
            "reports": [*self.reports],
            "next": {name: name + NEXT for name in self.changing()},
        } | ({"apply": APPLY, "accumulate": self.accumulate} if self.accumulate > 1 else {})


def states_of(optimiser: Optimiser) -> tuple[str, ...]:
    """The names of the arrays that an optimiser with these arguments keeps for a parameter."""
    names = optimiser.states
    if isinstance(optimiser, Sgd | RmsProp) and not optimiser.momentum:
        names = tuple(name for name in names if name != "momentum")
    return names if optimiser.average is None else (*names, "average")


def layout_of(plan: StepPlan) -> StepLayout:
    """The layout of the step of a plan."""
    graph = in_training(plan.graph, plan.evaluated)
    weights = graph.parameters()
    learned = tuple(name for update in plan.updates for name in update.parameters)
    inputs = {node.name: node.op for node in graph.inputs()}
    trained = {
        node.array(weight.name)
        for node in graph.nodes()
        if node.name not in plan.evaluated
        for weight in graph.weights(node)
        if weight.buffer
    }
    count = len(plan.updates)
    return StepLayout(
        graph,
        tuple(name for name, op in inputs.items() if not isinstance(op, Mask)),
        {name: op for name, op in inputs.items() if isinstance(op, Mask)},
        {name: weight.shape for name, weight in weights.items()},
        tuple(name for name in learned if name in weights),
        tuple(name for name in weights if name in trained),
        {
            f"{name}/{state}": OptimiserState(name, weights[name].shape, state == "average")
            for update in plan.updates
            for name in update.parameters
            if name in weights
            for state in (*states_of(update.optimiser), *([SUM] if plan.accumulate > 1 else []))
        }
        | (SCALING if plan.dtype == "f16" else {}),
        ("rate",) if count == 1 else tuple(f"rate/{place}" for place in range(1, count + 1)),
        plan.reports,
        plan.accumulate,
        plan.dtype,
    )
