"""The syntax tree: one frozen dataclass for each form, documented by a line it stands for.

Every node keeps its `span`, so that a message about it is one call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from grammar.source import Source, Span


@dataclass(frozen=True)
class Syntax:
    """The base: where it stands in the text."""

    span: Span = field(repr=False, compare=False)


# ── expressions ──────────────────────────────────────────────────────────────────────────────


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


# ── flow ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Wildcard(Syntax):
    """`_`, any one size, or `...`, any run of sizes"""

    run: bool


@dataclass(frozen=True)
class ShapePattern(Syntax):
    """`[64, _, 56]` after a colon"""

    sizes: tuple[Expression | Wildcard, ...]


@dataclass(frozen=True)
class Stage(Syntax):
    """`conv(64, 3x3) as stem : [64, 56, 56]`, `concat { … }`, `{ … }` (no `callee`)

    `arguments` is None when the stage has no parentheses, `body` when it has no braces.
    """

    callee: Name | None
    arguments: tuple[Argument, ...] | None
    body: Body | None
    label: Text | None
    like: Text | None
    shape: ShapePattern | None


@dataclass(frozen=True)
class Chain(Syntax):
    """`conv(6, 5x5) -> tanh -> avgpool(2x2)`"""

    stages: tuple[Stage, ...]


# ── statements ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Flow(Syntax):
    """`conv(6, 5x5) -> tanh` on a line of its own"""

    chain: Chain


@dataclass(frozen=True)
class Bind(Syntax):
    """`side = gap -> flatten`"""

    name: Name
    chain: Chain


@dataclass(frozen=True)
class InputDeclaration(Syntax):
    """`input image: f32[3, 224, 224] from picture(crop=224)`"""

    name: Name
    dtype: Name
    shape: ShapePattern
    origin: CallExpression | None


@dataclass(frozen=True)
class OutputDeclaration(Syntax):
    """`output probs labels "names.txt" = softmax`, `output features : [64, 56, 56]`"""

    name: Name
    labels: Text | None
    chain: Chain | None
    shape: ShapePattern | None


@dataclass(frozen=True)
class Let(Syntax):
    """`let width = 64`"""

    name: Name
    value: Expression


@dataclass(frozen=True)
class Assert(Syntax):
    """`assert H % 32 == 0, "five halvings"`"""

    condition: Expression
    message: Expression | None


@dataclass(frozen=True)
class Expect(Syntax):
    """`expect params == 61_706, macs < 5e5`"""

    conditions: tuple[Expression, ...]


@dataclass(frozen=True)
class For(Syntax):
    """`for s, depth in enumerate(depths) { … }`"""

    names: tuple[Name, ...]
    values: Expression
    body: Body


@dataclass(frozen=True)
class Repeat(Syntax):
    """`repeat 2 { … }`"""

    count: Expression
    body: Body


@dataclass(frozen=True)
class If(Syntax):
    """`if aux { … } else { … }`"""

    condition: Expression
    then: Body
    otherwise: Body | None


Statement: TypeAlias = (
    Flow | Bind | InputDeclaration | OutputDeclaration | Let | Assert | Expect | For | Repeat | If
)


@dataclass(frozen=True)
class Body(Syntax):
    """`{ … }`"""

    statements: tuple[Statement, ...]


# ── files ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Parameter(Syntax):
    """`stride=1`"""

    name: Name
    default: Expression | None


@dataclass(frozen=True)
class Definition(Syntax):
    """`block unit(c, kernel, stride=1) { … }`, `net lenet5(classes=10) { … }`"""

    kind: str
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    doc: str


@dataclass(frozen=True)
class Use(Syntax):
    """`use inception, unit from "blocks.netdef"`"""

    names: tuple[Name, ...]
    path: Text


Item: TypeAlias = Use | Let | Definition


@dataclass(frozen=True)
class File:
    """A whole definition file."""

    source: Source
    items: tuple[Item, ...]

    def definitions(self, kind: str) -> tuple[Definition, ...]:
        """The blocks (`kind` "block") or networks ("net"), in order."""
        return tuple(i for i in self.items if isinstance(i, Definition) and i.kind == kind)
