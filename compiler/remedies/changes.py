"""Changes of a definition: one argument of one stage or of several, or the size of one input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import cached_property
from itertools import product
from typing import Any

from compiler.bind import argument_of, names_of
from compiler.graph import Input, Node
from compiler.ops import OPS
from compiler.ops.arguments import Extent, show, uniform
from compiler.ops.base import Op, Shape
from compiler.symbols.names import children
from grammar import syntax as s
from grammar.diagnostics import CallStep
from grammar.records import dataclass
from grammar.source import Span

REACH = {"pad": 12, "kernel": 11, "stride": 5, "dilation": 4, "output_pad": 3}
LEAST = {"pad": 0, "kernel": 1, "stride": 1, "dilation": 1, "output_pad": 0}
# The arguments that are tried, in three rounds: what leaves the weights alone comes first, what
# nobody means last.
ROUNDS = (
    ("ceil", "pad", "output_pad", "stride"),
    ("kernel", "channels", "units", "bias"),
    ("dilation",),
)
LITERALS = (s.Number, s.SizeLiteral, s.Truth, s.Text)
UNLIKE = 1  # the largest output_pad that is tried along some axes only
USUAL_SIZES = (28, 32, 64, 96, 112, 128, 224, 227, 256, 299, 384, 512)


@dataclass(frozen=True)
class BlockCall:
    """A block call: its stage, and what the block calls its parameters."""

    stage: s.Stage
    definition: s.Definition

    @property
    def parameters(self) -> list[str]:
        """The block's parameters in order."""
        return [parameter.name.id for parameter in self.definition.parameters]


@dataclass(frozen=True)
class Change:
    """`argument` of the layers `nodes` set to `value`.

    `passed` is the block call, and its parameter, that hands these layers the argument.

    For an input `argument` is "input", `value` its new size along every axis, `before` the old; or
    both are whole shapes.
    """

    nodes: tuple[Node, ...]
    argument: str
    value: Any
    before: Any = None
    passed: tuple[BlockCall, str] | None = None

    def __str__(self) -> str:
        if self.argument == "input":
            return f"input {self.value} instead of {self.before}"
        if self.passed is not None:
            call, parameter = self.passed
            place = where({self.place}, call.definition.name.id)
            return f"{parameter}={show(self.value)} in {place}"
        names = {node.op.name for node in self.nodes}
        word = names.pop() if len(names) == 1 else "layer"
        return f"{self.argument}={show(self.value)} in {where({n.span for n in self.nodes}, word)}"

    @property
    def place(self) -> Span:
        """The first stage of the text that it changes."""
        return self.nodes[0].span if self.passed is None else self.passed[0].stage.span

    @cached_property
    def names(self) -> frozenset[str]:
        """The layers that it changes, by name."""
        return frozenset(node.name for node in self.nodes)

    def op(self, node: Node) -> Op:
        """The op of a layer after the change."""
        if node.name not in self.names or self.argument == "input":
            return node.op
        return replace(node.op, **{self.argument: self.value})

    def changed(self, op: Op, span: Span, call_stack: Sequence[CallStep]) -> Op:
        """The op of a stage, in a call of its block, in a net that is unrolled with the change."""
        if self.argument == "input" or all(node.span != span for node in self.nodes):
            return op
        if self.passed is not None and all(step.span != self.place for step in call_stack):
            return op
        return replace(op, **{self.argument: self.value})

    @property
    def inputs(self) -> dict[str, Shape]:
        """The changed input, if it changes one."""
        if self.argument != "input":
            return {}
        if isinstance(self.value, tuple):
            return {node.name: self.value for node in self.nodes}
        return {n.name: (n.shape[0], *(self.value for _ in n.shape[1:])) for n in self.nodes}


def where(spans: set[Span], word: str) -> str:
    """Stages in words: `conv at line 3`, `2 convs at lines 3 and 5`.

    With the column when more of that name stand on the line.
    """
    lines = sorted({span.line for span in spans})
    if len(spans) > 1:
        *most, last = map(str, lines)
        at = f"lines {', '.join(most)} and {last}" if most else f"line {last}"
        return f"{len(spans)} {word}s at {at}"
    (span,) = spans
    alike = re.findall(rf"\b{re.escape(word)}\b", span.source.line(span.line))
    return f"{word} at line {span.line}" + (f", column {span.column}" if len(alike) > 1 else "")


