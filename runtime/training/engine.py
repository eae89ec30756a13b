"""What moves and measures the arrays of a run: models on a device, where they stay, or NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph
from compiler.onnx.evaluation import build_evaluation
from compiler.onnx.step import build_step
from compiler.training.layout import APPLY, LOSS, NEXT, NORM, STEP, StepLayout
from compiler.training.model import TrainingPlan
from runtime.binding import from_value, to_value
from runtime.devices import parse_device
from runtime.errors import CallError, MachineError
from runtime.machine import driver
from runtime.placement import Placement
from runtime.reference import run_reference
from runtime.session import OnnxSession, open_session
from runtime.settings import Settings
from runtime.training_step import run_step

Arrays = Mapping[str, NDArray[Any]]


class StepEngine(Protocol):
    """All arrays of a run by name, and what moves and measures them.

    `step` moves the parameters by one step, the `count`-th of its kind, and returns loss and
    reports; without `apply` gradients are only added to those of other batches. `measure` gives the
    outputs of a graph after training; `names` are arrays that stand for others. `arrays` has every
    parameter, running statistic and moment, also as they were `before` the last step.
    """

    device: str
    note: str

    def step(
        self, index: int, feeds: Arrays, rates: Iterable[float], count: int, apply: bool = True
    ) -> dict[str, float]: ...

    def measure(self, graph: Graph, feeds: Arrays, names: Mapping[str, str]) -> dict[str, Any]: ...

    def arrays(self, *, before: bool = False) -> dict[str, NDArray[Any]]: ...


def check_products(dtype: str, device: str) -> None:
    """Raise `CallError` or `MachineError` for a device that computes no products in a type."""
    kind = parse_device(device).kind
    if dtype != "f32" and kind == "numpy":
        raise CallError(f"NumPy trains in float32: no --dtype {dtype} with --device numpy")
    if dtype == "bf16" and (kind == "cpu" or (kind == "auto" and not driver().gpus)):
        raise MachineError(
            "ONNX Runtime has no products in bfloat16 for the CPU",
            "--device cuda where there is a GPU, else --dtype f16 or f32",
        )


class NumpyEngine:
    """The steps in NumPy, float32, by the rules that the models are held against."""

    def __init__(
        self, training: TrainingPlan, layouts: tuple[StepLayout, ...], arrays: Arrays
    ) -> None:
        self.device, self.note = "numpy", ""
        self._training, self._layouts = training, layouts
        self._arrays = self._before = dict(arrays)

    def step(
        self, index: int, feeds: Arrays, rates: Iterable[float], count: int, apply: bool = True
    ) -> dict[str, float]:
        """Move the parameters; see `StepEngine`."""
        layout = self._layouts[index]
        given = {**self._arrays, **feeds, **fed(layout, rates, count, apply)}
        made = run_step(self._training.steps[index], given, np.float32).outputs
        self._before = self._arrays
        moved = {name: np.asarray(made[name + NEXT], np.float32) for name in layout.changing()}
        self._arrays = {**self._arrays, **moved}
        return {name: float(made[name]) for name in (LOSS, NORM, *layout.reports)}

    def measure(self, graph: Graph, feeds: Arrays, names: Mapping[str, str]) -> dict[str, Any]:
        """The outputs of a graph; see `StepEngine`."""
        values = {name: self._arrays[names.get(name, name)] for name in graph.parameters()}
        return dict(run_reference(graph.with_values(values), feeds))

    def arrays(self, *, before: bool = False) -> dict[str, NDArray[Any]]:
        """Every array; see `StepEngine`."""
        return dict(self._before if before else self._arrays)


def fed(
    layout: StepLayout, rates: Iterable[float], count: int, apply: bool
) -> dict[str, NDArray[Any]]:
    """The scalars of a step by name."""
    given: dict[str, NDArray[Any]] = {
        name: np.asarray(rate, dtype=np.float32)
        for name, rate in zip(layout.rates, rates, strict=True)
    }
    given[STEP] = np.asarray(count, dtype=np.int64)
    return given | ({APPLY: np.asarray(apply)} if layout.accumulate > 1 else {})


class DeviceEngine:
    """The steps as ONNX models on a device.

    An array that changes has two places, of which a step reads one and writes the other. What stays
    from step to step would otherwise lie scattered over the memory that a step works in, and cut it
    into pieces too small for its large tensors: a quarter more for ResNet-20 of batch 128. `before`
    are those that the last step took, kept until the next: a loss that is no number is looked into
    with them.
    """

    def __init__(
        self,
        training: TrainingPlan,
        layouts: tuple[StepLayout, ...],
        arrays: Arrays,
        device: str,
        settings: Settings | None = None,
        checkpoint: bool = False,
    ) -> None:
        self.layouts = layouts
        self._settings = settings
        models = [build_step(plan, checkpoint=checkpoint) for plan in training.steps]
        sizes = {"N": training.batch}  # every batch is full
        pinned = replace(settings or Settings(), sizes=sizes, in_order=True)
        self._steps = [open_session(model, device, pinned) for model in models]
        self.device = self._steps[0].device
        self.note = self._steps[0].note
        if layouts[0].dtype == "f16" and self.device == "cpu":
            self.note = (
                self.note or "ONNX Runtime may compute products of float16 on a CPU in float32"
            )
        self._others: dict[int, OnnxSession] = {}
        self._graphs: list[Graph] = []  # keeps their identities
        place = self._steps[0].place
        # Copies, since steps will write there.
        self._values = {name: to_value(np.array(array), place) for name, array in arrays.items()}
        changing = dict.fromkeys(name for layout in layouts for name in layout.changing())
        self._spare = {name: to_value(np.empty_like(arrays[name]), place) for name in changing}
        self._measured = [
            {
                name: to_value(np.zeros((), np.float32), place)
                for name in (LOSS, NORM, *each.reports)
            }
            for each in layouts
        ]
        self._runs: dict[tuple[int, ...], Callable[[Arrays], None]] = {}
        self.before = dict(self._values)

    def placements(self) -> list[Placement | None]:
        """Which provider runs which node of each step."""
        return [session.placement() for session in self._steps]

    def step(
        self, index: int, feeds: Arrays, rates: Iterable[float], count: int, apply: bool = True
    ) -> dict[str, float]:
        """Move the parameters; see `StepEngine`."""
        layout, measured = self.layouts[index], self._measured[index]
        run = self._run_at_places(index)
        self.before = dict(self._values)  # those before them are not needed while it runs
        run({**feeds, **fed(layout, rates, count, apply)})
        for name in layout.changing():
            self._values[name], self._spare[name] = self._spare[name], self._values[name]
        return {name: float(value.numpy()) for name, value in measured.items()}

    def _run_at_places(self, index: int) -> Callable[[Arrays], None]:
        """What runs a step with the arrays where they are now, bound when they first are there."""
        layout = self.layouts[index]
        held = {name: self._values[name] for name in (*layout.arrays, *layout.states)}
        places = index, *map(id, held.values())
        if places not in self._runs:
            into = {name + NEXT: self._spare[name] for name in layout.changing()}
            bound = self._steps[index].bound_run(held, into | self._measured[index])
            self._runs[places] = bound
        return self._runs[places]

    def measure(self, graph: Graph, feeds: Arrays, names: Mapping[str, str]) -> dict[str, Any]:
        """The outputs of a graph; see `StepEngine`."""
        session = self._others.get(id(graph))
        if session is None:
            session = open_session(build_evaluation(graph), self.device, self._settings)
            self._others[id(graph)] = session
            self._graphs.append(graph)
        held = {name: self._values[names.get(name, name)] for name in graph.parameters()}
        made = session.run_kept(feeds, held)
        return {name: from_value(made[name]) for name in graph.outputs}

    def arrays(self, *, before: bool = False) -> dict[str, NDArray[Any]]:
        """Every array, on the host; see `StepEngine`."""
        values = self.before if before else self._values
        return {name: from_value(value) for name, value in values.items()}
