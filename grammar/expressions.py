"""The expressions of the syntax tree: one frozen dataclass for each form, documented by a line it
stands for. `grammar.syntax` has them too, with the rest of the tree.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class Syntax:
    """The base: where it stands in the text."""

    span: Span = field(repr=False, compare=False)


@dataclass(frozen=True)
class Number(Syntax):
    """`61_706`, `0.75`, `5e5`"""

    value: int | float


@dataclass(frozen=True)
class Truth(Syntax):
    """`true`"""

    value: bool


@dataclass(frozen=True)
class SizeLiteral(Syntax):
    """`3x3`"""

    extents: tuple[int, ...]


@dataclass(frozen=True)
class Text(Syntax):
    """`"layer{s + 1}.{i}"`: literal pieces and the expressions between braces, in order"""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True)
class Name(Syntax):
    """`classes`"""

    id: str


@dataclass(frozen=True)
class ListDisplay(Syntax):
    """`[3, 4, 6, 3]`"""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class TupleDisplay(Syntax):
    """`(1, 2)`"""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Unary(Syntax):
    """`-x`, `not x`"""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Syntax):
    """`64 * 2 ** s`"""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Logical(Syntax):
    """`a and b`"""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Comparison(Syntax):
    """`0 < s <= 3`: each operator stands between two neighbouring operands"""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Conditional(Syntax):
    """`2 if s > 0 else 1`"""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Index(Syntax):
    """`depths[0]`"""

    value: Expression
    index: Expression


@dataclass(frozen=True)
class Attribute(Syntax):
    """`in.c`"""

    value: Expression
    name: str


@dataclass(frozen=True)
class Argument(Syntax):
    """`stride=2`, or `3x3` with no keyword"""

    keyword: str | None
    value: Expression


@dataclass(frozen=True)
class CallExpression(Syntax):
    """`enumerate(depths)`"""

    function: Expression
    arguments: tuple[Argument, ...]


Expression: TypeAlias = (
    Number
    | Truth
    | SizeLiteral
    | Text
    | Name
    | ListDisplay
    | TupleDisplay
    | Unary
    | Binary
    | Logical
    | Comparison
    | Conditional
    | Index
    | Attribute
    | CallExpression
)
