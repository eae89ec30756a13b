"""What a block works out by a `let`, as arithmetic in the constructor of its class.

`let middle = in.c * c // 3` becomes `middle = in_channels * c // 3` where the layers are as wide
as that, so that no call needs to be told.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

from compiler.torch.statements import identifier

CHANNELS = "in_channels"  # what a class calls `in.c`
FLOWING = re.compile(r"\bin\.c\b")
LARGEST = 2**40  # number that is looked at
OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def translated(formula: str) -> ast.expr | None:
    """A formula of whole numbers and names as Python has it; None for one of anything else."""
    try:
        tree = ast.parse(FLOWING.sub(CHANNELS, " ".join(formula.split())), mode="eval").body
    except SyntaxError:
        return None
    return tree if is_arithmetic(tree) else None


def is_arithmetic(node: ast.expr) -> bool:
    """Whether an expression has nothing but sums, products and quotients of names and numbers."""
    match node:
        case ast.Constant(value=value):
            return type(value) is int
        case ast.Name(id=name):
            return identifier(name) == name
        case ast.BinOp(left=left, op=op, right=right):
            return type(op) in OPERATORS and is_arithmetic(left) and is_arithmetic(right)
    return False


def names_in(node: ast.expr) -> list[str]:
    """The names in an expression, each once."""
    return [*dict.fromkeys(each.id for each in ast.walk(node) if isinstance(each, ast.Name))]


def value_of(node: ast.expr, values: Mapping[str, int]) -> int | None:
    """The value of such an expression; None where it has none."""
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.Name(id=name):
            return values.get(name)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = value_of(left, values), value_of(right, values)
            if a is None or b is None or max(abs(a), abs(b)) > LARGEST:
                return None
            return None if isinstance(op, ast.FloorDiv) and not b else OPERATORS[type(op)](a, b)
    return None


def with_values(node: ast.expr, values: Mapping[str, int]) -> str:
    """An expression as text, with numbers in the places of some names."""

    class Filled(ast.NodeTransformer):
        def visit_Name(self, found: ast.Name) -> ast.expr:
            return ast.Constant(values[found.id]) if found.id in values else found

    return ast.unparse(Filled().visit(node))
