"""ONNX operators that join tensors, or a tensor and a constant, element by element or in a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.affine import affine, channelwise, single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.names import PLAIN, is_parameter
from compiler.importers.from_onnx.reading import BATCH, Reading, Value, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.importers.from_onnx.views import Stretched, copied, repeated
from compiler.importers.window_arguments import pads
from compiler.ops.base import Shape
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
    values = unstretched(reading, for_any_sample(reading, values))
    check_ranks(reading, values)
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


def for_any_sample(reading: Reading, values: Sequence[Value]) -> list[Value]:
    """The values, of a constant that is the same for each sample of a fixed batch that of one."""
    ranks = [len(v.shape) + 1 for v in values if isinstance(v, Tensor | Stretched)]
    found = list(values)
    for place, value in enumerate(values):
        if (
            not reading.batch
            or not isinstance(value, np.ndarray)
            or value.ndim != max(ranks, default=0)
        ):
            continue
        if len(value) == reading.batch_size and np.all(value == value[:1]):
            found[place] = value[:1]
    return found


def check_ranks(reading: Reading, values: Sequence[Value]) -> None:
    """Raise `Refused` for a constant with more axes than the tensors, which get them as well."""
    ranks = [len(v.shape) + reading.batch for v in values if isinstance(v, Tensor | Stretched)]
    for value in values:
        if isinstance(value, np.ndarray) and ranks and value.ndim > max(ranks):
            raise Refused(f"a constant of shape {list(value.shape)} adds axes before the batch")


def unstretched(reading: Reading, values: Sequence[Value]) -> list[Value]:
    """The values as they were before they were stretched, where the join stretches them as well."""
    shapes = [shape_of(value, reading.batch) for value in values]
    whole = widest(shapes)
    found = list(values)
    for place, value in enumerate(values):
        if isinstance(value, Stretched):
            shapes[place] = value.tensor.shape
            same = widest(shapes) == whole
            found[place] = value.tensor if same else copied(reading, value)
            shapes[place] = value.tensor.shape if same else value.shape
    return found


def shape_of(value: Value, batch: int) -> Shape:
    """The shape of a sample of a value; a constant has the batch in front."""
    if isinstance(value, Tensor | Stretched):
        return value.shape
    if isinstance(value, np.ndarray):
        return tuple(value.shape[1:] if batch and value.ndim > 1 else value.shape)
    return ()


def widest(shapes: Sequence[Shape]) -> Shape:
    """The shape to which the join of these stretches them all, the last axes side by side."""
    columns = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    return tuple(next((s for s in column if s != 1), 1) for column in columns)[::-1]


def joined(reading: Reading, op: str, tensors: list[Tensor]) -> Tensor:
    """The join of tensors of this network, their ranks made equal as ONNX broadcasts."""
    if len(tensors) == 1:
        return tensors[0]
    rank = max(len(t.shape) for t in tensors)
    if reading.batch and any(len(t.shape) != rank for t in tensors):
        raise Refused("its inputs have different ranks")
    same = [to_shape(reading, t, (1,) * (rank - len(t.shape)) + t.shape) for t in tensors]
    if op == "mul" and len(same) == 2 and same[0] == same[1]:
        return reading.add("power", same[0], exponent=2)
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
    constant = plainly(reading, x, constant, index)
    chosen = kind in ("Max", "Min") and (constant.size > 1 or is_member(reading, constant))
    if chosen or is_tensor(reading, x, constant, index):
        return reading.add(JOINS[kind], x, bare(reading, constant, index, x))
    known_by = () if reading.is_of_code(index) else (index,)
    one, zero = np.ones(1), np.zeros(1)
    if kind in ("Add", "Mul") and is_of_one_channel(reading, x, constant, index):
        factor, offset = (
            (constant.reshape(-1), zero) if kind == "Mul" else (one, constant.reshape(-1))
        )
        return channelwise(reading.add, x, factor, offset, known_by)
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


def is_of_one_channel(reading: Reading, x: Tensor, constant: NDArray[Any], index: int) -> bool:
    """Whether a number is the weight or bias of a module's only channel."""
    name = reading.operator.inputs[index]
    name = reading.origins.get(name, name)
    alone = constant.size == 1 and constant.ndim > 0 and x.shape[0] == 1 and len(x.shape) > 1
    return alone and reading.by_torch and PLAIN.search(name) is not None


