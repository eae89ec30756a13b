"""The syntax tree: one frozen dataclass for each form, documented by a line it stands for.

Every node keeps its `span`, so that a message about it is one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TypeAlias

from grammar.records import dataclass
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
class NameGroup(Syntax):
    """`(c, stride)`: among the names of a `for` or `let`, it takes an item apart"""

    parts: tuple[Target, ...]


@dataclass(frozen=True)
class Clause(Syntax):
    """`for i, c in enumerate(widths) if c > 8`, inside a list"""

    names: tuple[Target, ...]
    values: Expression
    condition: Expression | None


@dataclass(frozen=True)
class Comprehension(Syntax):
    """`[2 * c for c in widths if c > 8]`"""

    item: Expression
    clauses: tuple[Clause, ...]


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
class Slice(Syntax):
    """`depths[1:]`"""

    value: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


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


@dataclass(frozen=True)
class Given(Syntax):
    """A value in place of the expression, now elsewhere, that it was evaluated from"""

    value: object


Expression: TypeAlias = (
    Number
    | Truth
    | SizeLiteral
    | Text
    | Name
    | ListDisplay
    | Comprehension
    | TupleDisplay
    | Unary
    | Binary
    | Logical
    | Comparison
    | Conditional
    | Index
    | Slice
    | Attribute
    | CallExpression
    | Given
)

Target: TypeAlias = Name | NameGroup


def names_in(targets: Iterable[Target]) -> Iterator[Name]:
    """The names that `i, (c, stride)` binds, in the order of the text."""
    for target in targets:
        if isinstance(target, Name):
            yield target
        else:
            yield from names_in(target.parts)


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

    `arguments` is None when the stage has no parentheses, `body` when it has no braces. `source`
    is the tensor that a chain begins at when that is no mere name: `"p{l}"`, `taps[i]`, `t.low`.
    """

    callee: Name | None
    arguments: tuple[Argument, ...] | None
    body: Body | None
    label: Text | None
    like: Text | None
    shape: ShapePattern | None
    source: Expression | None = None

    @property
    def call(self) -> Span:
        """Where its `callee`, which it must have, and its arguments stand: `conv(64, 3x3)`."""
        assert self.callee is not None
        source, end = self.span.source, self.callee.span.end
        if self.arguments is not None:
            last = self.arguments[-1].span.end if self.arguments else end
            end = source.text.index(")", last) + 1
        return Span(source, self.callee.span.start, end)


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
    """`side = gap -> flatten`, `low, high = trunk()`"""

    names: tuple[Name, ...]
    chain: Chain


@dataclass(frozen=True)
class InputDeclaration(Syntax):
    """`input image as "input.1": f32[3, 224, 224] from picture(crop=224)`

    `outside` is the name in the compiled model, None where that is `name`.
    """

    name: Name
    outside: Text | None
    dtype: Name
    shape: ShapePattern
    origin: CallExpression | None


@dataclass(frozen=True)
class ClassNames(Syntax):
    """`labels "imagenet.txt" if classes == 1000`"""

    path: Text
    condition: Expression | None


@dataclass(frozen=True)
class OutputDeclaration(Syntax):
    """`output probs as "386" labels "names.txt" = softmax`, `output features : [64, 56, 56]`

    `outside` is the name in the compiled model, None where that is `name`, which is a string when
    it interpolates: `output "logits{l}"`.
    """

    name: Name | Text
    outside: Text | None
    labels: ClassNames | None
    chain: Chain | None
    shape: ShapePattern | None


@dataclass(frozen=True)
class Let(Syntax):
    """`let width = 64`, `let tokens, c = in.shape`"""

    names: tuple[Target, ...]
    value: Expression


@dataclass(frozen=True)
class Function(Syntax):
    """`let divisible(v, d=8) = max(d, floor(v / d) * d)`"""

    name: Name
    parameters: tuple[Parameter, ...]
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
    """`for s, depth in enumerate(depths) { … } : [512, 7, 7]`"""

    names: tuple[Target, ...]
    values: Expression
    body: Body
    shape: ShapePattern | None


