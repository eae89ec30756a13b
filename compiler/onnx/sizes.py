"""Sizes that only the running model knows, worked out of the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from compiler.dims import Atom, Dim, Size, symbol
from compiler.graph import Input
from compiler.onnx.emitter import Emitter

FAR = 2**31  # ONNX rounds a quotient to 0: the numerator is moved by so many divisors above it


def emit_sizes(emit: Emitter, sizes: Sequence[Size]) -> str:
    """Sizes as a list of whole numbers."""
    if all(isinstance(size, int) for size in sizes):
        return emit.ints([size for size in sizes if isinstance(size, int)])
    parts = [emit_size(emit, size) for size in sizes]
    return emit.node("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]


def emit_size(emit: Emitter, size: Size) -> str:
    """A size as a list of one whole number."""
    if isinstance(size, int):
        return emit.ints([size])
    terms = []
    for monomial, coefficient in size.terms:
        factors = [emit_atom(emit, atom) for atom in monomial]
        if coefficient != 1 or not factors:
            factors.append(emit.ints([coefficient]))
        terms.append(reduce(lambda a, b: emit.node("Mul", a, b), factors))
    return reduce(lambda a, b: emit.node("Add", a, b), terms)


def emit_atom(emit: Emitter, atom: Atom) -> str:
    """A symbol, read off the input that has it, or a quotient rounded down."""
    if not isinstance(atom, str):
        above = emit.ints([FAR * atom.divisor])
        moved = emit.node("Add", emit_size(emit, atom.numerator), above)
        quotient = emit.node("Div", moved, emit.ints([atom.divisor]))
        return emit.node("Sub", quotient, emit.ints([FAR]))
    for node in emit.graph.nodes():
        for axis, size in enumerate(node.shape if isinstance(node.op, Input) else ()):
            if size == symbol(atom):
                shape = emit.node("Shape", emit.fed(node.name))
                return emit.node("Gather", shape, emit.ints([axis + 1]))
    raise AssertionError(f"no input has the size {atom}")


def is_known(sizes: Sequence[Size]) -> bool:
    """Whether all sizes are numbers."""
    return not any(isinstance(size, Dim) for size in sizes)
