"""Examples and random arguments of an op for a check of its derivative, with its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compiler.ops import OPS
from compiler.ops.base import Op
from tests.differential.arguments import values_for
from tests.differential.pen import Pen
from tests.differential.sizes import Invalid
from tests.opcheck import make
from tests.ops.examples import EXAMPLES
from tests.strategies import steady

POSITIVE = {"log", "power"}  # of inputs above 0 only
MAPS = [(4, 9), (4, 6, 7), (4, 4, 5, 6)]


def inputs_for(name: str, shapes: list[tuple[int, ...]], number: int) -> tuple[Any, ...]:
    """Random numbers, above 0 for what knows no others; whole ones for a table."""
    random = np.random.default_rng(number)
    whole = OPS[name].whole_inputs
    found = tuple(
        random.integers(0, 4, (3, *shape)).astype(np.float64)
        if place in whole
        else random.standard_normal((3, *shape))
        for place, shape in enumerate(shapes)
    )
    return tuple(np.abs(x) + 0.1 for x in found) if name in POSITIVE else found


def examples_of(name: str) -> Iterator[tuple[Op, list[tuple[int, ...]], tuple[Any, ...]]]:
    """Each example of an op with the shapes of its inputs and numbers for them."""
    for number, (arguments, shapes) in enumerate(EXAMPLES.get(name, [({}, [(3, 4, 5)])])):
        yield make(OPS[name], **arguments), shapes, inputs_for(name, shapes, number)


def count_checked(name: str, check: Callable[..., None], nets: int, begin: int) -> int:
    """How many ops with random arguments were checked, `nets` at each rank from the seed `begin`.

    `check` is given the op, the shape of its input and, as `inputs`, its numbers.
    """
    checked = 0

    @steady(nets, begin)
    @given(st.data())
    def any_arguments(data: st.DataObject) -> None:
        nonlocal checked
        for shape in MAPS if name != "dense" else [(7,), (4, 5), (3, 4, 5)]:
            try:
                values = values_for(Pen(data.draw), name, shape)
            except Invalid:
                continue
            inputs = inputs_for(name, [shape], checked)
            check(make(OPS[name], **values), shape, inputs=inputs)
            checked += 1

    any_arguments()
    return checked
