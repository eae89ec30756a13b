"""The steps of a training as models on a device, where parameters and moments stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph
from compiler.onnx.evaluation import build_evaluation
from compiler.onnx.step import build_step
from compiler.training.layout import APPLY, LOSS, NEXT, NORM, STEP, Layout
from compiler.training.model import Training
from runtime.binding import to_value
from runtime.providers import Settings
from runtime.session import Session, open_session

Arrays = Mapping[str, NDArray[Any]]


class Engine:
    """All arrays of a run by name, and what moves and measures them.

    `before` are those that the last step took, kept until the next: a loss that is no number is
    looked into with them.
    """

    def __init__(
        self,
        training: Training,
        layouts: tuple[Layout, ...],
        arrays: Arrays,
        device: str,
        settings: Settings | None = None,
    ) -> None:
        self.layouts = layouts
        self._settings = settings
        models = [build_step(plan) for plan in training.steps]
        self._steps = [open_session(model, device, settings) for model in models]
        self.device = self._steps[0].device
        self.note = self._steps[0].note
        self._others: dict[int, Session] = {}
        self._graphs: list[Graph] = []  # keeps their identities
        place = self._steps[0].place
        self._values = {name: to_value(array, place) for name, array in arrays.items()}
        self.before = dict(self._values)

    def step(
        self, index: int, feeds: Arrays, rates: Iterable[float], count: int, apply: bool = True
    ) -> dict[str, float]:
        """Move the parameters by one step, the `count`-th of its kind; loss and reports.

        Without `apply` the gradients are only added to those of other batches.
        """
        layout, session = self.layouts[index], self._steps[index]
        scalars = {
            name: np.asarray(rate, dtype=np.float32)
            for name, rate in zip(layout.rates, rates, strict=True)
        }
        given = {**feeds, **scalars, STEP: np.asarray(count, dtype=np.int64)}
        if layout.accumulate > 1:
            given[APPLY] = np.asarray(apply)
        held = {n: self._values[n] for n in (*layout.arrays, *layout.states)}
        made = session.run_kept(given, held)
        self.before = dict(self._values)
        for name in layout.changing():
            self._values[name] = made[name + NEXT]
        return {name: float(made[name].numpy()) for name in (LOSS, NORM, *layout.reports)}

    def measure(self, graph: Graph, feeds: Arrays, names: Mapping[str, str]) -> dict[str, Any]:
        """The outputs of a graph after training; `names` are arrays that stand for others."""
        session = self._others.get(id(graph))
        if session is None:
            session = open_session(build_evaluation(graph), self.device, self._settings)
            self._others[id(graph)] = session
            self._graphs.append(graph)
        held = {name: self._values[names.get(name, name)] for name in graph.parameters()}
        made = session.run_kept(feeds, held)
        return {name: made[name].numpy() for name in graph.outputs}

    def arrays(self, *, before: bool = False) -> dict[str, NDArray[Any]]:
        """Every parameter, running statistic and moment, on the host."""
        values = self.before if before else self._values
        return {name: value.numpy() for name, value in values.items()}
