"""How far a way of running a net may be from the float64 reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compiler.graph import Graph
from runtime.verify.tolerance import TOLERANCES, Tolerance, gap
from tests.differential.difference import Difference
from tests.differential.figures import Tensors, rounding_of

RTOL, ATOL = TOLERANCES["cpu"]
ROUNDINGS = 8  # times the motion that rounding causes: as far as an ill-conditioned layer may be


@dataclass
class Judge:
    """Compares a way of running a net with the float64 reference, tensor by tensor.

    `excused` are the tensors beyond the tolerance by what rounding alone explains.
    """

    graph: Graph
    feeds: Tensors
    exact: Tensors
    rounding: dict[str, float] | None = None
    excused: set[str] = field(default_factory=set)

    def layers(self, way: str, tensors: Tensors) -> None:
        """Every layer's tensor."""
        for name, value in tensors.items():
            self.compare(way, name, value)

    def outputs(self, way: str, tensors: Tensors) -> None:
        """The outputs by name."""
        for output, name in self.graph.outputs.items():
            self.compare(f"{way}, output {output}", name, tensors[output])

    def compare(self, way: str, name: str, ours: Any) -> None:
        """Raise `Difference` beyond the tolerance, unless rounding alone explains it."""
        exact = self.exact[name]
        if not np.isfinite(exact).all():
            raise Difference("not finite", f"{name} in float64")
        found = gap(ours, exact, Tolerance(RTOL, ATOL))
        if found.share <= 1:
            return
        if self.rounding is None:
            self.rounding = rounding_of(self.graph, self.feeds, self.exact)
        if found.error <= ROUNDINGS * self.rounding[name]:
            self.excused.add(name)
            return
        op = self.graph[name].op.name
        text = f"{way}: {name} ({op}) is off by {found.error:.3g}"
        raise Difference("numbers", f"{text}, {found.share:.3g} times the tolerance")