def plainly(reading: Reading, x: Tensor, constant: NDArray[Any], index: int) -> NDArray[Any]:
    """One number for a constant that holds it everywhere, where nothing is stretched to it."""
    if constant.size < 2 or np.any(constant != constant.reshape(-1)[0]) or named(reading, index):
        return constant
    shape = of_sample(reading, constant, x)
    sizes = x.shape[len(x.shape) - len(shape) :]
    fits = all(own in (1, size) for own, size in zip(shape, sizes, strict=True))
    return constant.reshape(-1)[:1] if fits else constant


def named(reading: Reading, index: int) -> bool:
    """Whether an input is a parameter of a module by itself, called as PyTorch calls them.

    What a net's own module holds has no path before its name.
    """
    name = reading.operator.inputs[index]
    name = reading.origins.get(name, name)
    return ("." in name or reading.by_torch) and is_parameter(name)


def is_member(reading: Reading, constant: NDArray[Any]) -> bool:
    """Whether a constant is a tensor that a PyTorch module holds, and no number of its code.

    A tensor of one number may have lost its name; it still has axes, which a number has not.
    """
    return reading.by_torch and constant.ndim > 0


def is_tensor(reading: Reading, x: Tensor, constant: NDArray[Any], index: int) -> bool:
    """Whether a constant is a tensor by itself: it varies along other axes than the channels.

    Or it stretches what it is joined with, or is a factor or offset of its own, that PyTorch named
    (`block.0.gamma`).
    """
    if constant.size == 1:
        return constant.ndim > 0 and named(reading, index)
    shape = of_sample(reading, constant, x)
    varying = [axis for axis, size in enumerate(shape) if size != 1]
    apart = len(x.shape) - len(shape)
    return varying != [0] or apart != 0 or x.shape[0] == 1 or named(reading, index)


def of_sample(reading: Reading, constant: NDArray[Any], x: Tensor) -> tuple[int, ...]:
    """The shape of a constant that goes with every sample; raises `Refused` for one of a batch."""
    shape = tuple(constant.shape)
    while len(shape) > len(x.shape) and shape[0] == 1:
        shape = shape[1:]
    if len(shape) > len(x.shape):
        raise Refused(f"a constant of shape {list(constant.shape)} differs along the batch")
    return shape


def bare(reading: Reading, constant: NDArray[Any], index: int, x: Tensor) -> Tensor:
    """A constant as a tensor that goes with the last axes of another."""
    shape, name = of_sample(reading, constant, x), reading.operator.inputs[index]
    if not is_parameter(reading.origins.get(name, name)):
        shape = stripped(shape)
    if reading.builder.graph[str(x.node)].op.most_inputs == 0:  # two such line up as they are
        shape = (1,) * (len(x.shape) - len(shape)) + shape
    return held(reading, constant.reshape(shape), index)


def held(reading: Reading, values: NDArray[Any], index: int) -> Tensor:
    """A tensor of these numbers: learned where PyTorch named the input, else fixed.

    What is learned has the shape that it has in its module, which is the same for every sample.
    """
    name = reading.operator.inputs[index]
    name = reading.origins.get(name, name)
    if not is_parameter(name) or (reading.learned is not None and name not in reading.learned):
        return reading.add(
            "const", weights={"": values}, known_by=(index,), shape=list(values.shape)
        )
    own = reading.values.get(name)
    shape = stripped(own.shape) if isinstance(own, np.ndarray) else values.shape
    same = isinstance(own, np.ndarray) and np.array_equal(own.reshape(-1), values.reshape(-1))
    if not same or not shape or shape == stripped(values.shape):
        shape = values.shape
    made = reading.add(
        "param", weights={"": values.reshape(shape)}, known_by=(index,), shape=list(shape)
    )
    return to_shape(reading, made, values.shape)


