"""Operators on tensors whose batch is not in front, or that have more axes than a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from compiler.dims import Dim, Size
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import SAME
from compiler.importers.from_onnx.idioms import SPATIAL
from compiler.importers.from_onnx.operators import Operator
from compiler.importers.from_onnx.reading import (
    BATCH,
    CONVERTERS,
    Reading,
    Value,
    all_counted,
    counted,
)
from compiler.importers.from_onnx.reducing import REDUCTIONS
from compiler.importers.from_onnx.reshape import check_order, check_values, flattened_from
from compiler.importers.from_onnx.views import (
    THE_BATCH,
    FactoredView,
    in_front,
    reshaped,
    settle,
    transposed,
    view_of,
    with_batch,
)
from compiler.values import Tensor

POINTWISE = {
    *SAME,
    *("LeakyRelu", "Elu", "Celu", "Selu", "Clip", "Neg", "Sqrt", "Reciprocal", "Pow", "Gelu"),
    *("HardSigmoid", "ThresholdedRelu", "Identity", "Cast", "Dropout"),
}
JOINS = {"Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum"}


def rearranged(reading: Reading) -> Value:
    """What an operator makes that gives the same values other axes; a view where it must."""
    view = viewed(reading, 0)
    match reading.operator.type:
        case "Transpose":
            order = reading.get("perm") or range(len(view.axes) - 1, -1, -1)
            check_order(order, len(view.axes))
            made = transposed(view, order)
        case "Reshape":
            wanted = list(reading.get("shape") or reading.sizes(1))
            if not reading.get("allowzero", 0):
                kept = [*view.sizes, *([0] * len(wanted))]
                wanted = [kept[i] if size == 0 else size for i, size in enumerate(wanted)]
            check_values(wanted)
            made = reshaped(reading, view, wanted)
        case "Flatten":
            axis = flattened_from(int(reading.get("axis", 1)), len(view.axes))
            parts = view.sizes[:axis], view.sizes[axis:]
            made = reshaped(reading, view, [prod(part) for part in parts])
        case "Unsqueeze":
            made = unsqueezed(view, axes_of(reading))
        case _:
            made = squeezed(reading, view, axes_of(reading))
    return settle(reading, made)


def viewed(reading: Reading, index: int) -> FactoredView:
    """An input as a view."""
    value = reading.value(index)
    return value if isinstance(value, FactoredView) else view_of(reading.tensor(index))


def axes_of(reading: Reading) -> list[int] | None:
    """The axes that an operator names; None for none."""
    given = reading.sizes(1) if reading.has(1) else reading.get("axes")
    return None if given is None else [int(a) for a in given if not isinstance(a, Dim)]


def unsqueezed(view: FactoredView, places: Sequence[int] | None) -> FactoredView:
    """Axes of size 1 put in."""
    axes = list(view.axes)
    rank = len(axes) + len(places or ())
    for place in sorted(all_counted(places or (), rank)):
        axes.insert(place, ())
    return replace(view, axes=tuple(axes))


def squeezed(reading: Reading, view: FactoredView, places: Sequence[int] | None) -> FactoredView:
    """Axes of size 1 taken away; the batch is one only where the model fixes it to 1."""
    gone = {(), (THE_BATCH,)} if reading.batch_size == 1 else {()}
    rank = len(view.axes)
    named = range(rank) if places is None else all_counted(places, rank)
    if places is not None and any(view.axes[place] not in gone for place in named):
        raise Refused("it takes away an axis that holds more than one value, or the batch")
    kept = [a for place, a in enumerate(view.axes) if place not in named or a not in gone]
    return replace(view, axes=tuple(kept))


# ---- operators that compute


def run_on_views(reading: Reading, values: Sequence[Value | None]) -> tuple[Value, ...]:
    """What an operator makes of views: the same for every sample, with the batch where it was."""
    kind = reading.operator.type
    if kind in REARRANGING:
        return (rearranged(reading),)
    if kind in POINTWISE:
        return (pointwise(reading),)
    remap = REMAPPED.get(kind)
    views = [value for value in values if isinstance(value, FactoredView)]
    kinds = {(view.batch, len(view.axes), mixed(view)) for view in views}
    if remap is None or len(kinds) != 1:
        place, sizes = views[0].batch, ", ".join(map(str, views[0].sizes))
        where = "mixed with other axes" if place is None else f"axis {place}"
        raise Refused(f"its input is [{sizes}], the batch {where}".replace(str(BATCH), "N"))
    if any(isinstance(value, Tensor) for value in values):
        raise Refused("its inputs have the batch along different axes")
    return swung(reading, values, views[0], remap)


def pointwise(reading: Reading) -> Value:
    """An operator that does the same to every value, wherever it stands."""
    view = viewed(reading, 0)
    made = with_inputs(reading, {reading.operator.inputs[0]: view.tensor}, reading.operator)
    (tensor,) = made
    return replace(view, tensor=tensor) if isinstance(tensor, Tensor) else tensor


def mixed(view: FactoredView) -> tuple[int, bool, Size] | None:
    """The axis that the batch shares with others, whether it leads them, and their size."""
    for place, axis in enumerate(view.axes):
        if THE_BATCH in axis and axis != (THE_BATCH,):
            others = prod(view.size(factor) for factor in axis if factor != THE_BATCH)
            return place, axis[0] == THE_BATCH, others
    return None


def swung(
    reading: Reading, values: Sequence[Value | None], view: FactoredView, remap: Remap
) -> tuple[Value, ...]:
    """The operator on the tensors with their batch in front, and the batch put back.

    What the batch shares an axis with becomes an axis of the sample.
    """
    shared = mixed(view)
    place, rank = view.batch, len(view.axes)
    where = [*range(rank)] if place is None else [a for a in range(rank) if a != place]
    closed = place if shared is None else shared[0]

    def moved(axis: int) -> int:
        axis = counted(axis, rank)
        if axis == closed:
            raise Refused("it acts along the batch")
        return where.index(axis) + 1

    operator, gone = remap(reading, moved, rank)
    given: dict[str, Value] = {}
    for name, value in zip(reading.operator.inputs, values, strict=True):
        if isinstance(value, FactoredView):
            given[name] = in_front(reading, apart(value))
        elif isinstance(value, np.ndarray) and reading.operator.type in JOINS and value.ndim:
            whole = value.reshape((1,) * (rank - value.ndim) + value.shape)
            if closed is not None and whole.shape[closed] != 1:
                raise Refused("it joins a constant that differs along the batch")
            given[name] = whole.reshape([1, *(whole.shape[axis] for axis in where)])
    made = with_inputs(reading, given, operator)
    left = None if closed is None else closed - sum(axis % rank < closed for axis in gone)
    return tuple(
        settle(reading, put_back(tensor, left, shared)) if isinstance(tensor, Tensor) else tensor
        for tensor in made
    )


def apart(view: FactoredView) -> FactoredView:
    """The view with the batch in front, and in no axis with others."""
    if mixed(view) is None:
        return view
    others = (tuple(f for f in axis if f != THE_BATCH) for axis in view.axes)
    return replace(view, axes=((THE_BATCH,), *others))


def put_back(
    tensor: Tensor, place: int | None, shared: tuple[int, bool, Size] | None
) -> FactoredView:
    """A tensor with its batch at a place again, with what shared the axis."""
    if shared is None:
        return with_batch(tensor, place)
    assert place is not None
    (batch, *axes) = view_of(tensor).axes
    axes[place] = (*batch, *axes[place]) if shared[1] else (*axes[place], *batch)
    return replace(view_of(tensor), axes=tuple(axes))


def with_inputs(
    reading: Reading, given: Mapping[str, Value], operator: Operator
) -> tuple[Value, ...]:
    """What another operator makes where some names stand for other values."""
    known, own = reading.values, reading.operator
    reading.values = {**known, **given}
    reading.operator = operator
    try:
        made = CONVERTERS[operator.type](reading)
    finally:
        reading.values, reading.operator = known, own
    return (made,) if isinstance(made, Tensor | np.ndarray) else tuple(made)  # type: ignore[arg-type]


Moved = Callable[[int], int]
Remap = Callable[[Reading, Moved, int], "tuple[Operator, list[int]]"]


def along_axis(default: int) -> Remap:
    """The remapping of an operator with one axis, which stays."""

    def remap(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
        axis = moved(int(reading.get("axis", default)))
        return with_attributes(reading.operator, axis=axis), []

    return remap


def along_last(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """A softmax before opset 13, or a layer normalisation: over an axis and all behind it.

    `moved` refuses the batch, which must not be among them.
    """
    if "axes" in reading.operator.attributes:  # of an idiom, in any place
        named = reading.get("axes")
        axes = tuple(map(moved, range(2, rank) if named == SPATIAL else named))
        return with_attributes(reading.operator, axes=axes), []
    old = reading.operator.type != "LayerNormalization"
    first = counted(int(reading.get("axis", 1 if old else -1)), rank)
    axis, *_ = [moved(axis) for axis in range(first, rank)]
    return with_attributes(reading.operator, axis=axis), []


def softmax(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """Along one axis; before opset 13 over that and all behind it."""
    return (along_axis(-1) if reading.opset >= 13 else along_last)(reading, moved, rank)


def picked(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """`Gather`: a single place takes its axis away."""
    axis = int(reading.get("axis", 0))
    gone = [axis] if reading.array(1).ndim == 0 else []
    return with_attributes(reading.operator, axis=moved(axis)), gone


def reduced(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """A reduction over some axes."""
    axes = axes_of(reading)
    if not axes:
        raise Refused("it acts along the batch")
    axes = sorted({counted(axis, rank) for axis in axes})
    operator = with_attributes(reading.operator, axes=tuple(map(moved, axes)))
    gone = [] if reading.get("keepdims", 1) == 1 else axes
    return replace(operator, inputs=operator.inputs[:1]), gone


def cut(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """`Slice` along some axes."""
    operator = reading.operator
    starts = reading.get("starts") or tuple(reading.sizes(1))
    ends = reading.get("ends") or tuple(reading.sizes(2))
    axes = reading.get("axes") or (reading.sizes(3) if reading.has(3) else range(len(starts)))
    found = tuple(moved(int(axis)) for axis in axes if not isinstance(axis, Dim))
    steps = tuple(reading.sizes(4)) if reading.has(4) else (1,) * len(starts)
    operator = with_attributes(operator, starts=starts, ends=ends, axes=found, steps=steps)
    return replace(operator, inputs=operator.inputs[:1]), []


def rows(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """`Gemm` of rows with a constant matrix."""
    if reading.get("transA", 0) or not isinstance(reading.value(0), FactoredView):
        raise Refused("it acts along the batch")
    moved(-1)
    return with_attributes(reading.operator, rows=1), []


def with_matrix(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """A product of the last axis with a constant matrix, or of the last two of two tensors."""
    if all(isinstance(reading.value(index), FactoredView) for index in (0, 1)):
        moved(-1)
        moved(-2)
        return reading.operator, []
    if not isinstance(reading.value(0), FactoredView) or reading.array(1).ndim != 2:
        raise Refused("its matrix is no constant of two axes")
    moved(-1)
    return reading.operator, []


def as_it_is(reading: Reading, moved: Moved, rank: int) -> tuple[Operator, list[int]]:
    """An operator that has no axes."""
    return reading.operator, []


def with_attributes(operator: Operator, **attributes: Any) -> Operator:
    """The operator with other attributes."""
    return replace(operator, attributes={**operator.attributes, **attributes})


REARRANGING = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"}
REMAPPED: dict[str, Remap] = {
    "Concat": along_axis(1),
    "Split": along_axis(0),
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "LayerNormalization": along_last,
    "Gather": picked,
    "Slice": cut,
    "Gemm": rows,
    "MatMul": with_matrix,
    **dict.fromkeys(REDUCTIONS, reduced),
    **dict.fromkeys(JOINS, as_it_is),
}