@dataclass(frozen=True)
class Repeat(Syntax):
    """`repeat 2 { … } : [64, 56, 56]`"""

    count: Expression
    body: Body
    shape: ShapePattern | None


@dataclass(frozen=True)
class If(Syntax):
    """`if aux { … } else { … } : [64, 56, 56]`"""

    condition: Expression
    then: Body
    otherwise: Body | None
    shape: ShapePattern | None


@dataclass(frozen=True)
class Broken(Syntax):
    """`conv(64 3x3)`: a statement or item whose mistake has been reported

    `keyword` is the first word, or `=` for a side chain; `names` are the words in it, any of
    which it may have meant to define.
    """

    keyword: str
    names: frozenset[str]

    @property
    def flows(self) -> bool:
        """Whether what flows after it is unknown; else it left the flow where it was."""
        return self.keyword not in ("let", "assert", "expect", "input", "output", "use", "=")


# ── training ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Declared(Syntax):
    """`image: f32[1, 28, 28]` or `label: class[10]`, a part of a sample"""

    name: Name
    kind: Name
    shape: ShapePattern
    origin: CallExpression | None


@dataclass(frozen=True)
class DataDeclaration(Syntax):
    """`data image: f32[1, 28, 28], label: class[10]`"""

    parts: tuple[Declared, ...]


@dataclass(frozen=True)
class NoiseDeclaration(Syntax):
    """`noise z: f32[100] normal`"""

    name: Name
    kind: Name
    shape: ShapePattern
    distribution: Name


@dataclass(frozen=True)
class Augment(Syntax):
    """`augment image: crop(32, pad=4) -> flip`"""

    names: tuple[Name, ...]
    stages: tuple[Expression, ...]


@dataclass(frozen=True)
class Assign(Syntax):
    """`scores = lenet5(image)` or `scores = image -> lenet5`"""

    name: Name
    stages: tuple[Expression, ...]


@dataclass(frozen=True)
class Objective(Syntax):
    """`minimize cross_entropy(scores.logits, label)`, `maximize log(D(x))`"""

    maximize: bool
    value: Expression


@dataclass(frozen=True)
class Reported(Syntax):
    """`accuracy(scores.logits, label) as top1`, one item of a `report`"""

    value: Expression
    label: Text | None


@dataclass(frozen=True)
class Report(Syntax):
    """`report accuracy(scores.logits, label)`"""

    items: tuple[Reported, ...]


@dataclass(frozen=True)
class Update(Syntax):
    """`update lenet5 only "fc.*" with adam(1e-3)`: the patterns are those of `only`"""

    nets: tuple[Name, ...]
    only: tuple[Text, ...]
    optimiser: Expression


@dataclass(frozen=True)
class Setting(Syntax):
    """`batch 64`, `epochs 12`, `accumulate 4`"""

    keyword: str
    value: Expression


@dataclass(frozen=True)
class Step(Syntax):
    """`step { minimize loss }`: one objective of several, taken in turn"""

    body: Body


@dataclass(frozen=True)
class Show(Syntax):
    """`show G(z) grid 8x8 as samples`"""

    value: Expression
    grid: SizeLiteral
    label: Text


Learning: TypeAlias = (
    DataDeclaration
    | NoiseDeclaration
    | Augment
    | Assign
    | Objective
    | Report
    | Update
    | Setting
    | Step
    | Show
)

Statement: TypeAlias = (
    Flow
    | Bind
    | InputDeclaration
    | OutputDeclaration
    | Let
    | Function
    | Assert
    | Expect
    | For
    | Repeat
    | If
    | Learning
    | Broken
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
    """`block unit(c, kernel, stride=1) { … }`, `net lenet5(classes=10) { … }`: `kind` is the word

    A training, `train digits(n=12) { … }`, is one too.
    """

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


Item: TypeAlias = Use | Let | Function | Definition | Broken


@dataclass(frozen=True)
class File:
    """A whole definition file."""

    source: Source
    items: tuple[Item, ...]
