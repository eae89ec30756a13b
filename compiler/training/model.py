"""A training, checked: its data, and a graph, an objective and updates for each of its steps.

The graph of a step is an ordinary graph. The nets that a step calls stand in it layer by layer
under the net's name (`lenet5.conv1`); a second call of the same net has layers of other names
(`D#2.conv1`) that own no parameters (`Node.owner`). Data, labels and noise are `Input` nodes,
losses and the arithmetic between them are nodes as well. Objectives and reports are outputs, one
number for each sample (shape `()`); their mean over the batch is what is minimised and reported.

Whether a layer is in training (batch norm takes the batch's statistics and moves the running
ones, dropout drops) is no property of the graph: all are, but for those in `StepPlan.evaluated`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Literal

from compiler.graph import Graph
from compiler.ops.base import Weight
from compiler.pictures import Picture
from compiler.training.augmentations import Augmentation
from compiler.training.optimisers import Optimiser
from grammar import syntax as s
from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class Data:
    """`image: f32[1, 28, 28]`, or `label: class[10]` with `classes` 10 and the shape `()`.

    A class is a whole number from 0 to `classes - 1`, an int64 input of the step (`Input.dtype`
    is "i64"). `fed` is the shape that the step takes: after a crop it is a smaller one, and classes
    that `mixup` blends are fed as `classes` shares of f32.
    """

    name: str
    shape: tuple[int, ...]
    fed: tuple[int, ...]
    span: Span
    classes: int | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class Noise:
    """`noise z: f32[100] normal`: drawn for each sample of each step anew.

    "normal" has mean 0 and deviation 1, "uniform" lies in [-1, 1).
    """

    name: str
    shape: tuple[int, ...]
    distribution: Literal["normal", "uniform"]
    span: Span


@dataclass(frozen=True)
class TrainedNet:
    """A net that the training calls: its own graph, whose layers stand in a step's under `prefix`.

    The parameter `conv1.weight` of `graph` is `lenet5.conv1.weight` in a step's graph.
    """

    prefix: str
    graph: Graph


@dataclass(frozen=True)
class UpdatePlan:
    """`update lenet5 only "fc.*" with adam(1e-3)`: `parameters` are names in the step's graph."""

    parameters: tuple[str, ...]
    optimiser: Optimiser
    span: Span


@dataclass(frozen=True)
class StepPlan:
    """One objective and what is moved along its gradient.

    `objective` and `reports` are outputs of `graph`; `maximize` turns the gradient around.
    `evaluated` are layers that run as after training: those of a net that is never updated, and
    those that hold parameters (a batch norm) of which none is updated in any step. The gradients of
    `accumulate` batches are averaged before the parameters move. Products are computed in `dtype`.
    """

    name: str
    graph: Graph
    objective: str
    maximize: bool
    reports: tuple[str, ...]
    updates: tuple[UpdatePlan, ...]
    evaluated: frozenset[str]
    span: Span
    accumulate: int = 1
    dtype: str = "f32"


@dataclass(frozen=True)
class ShowPlan:
    """`show G(z) grid 8x8 as samples`: the output `name` of `graph`, drawn after each epoch."""

    name: str
    graph: Graph
    rows: int
    columns: int
    span: Span


@dataclass(frozen=True)
class TrainingPlan:
    """A `train` item, checked. `order` names the steps of one turn, `repeat`s unrolled.

    `expects` are conditions over the objectives and reports, on the held-out part of the data;
    `constants` are the values of the other names in them. `evaluation` is the graph of all
    objectives and reports with every layer as after training.
    """

    name: str
    span: Span
    data: tuple[Data, ...]
    noises: tuple[Noise, ...]
    augments: tuple[tuple[str, tuple[Augmentation, ...]], ...]
    nets: tuple[TrainedNet, ...]
    steps: tuple[StepPlan, ...]
    order: tuple[int, ...]
    evaluation: Graph
    batch: int
    epochs: int
    shows: tuple[ShowPlan, ...] = ()
    expects: tuple[s.Expression, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    doc: str = ""

    @property
    def reports(self) -> tuple[str, ...]:
        """The names of what is reported, in order."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.reports))

    def parameters(self) -> Iterator[tuple[str, Weight]]:
        """Every array of every net by its name in a step's graph, each once."""
        for net in self.nets:
            for name, weight in net.graph.parameters().items():
                yield f"{net.prefix}.{name}", weight
