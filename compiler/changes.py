"""Single changes of a definition: one argument of one stage, or the size of one input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from compiler.graph import Input, Node
from compiler.ops.arguments import Extent, show
from compiler.ops.base import Op, Shape
from grammar import syntax as s
from grammar.diagnostics import Fix
from grammar.source import Span

REACH = {"pad": 12, "kernel": 11, "stride": 5, "dilation": 4, "output_pad": 3}
LEAST = {"pad": 0, "kernel": 1, "stride": 1, "dilation": 1, "output_pad": 0}
KEEPS_WEIGHTS = ("ceil", "pad", "output_pad", "stride", "dilation")
CHANGES_WEIGHTS = ("kernel", "channels", "units", "bias")


@dataclass(frozen=True)
class Change:
    """`argument` of the layers `nodes`, all made by one stage of the text, set to `value`.

    For an input `argument` is "input", `value` its new size along every axis, `before` the old.
    """

    nodes: tuple[Node, ...]
    argument: str
    value: Any
    before: Any = None

    def __str__(self) -> str:
        node = self.nodes[0]
        if self.argument == "input":
            return f"input {self.value} instead of {self.before}"
        return f"{self.argument}={show(self.value)} in {node.op.name} at line {node.span.line}"

    def op(self, node: Node) -> Op:
        """The op of one of the changed layers."""
        return replace(node.op, **{self.argument: self.value})


def variants(op: Op, wanted: Shape | None, *, weights: bool) -> Iterator[tuple[str, Any]]:
    """The arguments worth trying, each with small values, nearest to the present one first.

    With `weights` those that change the layer's parameters, else the others.
    """
    names = {parameter.name for parameter in fields(op)}
    for name in CHANGES_WEIGHTS if weights else KEEPS_WEIGHTS:
        if name not in names:
            continue
        now = getattr(op, name)
        if isinstance(now, bool):
            yield name, not now
        elif name in ("channels", "units"):
            if wanted and isinstance(wanted[0], int) and wanted[0] != now:
                yield name, wanted[0]
        else:
            uniform = set(now) if isinstance(now, Extent) else {now}
            middle = next(iter(uniform)) if uniform <= set(range(64)) else LEAST[name]
            values = [v for v in range(LEAST[name], REACH[name] + 1) if {v} != uniform]
            yield from ((name, v) for v in sorted(values, key=lambda v: (abs(v - middle), v)))


def resized(node: Node) -> Iterator[tuple[int, int, Shape]]:
    """Shapes of an input that is up to a quarter larger or smaller: (new, old, shape)."""
    spatial = node.shape[1:]
    if not isinstance(node.op, Input) or not spatial or len(set(spatial)) != 1:
        return
    old = spatial[0]
    if not isinstance(old, int):
        return
    for step in range(1, max(8, old // 4) + 1):
        for new in (old + step, old - step):
            if new >= 1:
                yield new, old, (node.shape[0], *(new for _ in spatial))


def argument_of(stage: s.Stage, name: str, op: Op) -> s.Argument | None:
    """The argument of a stage that gives the op's parameter `name`, if it is written out."""
    names = [parameter.name for parameter in fields(op)]
    if op.most_inputs != 1:  # its positions are tensors
        names = []
    for position, argument in enumerate(stage.arguments or ()):
        if (argument.keyword or (names[position : position + 1] or [""])[0]) == name:
            return argument
    return None


def is_literal(argument: s.Argument) -> bool:
    """Whether an argument is written as a value, not worked out."""
    return isinstance(argument.value, s.Number | s.SizeLiteral | s.Truth | s.Text)


def is_fixed_in_text(stage: s.Stage | None, argument: str, op: Op) -> bool:
    """Whether an argument is a literal or left out, so that every call of its block shares it."""
    if stage is None:
        return False
    given = argument_of(stage, argument, op)
    return given is None or is_literal(given)


def fix_of(change: Change, stage: s.Stage | None) -> Fix | None:
    """The edit of the text that makes the change, where the argument is a literal or left out."""
    if stage is None or change.argument == "input" or stage.callee is None:
        return None
    text = show(change.value)
    title = f"{change.argument}={text}"
    given = argument_of(stage, change.argument, change.nodes[0].op)
    if given is not None:
        return Fix(title, given.value.span, text) if is_literal(given) else None
    if stage.arguments:
        end = stage.arguments[-1].span.end
        return Fix(title, Span(stage.span.source, end, end), f", {title}")
    end = stage.callee.span.end
    after = end if stage.arguments is None else end + len("()")
    return Fix(title, Span(stage.span.source, end, after), f"({title})")


def proof_of(help: str | None, net: s.Definition) -> Fix | None:
    """The edit that adds the assertion which a help line quotes, below the inputs of the net."""
    quoted = re.match(r"`(assert [^`]+)`", help or "")
    inputs = [i for i in net.body.statements if isinstance(i, s.InputDeclaration)]
    if quoted is None or not inputs:
        return None
    assertion, source, end = quoted[1], net.span.source, inputs[-1].span.end
    rest = re.match(r"[ \t]*(#[^\n]*?)?(?=\r?\n)", source.text[end:])
    if rest is None:  # something else stands on the line
        return Fix(f"add `{assertion}`", Span(source, end, end), f"; {assertion}")
    place = Span(source, end + rest.end(), end + rest.end())
    first = source.line(inputs[-1].span.line)
    indent = first[: len(first) - len(first.lstrip())]
    if not first.lstrip().startswith("input"):
        indent += "    "
    return Fix(f"add `{assertion}`", place, f"\n{indent}{assertion}")
