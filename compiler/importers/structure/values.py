"""Plain values and expressions as a definition writes them."""

from __future__ import annotations

from typing import Any

from compiler.importers.structure.tree import Expression
from compiler.ops.arguments import Extent


def show(value: Any) -> str:
    """A value as source text: `3x3`, `1e-5`, `[(0, 1), (0, 1)]`, `true`, `4 * c`."""
    match value:
        case Expression():
            return str(value)
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Extent():
            return str(value)
        case list():
            return "[" + ", ".join(map(show, value)) + "]"
        case tuple():
            return "[" + ", ".join(map(show_inner, value)) + "]"
        case float():
            return show_float(value)
        case _:
            return str(value)


def show_inner(value: Any) -> str:
    """An item of a list; pairs of pads are tuples."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value):
        return f"({value[0]}, {value[1]})"
    return show(value)


def show_float(value: float) -> str:
    """The shortest decimal: `0.75`, `1e-5`, and `2` for a whole number."""
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    return mantissa + e + str(int(exponent)) if e else mantissa
