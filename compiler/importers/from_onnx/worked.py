"""Layers over parameters: what a model works out of what it learns, before it meets a tensor.

What depends on no input is a constant, and is worked out while reading. Of a parameter that would
lose what is learned, so where such a constant meets a tensor of the network in a join, or is handed
to each sample of the batch, the parameters and the layers over them stand for it.

Only a model that says which arrays it learns is read so (`OnnxModel.learned`). Others compute with
initializers as well, for the scales of a quantisation or the factor of a norm that was folded, and
nothing tells these from parameters; a weight that a layer holds stays its numbers in any model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.builder import Poisoned, Refused
from compiler.importers.from_onnx.joins import JOINS, held
from compiler.importers.from_onnx.operators import Operator
from compiler.importers.from_onnx.reading import Reading, Value
from compiler.importers.from_onnx.reshape import to_shape
from compiler.importers.from_onnx.sizes import looks_up
from compiler.importers.from_onnx.views import Bordered, FactoredView, Stretched
from compiler.ops.base import ShapeError
from compiler.values import Tensor

Run = Callable[[Reading], Sequence[Value]]  # what the operator at hand makes


def stand_ins(
    reading: Reading, values: Sequence[Value | None], run: Run
) -> dict[str, Tensor | Stretched]:
    """The layers that stand for constants among what the operator at hand takes, by their names."""
    if not (reading.worked or reading.expanded):
        return {}
    if any(isinstance(value, FactoredView | Bordered) for value in values):
        return {}
    operator = reading.operator
    pairs = zip(operator.inputs, values, strict=True)
    constants = [name for name, value in pairs if isinstance(value, np.ndarray)]
    expanded = [name for name in constants if name in reading.expanded]
    ranks = [len(value.shape) for value in values if isinstance(value, Tensor | Stretched)]
    if operator.type in JOINS and ranks:  # a join holds the numbers of a parameter itself
        expanded = [name for name in expanded if not reading.is_parameter(name)]
    if looks_up(reading, list(values)):  # so does a table
        expanded = []
    found: dict[str, Tensor | Stretched] = {}
    for name in expanded:
        made = for_each_sample(reading, name, run)
        if made is not None:
            found[name] = made
    ranks += [len(made.shape) for made in found.values()]
    if operator.type in (*JOINS, "Concat") and ranks:
        for name in constants:
            if name in reading.worked and not reading.is_parameter(name):
                layers = layers_of(reading, name, max(ranks), run)
                found |= {} if layers is None else {name: layers}
    return found


def for_each_sample(reading: Reading, name: str, run: Run) -> Tensor | Stretched | None:
    """What is expanded to the batch, as the tensor that it is before."""
    source = reading.expanded[name].inputs[0]
    array, shape = array_of(reading, source), array_of(reading, name).shape[1:]
    before = ((1,) * (1 + len(shape) - array.ndim) + array.shape)[1:]
    if reading.is_parameter(source):
        own, reading.operator = reading.operator, reading.expanded[name]
        made: Tensor | None = held(reading, array.reshape(before), 0)
        reading.operator = own
    else:
        made = layers_of(reading, source, len(shape), run)
    if made is None:
        return None
    made = to_shape(reading, made, before)
    return made if before == shape else Stretched(made, shape)


def layers_of(reading: Reading, name: str, rank: int, run: Run) -> Tensor | None:
    """The layers that make a constant, for a join with tensors of so many axes a sample.

    None where the language has them not.
    """
    if (name, rank) not in reading.layers:
        shape = array_of(reading, name).shape
        made = None
        if reading.batch and shape[:1] == (1,) and len(shape) == rank + 1:
            made = run_through(reading, name, 1, run)
        made = made or run_through(reading, name, 0, run)
        while len(shape) > rank and shape[0] == 1:
            shape = shape[1:]
        whole = (1,) * (rank - len(shape)) + shape
        fits = made is not None and len(shape) <= rank
        reading.layers[name, rank] = to_shape(reading, made, whole) if made and fits else None
    return reading.layers[name, rank]


def run_through(reading: Reading, name: str, batch: int, run: Run) -> Tensor | None:
    """The layers that make a constant; with `batch` its axis 0, of size 1, is that of the samples.

    None where they are refused or make another shape.
    """
    wanted = array_of(reading, name).shape[batch:]
    before = reading.operator, reading.batch, reading.batch_size, reading.read, reading.values
    reading.batch, reading.batch_size = batch, 1 if batch else None
    reading.values = dict(reading.values)
    try:
        for operator in chain_to(reading, name):
            reading.operator, reading.read = operator, set()
            for place, taken in enumerate(operator.inputs):
                if reading.is_parameter(taken) and taken not in reading.worked:
                    reading.values[taken] = parameter(reading, taken, place)
            reading.values.update(zip(operator.outputs, run(reading), strict=False))
        made = reading.values[name]
        return made if isinstance(made, Tensor) and made.shape == wanted else None
    except (Refused, ShapeError, Poisoned):
        return None
    finally:
        reading.operator, reading.batch, reading.batch_size, reading.read, reading.values = before


def chain_to(reading: Reading, name: str) -> list[Operator]:
    """The operators between parameters and a constant, in their order."""
    wanted, chain = {name}, []
    for operator in reversed(reading.worked_on):
        if wanted & {*operator.outputs}:
            chain.append(operator)
            wanted |= {*operator.inputs}
    return chain[::-1]


def parameter(reading: Reading, name: str, place: int) -> Tensor:
    """The layer that holds a parameter; beside a batch that of one sample, so its axis 0 goes.

    Raises `Refused` for one that has no such axis, and for a single number.
    """
    made = reading.parameters.get((name, reading.batch))
    if made is not None:
        return made
    array = array_of(reading, name)
    if reading.batch and array.shape[:1] != (1,):
        raise Refused(f"{name} has no axis of the batch")
    shape = array.shape[reading.batch :]
    if not shape:
        raise Refused(f"{name} is a number without an axis")
    made = reading.add(
        "param", weights={"": array.reshape(shape)}, known_by=(place,), shape=list(shape)
    )
    reading.parameters[name, reading.batch] = made
    return made


def array_of(reading: Reading, name: str) -> NDArray[Any]:
    """The numbers of a constant."""
    found = reading.values[name]
    assert isinstance(found, np.ndarray)
    return found
