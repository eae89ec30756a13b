"""ONNX operators that join tensors, or a tensor and a constant, element by element or in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.affine import affine, single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.reading import Reading, Value, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.values import Tensor

JOINS = {
    "Add": "add",
    "Sum": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Max": "max",
    "Min": "min",
    "Mean": "mean",
}


@converts(*JOINS)
def join(reading: Reading) -> Tensor:
    """Tensors joined; a constant among them becomes a layer of its own."""
    kind = reading.operator.type
    values = [reading.value(i) for i in range(len(reading.operator.inputs))]
    if all(isinstance(value, Tensor) for value in values):
        tensors = [value for value in values if isinstance(value, Tensor)]
        return joined(reading, JOINS[kind], tensors)
    if len(values) != 2:
        return several(reading, kind, values)
    first, second = values
    if isinstance(first, Tensor) and isinstance(second, np.ndarray):
        return with_constant(reading, kind, first, second, 1)
    if isinstance(second, Tensor) and isinstance(first, np.ndarray):
        return constant_first(reading, kind, first, second)
    raise Refused("it computes with the symbolic sizes of a tensor")


def joined(reading: Reading, op: str, tensors: list[Tensor]) -> Tensor:
    """The join of tensors of this network, their ranks made equal as ONNX broadcasts."""
    if len(tensors) == 1:
        return tensors[0]
    rank = max(len(t.shape) for t in tensors)
    if reading.batch and any(len(t.shape) != rank for t in tensors):
        raise Refused("its inputs have different ranks")
    same = [to_shape(reading, t, (1,) * (rank - len(t.shape)) + t.shape) for t in tensors]
    return reading.add(op, *same)


def several(reading: Reading, kind: str, values: Sequence[Value]) -> Tensor:
    """A sum of several tensors and constants."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    constants = [v for v in values if isinstance(v, np.ndarray)]
    if kind != "Sum" or not tensors or len(tensors) + len(constants) != len(values):
        raise Refused("it joins a constant")
    total = joined(reading, "add", tensors)
    return affine(reading.add, total, np.ones(1), sum(constants[1:], constants[0]))


def with_constant(
    reading: Reading, kind: str, x: Tensor, constant: NDArray[Any], index: int
) -> Tensor:
    """x ∘ c."""
    known_by = (index,)
    one, zero = np.ones(1), np.zeros(1)
    match kind:
        case "Add" | "Sum":
            return affine(reading.add, x, one, constant, known_by)
        case "Sub":
            return affine(reading.add, x, one, -constant, known_by)
        case "Mul":
            return affine(reading.add, x, constant, zero, known_by)
        case "Div":
            if np.any(constant == 0):
                raise Refused("it divides by 0")
            return affine(reading.add, x, 1 / constant.astype(np.float64), zero, known_by)
        case "Max" | "Min" if constant.size == 1:
            bound = float(constant.reshape(-1)[0])
            if kind == "Max":
                return bounded_below(reading, x, bound)
            return reading.add("clip", x, lo=-LARGEST, hi=bound)
    raise Refused("it joins a constant that differs from pixel to pixel")


def bounded_below(reading: Reading, x: Tensor, bound: float) -> Tensor:
    """max(x, bound), which is `relu` for 0."""
    if bound == 0:
        return reading.add("relu", x)
    return reading.add("clip", x, lo=bound, hi=LARGEST)


def constant_first(reading: Reading, kind: str, constant: NDArray[Any], x: Tensor) -> Tensor:
    """c ∘ x."""
    if kind == "Sub":
        return affine(reading.add, x, -np.ones(1), constant, (0,))
    if kind == "Div":
        return affine(reading.add, reading.add("power", x, exponent=-1), constant, np.zeros(1))
    return with_constant(reading, kind, x, constant, 0)


@converts("Concat")
def concat(reading: Reading) -> Tensor:
    """One behind the other along an axis of the sample."""
    tensors = reading.tensors()
    axis = reading.axis(int(reading.get("axis", 1)), tensors[0])
    if len(tensors) == 1:
        return tensors[0]
    return reading.add("concat", *tensors, axis=axis)


@converts("Identity", "Cast", "CastLike")
def identity(reading: Reading) -> Value:
    """What came in, a constant when it is cast like a tensor; all our numbers are floats."""
    value = reading.value(0)
    if reading.operator.type == "CastLike" and isinstance(value, np.ndarray):
        return value
    if reading.operator.type == "Cast" and reading.get("to") not in (1, 10, 11, 16):
        raise Refused("it casts to a type that is no float")
    return reading.tensor(0)


@converts("Dropout")
def dropout(reading: Reading) -> Tensor:
    """Dropout, which acts in training only."""
    if len(reading.operator.outputs) > 1 and reading.uses.get(reading.operator.outputs[1]):
        raise Refused("its second output, the mask, is used")
    ratio = float(reading.get("ratio", 0.5))
    if reading.has(1):
        ratio = float(reading.array(1).reshape(-1)[0])
    if reading.has(2) and bool(reading.array(2)) and ratio > 0:
        raise Refused("training_mode drops values at random when it is run")
    return reading.add("dropout", reading.tensor(0), p=single(ratio))
