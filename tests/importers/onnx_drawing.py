"""A random ONNX graph being drawn: nodes with one output each, initializers used several times."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Shape: TypeAlias = tuple[int, ...]
Made: TypeAlias = tuple[str, Shape] | None  # a tensor with its sizes, the batch first, or nothing
ATTRIBUTES_OF_AXES = 13  # the last opset in which squeezes take their axes as an attribute
LAST = {"ReduceSum": 11}  # the last opset drawn in which reductions do, unless it is 17


@dataclass
class Drawing:
    """A graph being drawn: its nodes, initializers, and the tensors to go on from, batch first."""

    random: Random
    opset: int
    batch: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    live: list[tuple[str, Shape]] = field(default_factory=list)
    count: int = 0

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output, whose name comes back."""
        self.count += 1
        name = f"t{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def array(self, shape: Shape, *, spread: float = 1.0, above: float | None = None) -> str:
        """Random numbers of a shape: new ones, or an initializer of this shape that is there."""
        fit = [n for n, a in self.arrays.items() if a.shape == shape and a.dtype == np.float32]
        if above is not None:
            fit = [name for name in fit if self.arrays[name].min() > above]
        if fit and self.random.random() < 0.5:
            return self.random.choice(fit)
        numbers = np.random.default_rng(self.random.randrange(2**32)).standard_normal(shape)
        if above is not None:
            numbers = np.abs(numbers) + above + 0.1
        elif self.random.random() < 0.1:
            numbers = np.full(shape, self.random.choice([0.0, 1.0, 2.0, -1.0, 0.5]))
        ends = self.random.choice(["weight", "bias", "c", "w_0", ""])
        name = f"layer{len(self.arrays)}.{ends}" if ends else f"onnx::C_{len(self.arrays)}"
        self.arrays[name] = (spread * numbers).astype(np.float32)
        return name

    def fixed(self, values: NDArray[Any] | float) -> str:
        """These numbers as an initializer."""
        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        for name, held in self.arrays.items():
            if held.dtype == array.dtype and np.array_equal(held, array):
                return name
        name = f"fixed{len(self.arrays)}"
        self.arrays[name] = array
        return name

    def integers(self, values: list[int]) -> str:
        """A list of whole numbers as an initializer or a Constant."""
        array = np.array(values, dtype=np.int64)
        if self.random.random() < 0.3:
            return self.node("Constant", value=numpy_helper.from_array(array))
        same = [n for n, a in self.arrays.items() if a.dtype == np.int64 and a.tolist() == values]
        if same:
            return same[0]
        name = f"ints{len(self.arrays)}"
        self.arrays[name] = array
        return name

    def constant(self, shape: Shape, *, above: float | None = None) -> str:
        """Numbers to join a tensor of this shape with: for all, an axis, or each value."""
        rank = len(shape)
        sample = shape[1:]
        axis = self.random.randrange(1, rank)
        one_axis = tuple(s if a == axis else 1 for a, s in enumerate(shape))
        choices: list[Shape] = [
            (),
            (1,),
            (1,) * rank,
            one_axis[axis:],
            one_axis,
            sample,
            sample[1:],
        ]
        if rank > 2:
            choices += [(shape[1], *(1,) * (rank - 2))] * 4
        name = self.array(self.random.choice(choices), above=above)
        if self.batch and above is None and self.random.random() < 0.05:  # for each sample
            rows = self.random.choice([1, self.batch])
            each = np.random.default_rng(self.random.randrange(2**32)).standard_normal(
                (rows, *sample)
            )
            return self.fixed(np.broadcast_to(each, (self.batch, *sample)))
        match self.random.randrange(10):
            case 0:
                return self.node("Identity", name)
            case 1 if above is None:
                return self.node("Neg", name)
            case 2 if above is None:
                return self.node("Mul", name, self.array((), above=0.1))
        return name

    def reduced(self, kind: str, x: str, axes: list[int], *, kept: bool = True) -> str:
        """A reduction over axes."""
        if self.opset > LAST.get(kind, 17):
            return self.node(kind, x, self.integers(axes), keepdims=int(kept))
        return self.node(kind, x, axes=axes, keepdims=int(kept))

    def reshaped(self, x: str, sample: Shape) -> str:
        """The samples in another shape."""
        return self.node("Reshape", x, self.integers([self.batch or -1, *sample]))
