"""Random arguments of an op for a check of its derivative."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from compiler.ops import OPS
from compiler.ops.base import Op
from tests.differential.arguments import values_for
from tests.differential.pen import Pen
from tests.differential.sizes import Invalid
from tests.opcheck import make
from tests.strategies import steady

MAPS = [(4, 9), (4, 6, 7), (4, 4, 5, 6)]


def count_checked(
    name: str, check: Callable[[Op, tuple[int, ...], int], None], nets: int, begin: int
) -> int:
    """How many ops with random arguments were checked, `nets` at each rank from the seed `begin`.

    `check` is given the op, the shape of its input and the number of the check.
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
            check(make(OPS[name], **values), shape, checked)
            checked += 1

    any_arguments()
    return checked
