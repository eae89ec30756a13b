"""A net as the generator unrolls it: its layers in order; tensors that know what makes them.

This is a second account of elaboration: loops, conditions, blocks, branches, arguments, sharing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.differential.sizes import Shape, Tensor

Source = int | str  # the place of a layer, or the name of an input of the net


@dataclass(frozen=True)
class Layer:
    """One layer: the arguments it is given, what it takes, and whose parameters it uses."""

    op: str
    given: Mapping[str, Any]
    inputs: tuple[Tensor, ...]
    owner: int


@dataclass
class Unrolled:
    """The layers so far."""

    layers: list[Layer] = field(default_factory=list)

    def add(
        self, op: str, given: Mapping[str, Any], inputs: Sequence[Any], shape: Shape, twin: int
    ) -> Tensor:
        """Add a layer that shares the parameters of the one at `twin`, or has its own (-1)."""
        place = len(self.layers)
        owner = place if twin < 0 else self.layers[twin].owner
        self.layers.append(Layer(op, given, tuple(inputs), owner))
        return Tensor.of(shape, place)
