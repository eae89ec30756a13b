"""ONNX's Einsum of one or two tensors: sums, transposes and a matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Size
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.dense import rows_times
from compiler.importers.from_onnx.joins import held
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.values import Tensor


@converts("Einsum")
def einsum(reading: Reading) -> Tensor:
    """`nctv,vw->nctw`: axes with the same letter line up, those that the result lacks are summed.

    The batch is the first letter of every tensor, and of the result.
    """
    values = [reading.value(i) for i in range(len(reading.operator.inputs))]
    letters, result = letters_of(reading, values)
    if not 1 <= len(values) <= 2:
        raise Refused(f"it multiplies {len(values)} tensors")
    tensors = [own for own, value in zip(letters, values, strict=True) if isinstance(value, Tensor)]
    if reading.batch:
        first = result[:1]
        if any(own[:1] != first for own in tensors):
            raise Refused("it moves the batch")
        if any(first in own for own in letters if own not in tensors) or not first:
            raise Refused("it has a matrix for each sample of the batch")
        result = result[1:]
        letters = [own[1:] if own in tensors else own for own in letters]
    others = {letter for own in letters for letter in own}
    if not set(result) <= others:
        raise Refused(f"its result has the axes {result}")
    if len(values) == 1:
        x, own = summed(reading, reading.tensor(0), letters[0], result)
        return ordered(reading, x, own, result)
    if isinstance(values[0], np.ndarray):
        values.reverse()
        letters.reverse()
    left, right = values
    if not isinstance(left, Tensor) or not isinstance(right, Tensor | np.ndarray):
        raise Refused("it multiplies what is no tensor")
    return multiplied(reading, (left, letters[0]), (right, letters[1]), result)


def letters_of(reading: Reading, values: Sequence[object]) -> tuple[list[str], str]:
    """The letters of each operand's axes, and of the result's; raises `Refused`."""
    equation = str(reading.get("equation", "")).replace(" ", "")
    if "." in equation:
        raise Refused("its equation has an ellipsis")
    given, arrow, result = equation.partition("->")
    letters = given.split(",")
    if len(letters) != len(values):
        raise Refused(f"its equation {equation} has {len(letters)} operands")
    if not arrow:
        result = "".join(c for c in sorted(set(given) - {","}) if given.count(c) == 1)
    for own, value in zip(letters, values, strict=True):
        rank = len(value.shape) + reading.batch if isinstance(value, Tensor) else None
        rank = value.ndim if isinstance(value, np.ndarray) else rank
        if rank != len(own):
            raise Refused(f"its equation {equation} has {len(own)} axes for one of {rank}")
    if any(len(set(own)) != len(own) for own in (*letters, result)):
        raise Refused(f"its equation {equation} takes a diagonal")
    return letters, result


def summed(reading: Reading, x: Tensor, own: str, wanted: str) -> tuple[Tensor, str]:
    """A tensor without the axes that nothing else has, and the letters that are left."""
    gone = [place for place, letter in enumerate(own) if letter not in wanted]
    if not gone:
        return x, own
    axis = gone if len(gone) > 1 else gone[0]
    y = reading.add("reduce_sum", x, axis=axis)
    return y, "".join(letter for letter in own if letter in wanted)


def ordered(reading: Reading, x: Tensor, own: str, wanted: str) -> Tensor:
    """The axes in another order."""
    order = [own.index(letter) for letter in wanted]
    return x if order == sorted(order) else reading.add("transpose", x, order=order)


def multiplied(
    reading: Reading,
    left: tuple[Tensor, str],
    right: tuple[Tensor | NDArray[np.float32], str],
    result: str,
) -> Tensor:
    """The product of two: [the axes of both, its own, those summed] times [both, summed, own]."""
    x, own = summed(reading, *left, right[1] + result)
    y, other = right
    if isinstance(y, Tensor):
        y, other = summed(reading, y, other, own + result)
    else:
        gone = tuple(place for place, letter in enumerate(other) if letter not in own + result)
        y = np.asarray(y.sum(axis=gone))
        other = "".join(letter for letter in other if letter in own + result)
    both = "".join(c for c in result if c in own and c in other)
    inner = "".join(c for c in own if c in other and c not in both)
    rows = "".join(c for c in own if c not in both + inner)
    columns = "".join(c for c in other if c not in both + inner)
    sizes: dict[str, Size] = dict(zip(own, x.shape, strict=True))
    for letter, size in zip(other, y.shape, strict=True):
        if letter in sizes and not reading.builder.equate(sizes[letter], size):
            raise Refused(f"the axes {letter} have {sizes[letter]} and {size} values")
        sizes.setdefault(letter, size)
    lead = tuple(sizes[c] for c in both)
    m, k, n = (prod(sizes[c] for c in group) for group in (rows, inner, columns))
    x = ordered(reading, x, own, both + rows + inner)
    if not both and isinstance(y, np.ndarray):
        x = to_shape(reading, x, (*(sizes[c] for c in rows), k))
        z = rows_times(reading, x, matrix_of(y, other, inner + columns, 0, len(inner)))
    else:
        x = to_shape(reading, x, (*lead, m, k))
        if isinstance(y, np.ndarray):
            place = next(i for i in range(2) if not isinstance(reading.value(i), Tensor))
            matrix = matrix_of(y, other, both + inner + columns, len(both), len(inner))
            y = held(reading, matrix, place)
        else:
            y = to_shape(reading, ordered(reading, y, other, both + inner + columns), (*lead, k, n))
        z = reading.add("matmul", x, y)
    made = both + rows + columns
    z = to_shape(reading, z, tuple(sizes[c] for c in made))
    return ordered(reading, z, made, result)


def matrix_of(
    values: NDArray[np.float32], own: str, order: str, lead: int, inner: int
) -> NDArray[np.float32]:
    """A constant operand as [the axes of both, those summed, its own]."""
    moved = values.transpose([own.index(letter) for letter in order])
    sizes = moved.shape
    rows, columns = (
        int(np.prod(part)) for part in (sizes[lead : lead + inner], sizes[lead + inner :])
    )
    return moved.reshape(*sizes[:lead], rows, columns)
