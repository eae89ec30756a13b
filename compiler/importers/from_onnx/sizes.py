"""What an exporter computes from shapes, worked out while reading.

Sizes stay symbolic: the few operators that exporters use on them (`Shape`, `Gather`, `Concat`, …)
work on arrays of ints and `Dim`s. What they make without a symbol in it is a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from compiler.dims import Dim, Size, SymbolicError
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.constants import LARGEST, SAME_NUMBERS, TooLarge, array_of
from compiler.importers.from_onnx.names import is_parameter
from compiler.importers.from_onnx.reading import BATCH, Pending, Reading, Sizes, Value
from compiler.importers.from_onnx.views import FactoredView, Stretched
from compiler.values import Tensor

COMPUTED = (Tensor, Pending)
MOST_SIZES = 4096  # in a list


def fold(reading: Reading, values: list[Value | None]) -> tuple[Value, ...] | None:
    """The result of an operator on sizes and constants only; None for one on tensors."""
    operator = reading.operator
    if operator.type in ("Shape", "Size") and isinstance(values[0], COMPUTED):
        return (shape_of(reading, values[0]),)
    if operator.type in ("Shape", "Size") and isinstance(values[0], Sizes):
        array = values[0].array
        return (np.asarray(array.shape if operator.type == "Shape" else array.size, np.int64),)
    if any(isinstance(value, COMPUTED) for value in values) or "graph" in str(operator.attributes):
        return None
    if looks_up(reading, values):
        return None
    if not any(isinstance(value, Sizes) for value in values):
        return fold_constant(reading, values)
    if operator.type == "ConstantOfShape":
        return (filled(reading),)
    if operator.type == "Expand" and isinstance(values[0], np.ndarray):
        return (repeated(reading, values[0]),)
    if operator.type == "Reshape" and isinstance(values[0], np.ndarray):
        return (reshaped(reading, values[0]),)
    if operator.type not in FOLDERS:
        raise Refused(f"{operator.type} of constants or sizes cannot be worked out")
    return (fold_sizes(reading, values),)


def looks_up(reading: Reading, values: list[Value | None]) -> bool:
    """Whether an operator takes places of a learned table that goes with every sample."""
    name = reading.operator.inputs[0] if values else ""
    learned = name in reading.origins and is_parameter(reading.origins[name])
    constant = all(isinstance(value, np.ndarray) for value in values)
    return reading.operator.type == "Gather" and learned and constant and bool(reading.get("axis"))


def filled(reading: Reading) -> NDArray[Any]:
    """A number for each value of every sample: a constant that is the same along the batch."""
    first, *rest = reading.sizes(0)
    shape = [size for size in rest if not isinstance(size, Dim)]
    if first != BATCH or len(shape) != len(rest) or prod(shape) > LARGEST:
        sizes = ", ".join(map(str, (first, *rest))).replace(str(BATCH), "N")
        raise Refused(f"a constant of the sizes {sizes}")
    value = reading.get("value")
    number = np.zeros(1, np.float32) if value is None else array_of(value)
    return np.full((1, *shape), number.reshape(-1)[0], dtype=number.dtype)


def repeated(reading: Reading, constant: NDArray[Any]) -> NDArray[Any]:
    """A constant for every sample, such as a class token: one that is the same along the batch."""
    first, *rest = reading.sizes(1)
    shape = [size for size in rest if not isinstance(size, Dim)]
    whole = constant.reshape((1,) * (1 + len(rest) - constant.ndim) + constant.shape)
    if first != BATCH or len(shape) != len(rest) or whole.shape[0] != 1 or prod(shape) > LARGEST:
        sizes = ", ".join(map(str, (first, *rest))).replace(str(BATCH), "N")
        raise Refused(f"a constant of the sizes {sizes}")
    name, made = reading.operator.inputs[0], reading.operator.outputs[0]
    reading.origins[made] = reading.origins.get(name, name)
    if reading.is_parameter(name) or name in reading.worked:
        reading.expanded[made] = reading.operator
    return np.broadcast_to(whole, np.broadcast_shapes(whole.shape, (1, *shape)))


def reshaped(reading: Reading, constant: NDArray[Any]) -> NDArray[Any]:
    """A constant that is the same for every sample, in another shape."""
    first, *rest = reading.sizes(1)
    shape = [size for size in rest if not isinstance(size, Dim)]
    fits = -1 in shape or prod(shape) == constant.size
    if first != BATCH or len(shape) != len(rest) or constant.shape[:1] != (1,) or not fits:
        sizes = ", ".join(map(str, (first, *rest))).replace(str(BATCH), "N")
        raise Refused(f"a constant of the sizes {sizes}")
    name, made = reading.operator.inputs[0], reading.operator.outputs[0]
    reading.origins[made] = reading.origins.get(name, name)
    return constant.reshape((1, *shape))


def fold_constant(reading: Reading, values: list[Value | None]) -> tuple[Value, ...]:
    """The result of an operator on constants, sizes that have become known among them."""
    operator = reading.operator
    reading.read |= operator.attributes.keys()
    pairs = zip(operator.inputs, values, strict=True)
    given = {name: value for name, value in pairs if isinstance(value, np.ndarray)}
    inputs: Sequence[str] = operator.inputs
    added: NDArray[Any] | None = None
    if operator.type == "MatMul" and len(inputs) == 3:  # with its bias, as an idiom puts it
        added, inputs = given.pop(inputs[2]), inputs[:2]
    node = helper.make_node(operator.type, inputs, operator.outputs, **operator.attributes)
    try:
        found = reading.folding.evaluated(node, given)
    except TooLarge as error:
        raise Refused(str(error)) from None
    if found is None:
        raise Refused(f"{operator.type} of constants or sizes cannot be worked out")
    if operator.type in SAME_NUMBERS:
        reading.origins[operator.outputs[0]] = reading.origins.get(inputs[0], inputs[0])
    if any(reading.is_parameter(name) or name in reading.worked for name in given):
        reading.work_on(operator, found)
    made = (found[name] for name in operator.outputs if name)
    return tuple(value if added is None else value + added for value in made)


def shape_of(reading: Reading, tensor: Tensor | Pending) -> Value:
    """`Shape` or `Size` of a tensor of the network."""
    sizes: list[Size]
    if isinstance(tensor, FactoredView):
        sizes = list(tensor.sizes)
    elif isinstance(tensor, Tensor | Stretched):
        sizes = [*([BATCH] * reading.batch), *tensor.shape]
    else:
        raise Refused("the shape of what is padded with minus infinity")
    if reading.operator.type == "Size":
        total: Any = 1
        for size in sizes:
            total = total * size
        return settled(np.array(total, dtype=object))
    start, end = reading.get("start", 0), reading.get("end", len(sizes))
    return settled(np.array(sizes[start:end], dtype=object))


def settled(array: NDArray[Any]) -> Value:
    """Sizes without symbols as a constant."""
    if any(isinstance(size, Dim) for size in array.reshape(-1).tolist()):
        return Sizes(array)
    return array.astype(np.int64)


def fold_sizes(reading: Reading, values: list[Value | None]) -> Value:
    """One of the operators that exporters use on sizes."""
    operator = reading.operator
    arrays = [
        value.array if isinstance(value, Sizes) else np.asarray(value, dtype=object)
        for value in values
        if value is not None and not isinstance(value, COMPUTED)
    ]
    if sum(array.size for array in arrays) > MOST_SIZES:
        raise Refused(f"a list of more than {MOST_SIZES:,} sizes")
    try:
        found = np.asarray(FOLDERS[operator.type](reading, arrays), dtype=object)
        if any(isinstance(size, float) and size % 1 for size in found.reshape(-1).tolist()):
            raise TypeError
        return settled(found)
    except TypeError:
        raise Refused("it computes with fractions of a symbolic size") from None
    except (SymbolicError, ValueError, IndexError) as error:
        raise Refused(f"a symbolic size: {error}") from None


def gather(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Sizes picked by their places."""
    taken = np.take(arrays[0], arrays[1].astype(np.int64), axis=reading.get("axis", 0))
    return np.asarray(taken, dtype=object)


