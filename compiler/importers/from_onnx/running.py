"""What one operator makes: sizes worked out, layers of the network, or a branch of an `If`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from compiler.importers.builder import Refused
from compiler.importers.from_onnx.constants import array_of
from compiler.importers.from_onnx.operators import operator
from compiler.importers.from_onnx.reading import CONVERTERS, Reading, Value
from compiler.importers.from_onnx.sizes import fold
from compiler.values import POISON, Tensor


def run(reading: Reading) -> tuple[Value, ...]:
    """What the operator at hand makes: folded, or layers of the network."""
    operator = reading.operator
    values = [reading.value(i) if name else None for i, name in enumerate(operator.inputs)]
    if operator.type == "If":
        return run_branch(reading)
    folded = fold(reading, values)
    if folded is not None:
        return folded
    if operator.type not in CONVERTERS:
        raise Refused("the language has no such operator")
    made = CONVERTERS[operator.type](reading)
    return (made,) if isinstance(made, Tensor | np.ndarray) else tuple(made)  # type: ignore[arg-type]


def keep(reading: Reading, made: Sequence[Value]) -> None:
    """Remember what the operator at hand made under the names of its outputs."""
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
