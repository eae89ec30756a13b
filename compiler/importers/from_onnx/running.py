"""What one operator makes: sizes worked out, layers of the network, or a branch of an `If`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from compiler.importers.builder import Refused
from compiler.importers.from_onnx.attributes import unread
from compiler.importers.from_onnx.constants import array_of
from compiler.importers.from_onnx.interpolated import interpolated
from compiler.importers.from_onnx.joins import JOINS
from compiler.importers.from_onnx.operators import operator
from compiler.importers.from_onnx.reading import CONVERTERS, Pending, Reading, Value
from compiler.importers.from_onnx.rearranging import REARRANGING, rearranged, run_on_views
from compiler.importers.from_onnx.sizes import FOLDERS, fold
from compiler.importers.from_onnx.views import MOST_SIZES, Bordered, FactoredView, Stretched, copied
from compiler.importers.from_onnx.worked import stand_ins
from compiler.ops.base import ShapeError
from compiler.values import POISON, Tensor


def run(reading: Reading) -> tuple[Value, ...]:
    """What the operator at hand makes: folded, or layers of the network.

    An attribute that nobody asked for is told of.
    """
    operator, reading.read = reading.operator, set()
    made = made_by(reading)
    if operator.type != "If":
        for name in unread(operator, reading.opset, reading.read):
            reading.builder.warn(operator.span, f"{operator.type} is read without its {name}")
    return made


def made_by(reading: Reading) -> tuple[Value, ...]:
    """What the operator at hand makes."""
    operator = reading.operator
    refuse_blocking(reading)
    values = [reading.value(i) if name else None for i, name in enumerate(operator.inputs)]
    if operator.type == "If":
        return run_branch(reading)
    made = made_of_layers(reading, values)
    return made_of(reading, values) if made is None else made


def made_of_layers(reading: Reading, values: list[Value | None]) -> tuple[Value, ...] | None:
    """What the operator at hand makes of layers in the place of constants.

    None where there are none to stand for these, or the operator takes none.
    """
    operator, before = reading.operator, dict[str, Value]()
    try:
        layers = stand_ins(reading, values, made_by)
        if not layers:
            return None
        before = {name: reading.values[name] for name in layers}
        reading.values.update(layers)
        return made_of(
            reading, [layers.get(n, v) for n, v in zip(operator.inputs, values, strict=True)]
        )
    except (Refused, ShapeError):
        reading.operator, reading.read = operator, set()
        return None
    finally:
        reading.values.update(before)


def made_of(reading: Reading, values: list[Value | None]) -> tuple[Value, ...]:
    """What the operator at hand makes of these values."""
    operator = reading.operator
    folded = fold(reading, values)
    if folded is not None:
        return folded
    if operator.type not in CONVERTERS:  # what is worked out of sizes only
        raise Refused("the language has no such operator")
    for name, value in zip(operator.inputs, values, strict=True):
        if isinstance(value, Stretched) and operator.type not in JOINS:
            reading.values[name] = copied(reading, value)
        if isinstance(value, Bordered) and operator.type != "MaxPool":
            raise Refused(f"its input {name} is padded with minus infinity")
    if any(isinstance(value, FactoredView) for value in values):
        return run_on_views(reading, values)
    if operator.type in REARRANGING and reading.batch:
        return (straight_or_view(reading),)
    made = interpolated(reading) or CONVERTERS[operator.type](reading)
    return tuple(made) if isinstance(made, list | tuple) else (made,)  # type: ignore[return-value]


def refuse_blocking(reading: Reading) -> None:
    """Raise `Refused` for what blocks by itself, also behind a layer that was refused."""
    operator = reading.operator
    computed = [is_computed(reading, name) for name in operator.inputs if name]
    if not any(computed):
        return
    if operator.type == "If" and computed[0]:
        raise Refused("control flow whose condition the network computes")
    known = operator.type in (*CONVERTERS, *FOLDERS, "Shape", "Size", "If")
    if not known:
        raise Refused("the language has no such operator")


def is_computed(reading: Reading, name: str) -> bool:
    """Whether a name stands for a tensor of the network, and for no constant or size."""
    value = reading.values.get(name, POISON)
    return isinstance(value, Tensor | Pending) and name not in reading.unknown


def straight_or_view(reading: Reading) -> Value:
    """Another shape or order of a sample's values; a view where that is no layer of its own.

    What is taken apart into many axes is rearranged, mostly, and put together again.
    """
    try:
        made = CONVERTERS[reading.operator.type](reading)
        assert isinstance(made, Tensor)
        if len(made.shape) > MOST_SIZES:
            raise Refused("it has many axes")
        return made
    except (Refused, ShapeError) as error:
        reading.read = set()
        try:
            return rearranged(reading)
        except (Refused, ShapeError):
            raise error from None


def keep(reading: Reading, made: Sequence[Value]) -> None:
    """Remember what the operator at hand made under the names of its outputs.

    What is made of constants and sizes only is a constant, though nobody knows which.
    """
    inputs = [name for name in reading.operator.inputs if name]
    constant = reading.operator.type in ("Shape", "Size") or not any(
        is_computed(reading, name) for name in inputs
    )
    if not made and constant:
        reading.unknown.update(reading.operator.outputs)
    for place, output in enumerate(reading.operator.outputs):
        reading.values[output] = made[place] if place < len(made) else POISON


def run_branch(reading: Reading) -> tuple[Value, ...]:
    """The branch of an `If` that the shapes decide, as `torch.squeeze` of one axis is written."""
    whole, condition = reading.operator, reading.value(0)
    if not isinstance(condition, np.ndarray):
        raise Refused("control flow whose condition the network computes")
    branch: onnx.GraphProto = reading.get("then_branch" if condition.item() else "else_branch")
    known = {name: v for name, v in reading.values.items() if isinstance(v, np.ndarray)}
    known |= {tensor.name: array_of(tensor) for tensor in branch.initializer}
    nodes, _ = reading.folding.fold(branch.node, known)
    reading.values |= known
    for node in nodes:
        reading.operator = operator(node, whole.span)
        keep(reading, run(reading))
    reading.operator = whole
    return tuple(reading.values[output.name] for output in branch.output)
