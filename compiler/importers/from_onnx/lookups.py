"""Values at the places that an input says, of a table that each sample has for itself.

As netc and PyTorch's exporter under `netc.from_torch` write it: the axis along which is taken goes
to the front, one GatherND picks of each sample its places, and these go where the axis was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import onnx

from compiler.graph import is_whole
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.operators import OnnxModel
from compiler.importers.from_onnx.patterns import Bound, Constants, Idiom, make
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.values import Tensor

KIND = "netc.Take"
PICKED = make("GatherND", "x", make("Unsqueeze", "index", "behind"), name="gather")
MOVED = make(
    "GatherND",
    make("Transpose", "x", name="before"),
    make("Unsqueeze", "index", "behind"),
    name="gather",
)


def taken(bound: Bound, constants: Constants) -> Any:
    """The build of both idioms."""
    last = constants.get(bound["behind"])
    if bound["gather"].attributes.get("batch_dims", 0) != 1 or last is None or last.size != 1:
        return None
    axis: int | None = 0
    if "before" in bound:
        axis = axis_of(*(bound[name].attributes.get("perm", ()) for name in ("before", "after")))
    said = {"axis": axis, "last": int(last.item())}
    return None if axis is None else (KIND, (bound["x"], bound["index"]), said)


LOOKUPS = (Idiom(make("Transpose", MOVED, name="after"), taken), Idiom(PICKED, taken))


def axis_of(before: Sequence[int], after: Sequence[int]) -> int | None:
    """The axis of a sample that goes to the front and comes back as others, one or several."""
    if len(before) < 2:
        return None
    axis, rank = before[1] - 1, len(before) - 1
    count = len(after) - rank
    behind = [place for place in range(1, rank + 1) if place != axis + 1]
    places, rest = [*range(1, count + 1)], [*range(count + 1, count + rank)]
    moved = [*before] == [0, axis + 1, *behind]
    return axis if moved and [*after] == [0, *rest[:axis], *places, *rest[axis:]] else None


@converts(KIND)
def take(reading: Reading) -> Tensor:
    """`take` by an input of whole numbers."""
    x, index = reading.tensor(0), reading.value(1)
    if not isinstance(index, Tensor) or not is_whole(reading.builder.graph[str(index.node)]):
        raise Refused("its places are no input of whole numbers")
    if reading.get("last") not in (-1, len(index.shape) + reading.batch) or not reading.batch:
        raise Refused("its places have more than one number each")
    return reading.add("take", x, index, axis=reading.get("axis"))


def without_idle_casts(model: OnnxModel) -> OnnxModel:
    """The model without casts of inputs of whole numbers to such, as PyTorch's `.long()` is."""
    whole = {declared.name: declared.name for declared in model.inputs if declared.whole}
    kept = []
    for operator in model.operators:
        idle = operator.type == "Cast" and operator.inputs[0] in whole
        if idle and operator.attributes.get("to") == onnx.TensorProto.INT64:
            whole[operator.outputs[0]] = whole[operator.inputs[0]]
        else:
            inputs = tuple(whole.get(name, name) for name in operator.inputs)
            kept.append(replace(operator, inputs=inputs))
    return replace(model, operators=tuple(kept)) if len(kept) < len(model.operators) else model


def places_only(model: OnnxModel) -> set[str]:
    """The inputs that are places of tables and nothing else, or that nothing takes."""
    others = {
        name
        for operator in model.operators
        for place, name in enumerate(operator.inputs)
        if operator.type not in ("Shape", "Size")
        and (operator.type != KIND or place != 1)
        and (operator.type != "Gather" or place != 1 or operator.inputs[0] not in model.constants)
    }
    return {declared.name for declared in model.inputs} - others
