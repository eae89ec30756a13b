"""What shape each op makes of its inputs, and what it refuses: a second account of the language.

`shape_of` raises `Invalid` for everything that the compiler would refuse, and for a result too
large to run a few thousand of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compiler.ops import OPS
from tests.differential.asked import Arguments, Rule, dimensions, known, need, smallest
from tests.differential.rules_of_parts import PARTS
from tests.differential.rules_of_windows import WINDOWS
from tests.differential.sizes import (
    Invalid,
    Shape,
    Symbolic,
    Tensor,
    count_of,
    is_fed_whole,
    is_whole,
    value_of,
)

MOST_VALUES = 3000  # of one tensor
ELSE_SAME_SHAPE = "bn dropout drop_path identity abs exp log power scale shift normalize l2norm"
SAME_SHAPE = {name for name, op in OPS.items() if op.group == "activate"}
SAME_SHAPE |= {*ELSE_SAME_SHAPE.split()}
COUNTS, AMOUNTS = (  # at least 1, at least 0
    "channels kernel stride dilation groups units size p r scale h w",
    "pad output_pad amount first last before after top left",
)


def shape_of(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """The shape that an op makes; raises `Invalid`."""
    for name, value in arguments.items():
        need(name in ("h", "w", "shape") or not isinstance(value, Symbolic))
    for names, least in ((COUNTS, 1), (AMOUNTS, 0)):
        given = (arguments[name] for name in names.split() if name in arguments)
        need(all(smallest(value) >= least for value in given))
    need(op in TABLES or not any(map(is_fed_whole, inputs)))
    if op in JOINS:
        shape = JOINS[op](arguments, inputs)
    elif op in BARE:
        need(not inputs)
        shape = BARE[op](arguments)
    elif op in SAME_SHAPE:
        shape = inputs[0]
        check_elementwise(op, arguments, shape)
    else:
        shape = RULES[op](arguments, inputs[0])
    need(all(value_of(size) >= 1 for size in shape) and count_of(shape) <= MOST_VALUES)
    return shape


def check_elementwise(op: str, arguments: Arguments, shape: Shape) -> None:
    """What the ops that keep the shape ask of it."""
    if op == "bn" or (op == "prelu" and arguments.get("channelwise")):
        known(shape[0])
    for values in (arguments.get(name) for name in ("factor", "offset", "mean", "std")):
        need(not isinstance(values, list) or len(values) == known(shape[0]))
    if "axis" in arguments:
        need(-len(shape) <= arguments["axis"] < len(shape))


def groupnorm(given: Arguments, shape: Shape) -> Shape:
    """groupnorm: groups divide the channels."""
    need(known(shape[0]) % given["groups"] == 0)
    return shape


def layernorm(given: Arguments, shape: Shape) -> Shape:
    """layernorm: every size along its axes is known."""
    need(all(isinstance(shape[axis], int) for axis in axes_of(given, shape)))
    return shape


def axes_of(given: Arguments, shape: Shape) -> set[int]:
    """One axis or several, each once; all where none is given."""
    axis = given.get("axis", [*range(len(shape))])
    axes = axis if isinstance(axis, list) else [axis]
    need(all(-len(shape) <= place < len(shape) for place in axes))
    places = {place % len(shape) for place in axes}
    need(len(places) == len(axes))
    return places


def instancenorm(given: Arguments, shape: Shape) -> Shape:
    """instancenorm: maps."""
    need(len(shape) > 1)
    known(shape[0])
    return shape


def lrn(given: Arguments, shape: Shape) -> Shape:
    """lrn: an odd number of maps."""
    need(given["size"] % 2 == 1 and len(shape) > 1)
    return shape


def dense(given: Arguments, shape: Shape) -> Shape:
    """dense: a vector of known length, or along an axis of one."""
    need("axis" in given or len(shape) == 1)
    axis = given.get("axis", 0)
    need(-len(shape) <= axis < len(shape))
    at = axis % len(shape)
    features = known(shape[at])
    need("weight" not in given or dimensions(given["weight"]) == (given["units"], features))
    return (*shape[:at], given["units"], *shape[at + 1 :])


def matmul(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """matmul: the columns of the first are the rows of the second; the axes before stretch."""
    need(len(inputs) == 2)
    left, right = inputs
    need(len(left) == len(right) > 1 and left[-1] == right[-2])
    return (*stretched(given, (left[:-2], right[:-2])), left[-2], right[-1])


def stretched(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """add, mul, sub, div, max, min, mean: a size of 1 stretches."""
    need(len({len(shape) for shape in inputs}) == 1)
    shape = list(inputs[0])
    for other in inputs[1:]:
        for axis, size in enumerate(other):
            need(shape[axis] == size or shape[axis] == 1 or size == 1)
            shape[axis] = size if shape[axis] == 1 else shape[axis]
    return tuple(shape)


def sub(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """sub, div: two of them."""
    need(len(inputs) == 2)
    return stretched(given, inputs)


def concat(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """concat: all sizes equal but the one along the axis."""
    axis, rank = given.get("axis", 0), len(inputs[0])
    need(len({len(shape) for shape in inputs}) == 1 and -rank <= axis < rank)
    along = axis % rank
    for shape in inputs[1:]:
        need(all(shape[i] == inputs[0][i] for i in range(rank) if i != along))
    joined = list(inputs[0])
    others = [other[along] for other in inputs]
    joined[along] = sum(others[1:], others[0])
    return tuple(joined)


def reduced(given: Arguments, shape: Shape) -> Shape:
    """reduce_mean, reduce_sum, reduce_max, reduce_min: the axes go, or become 1."""
    places = axes_of(given, shape)
    if given.get("keep"):
        return tuple(1 if i in places else size for i, size in enumerate(shape))
    left = tuple(size for i, size in enumerate(shape) if i not in places)
    if not left:
        raise Invalid  # one number: few ops take it
    return left


def gather(given: Arguments, shape: Shape) -> Shape:
    """gather: whole numbers below the rows; a vector of each."""
    need(is_whole(shape))
    need(all(0 <= number < given["rows"] for number in fixed_of(shape)))
    need(len(shape) < 6)
    return (*shape, given["channels"])


def fixed_of(shape: Shape) -> tuple[int, ...]:
    """The whole numbers that the definition fixes; none of an input."""
    return (shape.fixed if isinstance(shape, Tensor) else None) or ()


def take(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """take: places inside the axis in the place of it."""
    need(len(inputs) == 2 and is_whole(inputs[1]) and not is_fed_whole(inputs[0]))
    table, index = inputs
    axis = given.get("axis", 0)
    need(-len(table) <= axis < len(table) and len(table) + len(index) <= 7)
    axis %= len(table)
    need(all(0 <= number < known(table[axis]) for number in fixed_of(index)))
    return (*table[:axis], *index, *table[axis + 1 :])


def param(given: Arguments) -> Shape:
    """param: the shape that it is given."""
    return tuple(given["shape"])


def const(given: Arguments) -> Shape:
    """const: the shape of its numbers, or the one that it is given."""
    need(("values" in given) != ("shape" in given))
    if "shape" in given:
        return Tensor.of_numbers(tuple(given["shape"]), ())
    numbers = flat(given["values"])
    shape = dimensions(given["values"])
    return Tensor.of_numbers(shape, numbers) if all(n == int(n) for n in numbers) else shape


def flat(values: Any) -> tuple[Any, ...]:
    """The numbers in nested lists."""
    return sum(map(flat, values), ()) if isinstance(values, list) else (values,)


RULES: Mapping[str, Rule] = {
    **WINDOWS,
    "groupnorm": groupnorm,
    "layernorm": layernorm,
    "instancenorm": instancenorm,
    "lrn": lrn,
    "dense": dense,
    "gather": gather,
    **dict.fromkeys(("reduce_mean", "reduce_sum", "reduce_max", "reduce_min"), reduced),
    **PARTS,
}
BARE: Mapping[str, Callable[[Arguments], Shape]] = {"param": param, "const": const}
JOINS: Mapping[str, Callable[[Arguments, tuple[Shape, ...]], Shape]] = {
    "add": stretched,
    "mul": stretched,
    "max": stretched,
    "min": stretched,
    "mean": stretched,
    "sub": sub,
    "div": sub,
    "concat": concat,
    "matmul": matmul,
    "take": take,
}
TABLES = ("gather", "take")