def variants(
    node: Node, wanted: Shape | None, names: Sequence[str]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Those of the named arguments that a layer has, each with the values worth trying.

    They are small, and the nearest to the present one comes first; then, of `output_pad`, those
    that differ along the axes.
    """
    op = node.op
    has = {parameter.name for parameter in fields(op)}
    for name in names:
        if name not in has:
            continue
        now = getattr(op, name)
        if isinstance(now, bool):
            yield name, (not now,)
        elif name in ("channels", "units"):
            if wanted and isinstance(wanted[0], int) and wanted[0] != now:
                yield name, (wanted[0],)
        else:
            same = uniform(now)
            middle = LEAST[name] if same is None or same > 63 else same
            values = [v for v in range(LEAST[name], REACH[name] + 1) if v != same]
            if name == "pad":  # beyond this a window sees padding only
                values = [v for v in values if v < extent(op)]
            if name == "stride":
                near = (1, 2, middle - 1, middle + 1, 2 * middle, middle / 2)
                values = [v for v in values if v in near]
            near_first: list[Any] = sorted(values, key=lambda v: (abs(v - middle), v))
            if name == "output_pad":
                pads = product(range(UNLIKE + 1), repeat=len(node.shape) - 1)
                near_first += [Extent(pad) for pad in pads if len({*pad}) > 1 and pad != now]
            yield name, near_first


def resized(node: Node) -> Iterator[Change]:
    """An input up to a quarter larger or smaller, the nearest sizes first."""
    old = size_of(node)
    if old is not None:
        steps = range(1, max(8, old // 4) + 1)
        sizes = (new for step in steps for new in (old + step, old - step))
        yield from (Change((node,), "input", new, old) for new in sizes if new >= 1)


def of_usual_size(node: Node) -> Iterator[Change]:
    """An input at the sizes that networks are made for."""
    old = size_of(node)
    if old is not None:
        yield from (Change((node,), "input", new, old) for new in USUAL_SIZES)


def size_of(node: Node) -> int | None:
    """The size of an input along every spatial axis; None when they differ or are symbolic."""
    sizes = set(node.shape[1:])
    if not isinstance(node.op, Input) or len(sizes) != 1:
        return None
    size = sizes.pop()
    return size if isinstance(size, int) else None


def keeping_size(node: Node) -> int | None:
    """The padding with which an unpadded layer of stride 1 would keep the size of its input."""
    names = {parameter.name for parameter in fields(node.op)}
    if not {"kernel", "stride", "pad", "dilation"} <= names or "output_pad" in names:
        return None
    kernel, stride, pad, dilation = (
        getattr(node.op, name) for name in ("kernel", "stride", "pad", "dilation")
    )
    kernel, stride, dilation = map(uniform, (kernel, stride, dilation))
    if not kernel or not dilation or kernel % 2 == 0 or kernel == 1 or stride != 1 or pad != 0:
        return None
    return dilation * (kernel - 1) // 2


def extent(op: Op) -> int:
    """The largest dilated kernel of a window along an axis; of other layers what has no limit."""
    kernel, dilation = getattr(op, "kernel", None), uniform(getattr(op, "dilation", 1))
    if kernel is None or dilation is None:
        return REACH["pad"] + 1
    largest = max(kernel) if isinstance(kernel, tuple) else int(kernel)
    return dilation * (largest - 1) + 1


def is_literal(argument: s.Argument) -> bool:
    """Whether an argument is written as a value, not worked out."""
    return isinstance(argument.value, LITERALS)


def is_fixed_in_text(stage: s.Stage | None, argument: str, op: Op) -> bool:
    """Whether an argument is a literal or left out, so that every call of its block shares it."""
    if stage is None:
        return False
    given = argument_of(stage, argument, names_of(op))
    return given is None or is_literal(given)


def parameter_of(
    stage: s.Stage | None, argument: str, op: Op, call: BlockCall | None
) -> str | None:
    """The parameter of the block around it that a stage hands to an argument of its op."""
    given = argument_of(stage, argument, names_of(op)) if stage is not None else None
    if call is None or given is None or not isinstance(given.value, s.Name):
        return None
    return given.value.id if given.value.id in call.parameters else None


def is_only_handed_on(call: BlockCall, parameter: str, argument: str) -> bool:
    """Whether a block does nothing with a parameter but give it to one argument of its ops.

    Then changing it in the call changes nothing else.
    """
    named = handed = 0
    nodes: list[s.Syntax] = [call.definition.body]
    for node in nodes:
        nodes += children(node)
        named += isinstance(node, s.Name) and node.id == parameter
        if isinstance(node, s.Stage) and node.callee is not None and node.callee.id in OPS:
            names = [each.name for each in fields(OPS[node.callee.id])]
            given = argument_of(node, argument, names)
            value = None if given is None else given.value
            handed += isinstance(value, s.Name) and value.id == parameter
    return named == handed
