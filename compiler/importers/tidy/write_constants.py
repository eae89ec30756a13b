"""Factors and offsets that belong to no layer before them, as a reader would write them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Node
from compiler.importers.affine import single
from compiler.importers.tidy.merge_constants import constants_ending_in, merge_row, numbers
from compiler.ops.base import Op
from compiler.ops.convolution import Conv
from compiler.ops.joins import Add, Mul
from compiler.ops.reshape import Flatten
from compiler.ops.scale import Normalize, Scale, Shift
from compiler.ops.tensors import Const, Param
from compiler.rewriting import Rewriting

FEW = 4  # channels whose numbers stand in the text


def write_constants(rewriting: Rewriting) -> None:
    """A factor and offset for each channel are `scale`, `shift`, `normalize`, or tensors joined.

    On a map, those that the source calls by a name of their own stay the convolution of each
    channel by itself that holds them.
    """
    for node in rewriting.each():
        merge_row(rewriting, node, named=False)
    for ending in (Flatten, Conv):  # of a vector the reshaping around it goes too
        for node in rewriting.each():
            if isinstance(node.op, ending):
                write_chain(rewriting, constants_ending_in(rewriting, node))


def write_chain(rewriting: Rewriting, chain: list[Node]) -> None:
    """One chain of constants; an empty one is none."""
    if not chain:
        return
    constant = next(each for each in chain if isinstance(each.op, Conv))
    factor, offset = numbers(rewriting, constant)
    if chain[-1].shape[0] != factor.size:  # a map that becomes a vector behind them
        return
    alike = all(np.all(values == values[0]) for values in (factor, offset))
    kept = constant.name in rewriting.kept
    if (kept and len(chain) == 1) or not np.all(np.isfinite([factor, offset])):
        return
    first, last = chain[0], chain[-1]
    source = rewriting.nodes[first.inputs[0]]
    if len(source.shape) != len(last.shape):  # a map that becomes the vector here
        flat = replace(
            first, name=fresh(rewriting, f"{first.name}.flat"), op=Flatten(), shape=last.shape
        )
        rewriting.insert(flat, first.name)
        rewriting.put(replace(first, inputs=(flat.name,)))
        chain = [rewriting.nodes[node.name] for node in chain]
    if alike or (factor.size <= FEW and not kept):
        ops = in_text(factor[:1], offset[:1]) if alike else in_text(factor, offset)
        in_a_row(rewriting, chain, constant, ops)
    else:
        as_tensors(rewriting, chain, constant, factor, offset)


def in_text(factor: NDArray[Any], offset: NDArray[Any]) -> list[Op]:
    """The layers whose arguments these numbers are; `identity` becomes none."""
    if np.any(offset) and np.any(factor != 1) and np.all(factor > 0):
        return [Normalize(mean=spelled(-offset / factor), std=spelled(1 / factor))]
    ops: list[Op] = [Scale(factor=spelled(factor))] if np.any(factor != 1) else []
    return [*ops, *([Shift(offset=spelled(offset))] if np.any(offset) else [])]


def spelled(values: NDArray[Any]) -> float | tuple[float, ...]:
    """Numbers as an argument gives them."""
    numbers = tuple(single(float(value)) for value in values)
    return numbers[0] if len(numbers) == 1 else numbers


def in_a_row(rewriting: Rewriting, chain: list[Node], constant: Node, ops: list[Op]) -> None:
    """The layers in the place of a chain of constants; none where there are none."""
    first, last = chain[0], chain[-1]
    (source,) = first.inputs
    rewriting.kept.discard(constant.name)
    if not ops:
        rewriting.put(replace(last, inputs=(source,)))
        rewriting.drop(last.name, source)
    for op in ops[:-1]:
        name = fresh(rewriting, f"{last.name}.factor")
        made = replace(last, name=name, op=op, inputs=(source,), owner="")
        rewriting.insert(made, last.name)
        source = name
    for op in ops[-1:]:
        rewriting.put(replace(last, op=op, inputs=(source,), owner=""))
    leave(rewriting, chain[:-1])


def as_tensors(
    rewriting: Rewriting,
    chain: list[Node],
    constant: Node,
    factor: NDArray[Any],
    offset: NDArray[Any],
) -> None:
    """The products and sums with tensors in the place of a chain of constants."""
    last = chain[-1]
    (source,) = chain[0].inputs
    kept = constant.name in rewriting.kept
    shape = (factor.size, *(1,) * (len(last.shape) - 1))
    arrays = {}
    joins: list[tuple[Op, NDArray[Any], str]] = []
    if np.any(factor != 1):
        joins.append((Mul(), factor, "weight"))
    if np.any(offset):
        joins.append((Add(), offset, "bias"))
    for place, (join, values, word) in enumerate(joins):
        held = fresh(rewriting, f"{constant.name}.{word}")
        op = Param(shape=shape) if kept else Const(shape=shape)
        rewriting.insert(Node(held, op, (), shape, last.span), last.name)
        arrays[held] = values.astype(np.float32).reshape(shape)
        rewriting.kept.add(held)
        name = last.name if place == len(joins) - 1 else fresh(rewriting, f"{last.name}.product")
        made = replace(last, name=name, op=join, inputs=(source, held), owner="")
        if name == last.name:
            rewriting.put(made)
        else:
            rewriting.insert(made, last.name)
        source = name
    leave(rewriting, chain[:-1])
    rewriting.values.update(arrays)  # some may be called as what has gone


def leave(rewriting: Rewriting, nodes: list[Node]) -> None:
    """Take out layers that nothing takes any more, the last of them first."""
    for node in reversed(nodes):
        rewriting.remove(node.name)


def fresh(rewriting: Rewriting, wanted: str) -> str:
    """A name that no layer has."""
    count, name = 2, wanted
    while name in rewriting.nodes:
        name, count = f"{wanted}_{count}", count + 1
    return name