def concat(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Lists of sizes one behind the other."""
    if reading.get("axis", 0) not in (0, -1):
        raise ValueError(f"there is no axis {reading.get('axis')}")
    return np.concatenate([np.atleast_1d(a) for a in arrays])


def cut(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """A part of a list of sizes."""
    given = [int(np.atleast_1d(a)[0]) for a in arrays[1:]]
    starts, ends = reading.get("starts"), reading.get("ends")
    start, end = (starts[0], ends[0]) if starts is not None else given[:2]
    step = given[3] if len(given) > 3 else 1
    return np.asarray(arrays[0][start:end:step], dtype=object)


def divide(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Whole-number division."""
    return np.asarray(arrays[0] // arrays[1], dtype=object)


def scaled(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """A product; an exporter may scale sizes in floats that are whole."""
    whole = [np.vectorize(as_whole, otypes=[object])(a) for a in arrays]
    return np.asarray(whole[0] * whole[1], dtype=object)


def as_whole(value: Any) -> Any:
    """A float that is a whole number as an int."""
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError(f"it is multiplied by {value:g}")
        return int(value)
    return value


def same(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Sizes as they are."""
    return arrays[0]


def multiplied(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """The product of a list of sizes."""
    kept = reading.get("keepdims", 1) == 1
    axes = reading.get("axes") or (arrays[1].tolist() if len(arrays) > 1 else None)
    if arrays[0].ndim > 1 or axes not in (None, [0], (0,), [-1], (-1,)):
        raise ValueError(f"there are no axes {axes}")
    if axes is None and reading.get("noop_with_empty_axes", 0):
        return arrays[0]
    total: Any = 1
    for size in arrays[0].reshape(-1).tolist():
        total = total * size
    return np.array([total] if kept and arrays[0].ndim else total, dtype=object)


def extreme(reading: Reading, arrays: list[NDArray[Any]], *, largest: bool) -> NDArray[Any]:
    """The larger or smaller of sizes; of symbols it must be proved which that is."""

    def decided(a: Any, b: Any) -> Any:
        if not isinstance(a, Dim) and not isinstance(b, Dim):
            return max(a, b) if largest else min(a, b)
        more = is_at_least(reading, a, b)
        less = is_at_least(reading, b, a)
        if not more and not less:
            raise ValueError(f"whether {a} is more than {b} is not known".replace(str(BATCH), "N"))
        return a if more == largest else b

    found, *others = arrays
    for other in others:
        found = np.asarray(np.vectorize(decided, otypes=[object])(found, other), dtype=object)
    return found


def is_at_least(reading: Reading, size: Size, least: Size) -> bool:
    """Whether a size is proved to be no less than another; the batch is at least 1."""
    if BATCH in (size, least):
        return size == least or (isinstance(least, int) and least <= 1)
    return reading.builder.graph.facts.decide(size, ">=", least) is True


def cast(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Sizes as numbers of another type, which hold them as well."""
    if reading.get("to") in (TensorProto.BOOL, TensorProto.STRING):
        raise ValueError("it is cast to what is no number")
    return arrays[0]


def equal(reading: Reading, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Whether sizes are equal; of a symbol it must be proved that they are."""

    def decided(a: Any, b: Any) -> bool:
        if not isinstance(a, Dim) and not isinstance(b, Dim):
            return bool(a == b)
        facts = reading.builder.graph.facts
        for size, other in ((a, b), (b, a)):
            if isinstance(other, int) and other < 1 and is_at_least(reading, size, 1):
                return False
        if not facts.equal(a, b):
            raise ValueError(f"whether {a} is {b} is not known")
        return True

    return np.asarray(np.vectorize(decided, otypes=[bool])(*arrays))


FOLDERS: dict[str, Callable[[Reading, list[NDArray[Any]]], Any]] = {
    "Gather": gather,
    "Concat": concat,
    "Slice": cut,
    "Div": divide,
    "Mul": scaled,
    "Add": lambda reading, arrays: arrays[0] + arrays[1],
    "Sub": lambda reading, arrays: arrays[0] - arrays[1],
    "Unsqueeze": lambda reading, arrays: np.atleast_1d(arrays[0]),
    "Squeeze": lambda reading, arrays: arrays[0].reshape(()),
    "Reshape": lambda reading, arrays: np.atleast_1d(arrays[0]),
    "Equal": equal,
    "Where": lambda reading, arrays: np.where(arrays[0].astype(bool), *arrays[1:]),
    "Cast": cast,
    "Identity": same,
    "Floor": same,
    "Max": lambda reading, arrays: extreme(reading, arrays, largest=True),
    "Min": lambda reading, arrays: extreme(reading, arrays, largest=False),
    "ReduceProd": multiplied,
}