def stripped(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without the axes of size 1 in front, by which it stretches over samples."""
    first = next((place for place, size in enumerate(shape) if size != 1), len(shape) - 1)
    return shape[max(first, 0) :]


def bounded_below(reading: Reading, x: Tensor, bound: float) -> Tensor:
    """max(x, bound), which is `relu` for 0."""
    if bound == 0:
        return reading.add("relu", x)
    return reading.add("clip", x, lo=bound, hi=LARGEST)


def constant_first(reading: Reading, kind: str, constant: NDArray[Any], x: Tensor) -> Tensor:
    """c ∘ x."""
    constant = plainly(reading, x, constant, 0)
    if is_tensor(reading, x, constant, 0):
        return reading.add(JOINS[kind], bare(reading, constant, 0, x), x)
    if kind == "Sub":
        return affine(reading.add, x, -np.ones(1), constant, (0,))
    if kind == "Div":
        return affine(reading.add, reading.add("power", x, exponent=-1), constant, np.zeros(1))
    return with_constant(reading, kind, x, constant, 0)


@converts("Concat")
def concat(reading: Reading) -> Tensor:
    """One behind the other along an axis of the sample; zeros pad what is beside them."""
    values = [reading.value(i) for i in range(len(reading.operator.inputs))]
    first = next((v for v in values if isinstance(v, Tensor)), None)
    if first is None or not all(isinstance(v, Tensor | np.ndarray) for v in values):
        return reading.tensor(0)
    axis = reading.axis(int(reading.get("axis", 1)), first)
    parts: list[Tensor | NDArray[Any]] = []
    for place, value in enumerate(values):
        if isinstance(value, np.ndarray):
            value = part_of_sample(reading, value, axis, first)
            known = reading.is_parameter(reading.operator.inputs[place])
            value = held(reading, value, place) if known or np.any(value) else value
        assert isinstance(value, Tensor | np.ndarray)
        parts.append(value)
    tensors: list[Tensor] = []
    before: list[NDArray[Any]] = []
    while parts:
        part = parts.pop(0)
        if isinstance(part, np.ndarray):
            before.append(part)
            continue
        after: list[NDArray[Any]] = []
        while parts and isinstance(parts[0], np.ndarray):
            after.append(np.asarray(parts.pop(0)))
        tensors.append(beside(reading, part, axis, before, after))
        before = []
    return tensors[0] if len(tensors) == 1 else reading.add("concat", *tensors, axis=axis)


def part_of_sample(
    reading: Reading, constant: NDArray[Any], axis: int, like: Tensor
) -> NDArray[Any]:
    """A constant without the batch, along which it must not vary."""
    if reading.batch:
        if np.any(constant != constant[:1]):
            raise Refused("it joins a constant that differs along the batch")
        constant = constant[0]
    wanted = [s for place, s in enumerate(like.shape) if place != axis]
    if [s for place, s in enumerate(constant.shape) if place != axis] != wanted:
        raise Refused(f"a constant of shape {list(constant.shape)} beside {list(like.shape)}")
    return constant


def beside(
    reading: Reading,
    x: Tensor,
    axis: int,
    before: Sequence[NDArray[Any]],
    after: Sequence[NDArray[Any]],
) -> Tensor:
    """A tensor with zeros before and after it."""
    if not before and not after:
        return x
    counts = [sum(part.shape[axis] for part in parts) for parts in (before, after)]
    if axis == 0:
        return reading.add("pad_channels", x, before=counts[0], after=counts[1])
    pairs = [counts if place == axis else [0, 0] for place in range(1, len(x.shape))]
    return reading.add("pad", x, amount=pads(tuple((p[0], p[1]) for p in pairs)))


@converts("Expand")
def expand(reading: Reading) -> Value:
    """A tensor repeated along its axes of size 1, which joins do by themselves."""
    wanted = reading.sizes(1)
    x = reading.tensor(0)
    rank = max(len(x.shape) + reading.batch, len(wanted))
    if rank > len(x.shape) + reading.batch and reading.batch:
        raise Refused("it puts axes before the batch")
    wanted = [*([1] * (rank - len(wanted))), *wanted]
    batch, sizes = wanted[: reading.batch], wanted[reading.batch :]
    if any(size not in (1, BATCH, reading.batch_size) for size in batch):
        raise Refused("it repeats the samples")
    shape = tuple(h if w == 1 else w for h, w in zip(x.shape, sizes, strict=True))
    facts = reading.builder.graph.facts
    if any(h != 1 and not facts.equal(h, w) for h, w in zip(x.shape, shape, strict=True)):
        raise Refused(f"it stretches {list(map(str, x.shape))} to {list(map(str, shape))}")
    return x if shape == x.shape else Stretched(x, shape)


@converts("Tile")
def tile(reading: Reading) -> Value:
    """A tensor repeated along some axes; one of size 1 is stretched."""
    x, counts = reading.tensor(0), reading.sizes(1)
    if len(counts) != len(x.shape) + reading.batch:
        raise Refused(f"it repeats {len(counts)} axes of {len(x.shape) + reading.batch}")
    if reading.batch and counts[0] != 1:
        raise Refused("it repeats the samples")
    sample = counts[reading.batch :]
    if any(isinstance(count, Dim) or count < 1 for count in sample):
        raise Refused(f"it repeats its input {', '.join(map(str, sample))} times")
    if all(size == 1 or count == 1 for size, count in zip(x.shape, sample, strict=True)):
        shape = tuple(c if h == 1 else h for h, c in zip(x.shape, sample, strict=True))
        return x if shape == x.shape else Stretched(x, shape)
    for axis, count in enumerate(sample):
        x = repeated(reading, x, axis, count)
    return x


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
