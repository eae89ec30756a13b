"""Products with a matrix along an axis that a format moves behind for them."""

from __future__ import annotations

from dataclasses import replace

from compiler.dims import Dim
from compiler.ops.arguments import Extent
from compiler.ops.connect import Dense
from compiler.ops.convolution import Conv
from compiler.ops.reshape import Transpose
from compiler.rewriting import Rewriting


def turn_products(rewriting: Rewriting) -> None:
    """A dense layer between two transposes goes along the axis that they move.

    Along the channels it is a 1x1 convolution, unless it has a name, with numbers in its own shape.
    A transpose of the other axes remains behind it.
    """
    for first, middle, last in rewriting.chains(Transpose, Dense, Transpose):
        if any(map(rewriting.shares, (first, middle, last))):
            continue
        assert isinstance(first.op, Transpose) and isinstance(last.op, Transpose)
        assert isinstance(middle.op, Dense)
        axis = first.op.order[middle.op.along(first.shape)]
        order = tuple(first.op.order[place] for place in last.op.order)
        weight = rewriting.weight(middle, "weight")
        (given,) = rewriting.shapes(first)
        if weight is None or isinstance(given[axis], Dim):  # whose size an assertion only says
            continue
        if axis == 0 and middle.name not in rewriting.kept:
            pixel = (1,) * (len(first.shape) - 1)
            rewriting.values[f"{middle.name}.weight"] = weight.reshape(*weight.shape, *pixel)
            kernel = 1 if len(pixel) == 1 else Extent(pixel)
            op = Conv(middle.op.units, kernel, bias=middle.op.bias, init=middle.op.init)
            rewriting.become(middle, op, first)
        else:
            rewriting.become(middle, replace(middle.op, axis=axis), first)
        rewriting.remove(first.name)
        if order == tuple(range(len(order))):
            rewriting.drop(last.name, middle.name)
        else:
            rewriting.become(last, Transpose(order), last)
