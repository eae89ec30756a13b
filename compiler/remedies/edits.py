"""Changes of a definition as edits of its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from compiler.bind import argument_of, names_of, written
from compiler.ops.arguments import show
from compiler.ops.base import Op, Shape, show_shape
from compiler.pictures import Picture
from compiler.remedies.changes import LITERALS, Change
from grammar import syntax as s
from grammar.diagnostics import Assertion, Before, Edit, Fix, NewArgument, NewCall, Remedy, together
from grammar.source import Span


def fix_of(
    change: Change,
    stages: Mapping[Span, s.Stage],
    inputs: Mapping[Span, s.InputDeclaration],
) -> Fix | None:
    """The edit of the text that makes the change, where the argument is a literal or left out."""
    if change.argument == "input":
        return resizing(change, inputs.get(change.place))
    if change.passed is not None:
        call, parameter = change.passed
        title = f"{parameter}={show(change.value)}"
        return edit_of(title, parameter, change.value, call.stage, call.parameters)
    title = f"{change.argument}={show(change.value)}"
    spans = sorted({node.span for node in change.nodes}, key=lambda span: span.start)
    nodes = {node.span: node for node in change.nodes}
    edits = [
        edit_of(title, change.argument, change.value, stages.get(span), names_of(nodes[span].op))
        for span in spans
    ]
    return together(title, edits)


def resizing(change: Change, declaration: s.InputDeclaration | None) -> Fix | None:
    """The edit that gives an input its new size along every axis, where the old is a literal."""
    if declaration is None or declaration.origin is not None or not isinstance(change.value, int):
        return None
    _, *sides = declaration.shape.sizes
    if not all(isinstance(side, s.Number) for side in sides):
        return None
    new = str(change.value)
    return together(str(change), [Fix(new, side.span, new) for side in sides])


def edit_of(
    title: str, name: str, value: Any, stage: s.Stage | s.CallExpression | None, names: list[str]
) -> Fix | None:
    """The edit of one stage, or call, that gives its parameter `name` another value."""
    arguments = () if stage is None else stage.arguments or ()
    called = stage.function if isinstance(stage, s.CallExpression) else stage and stage.callee
    if stage is None or called is None:
        return None
    if any(isinstance(argument.value, s.Given) for argument in arguments):
        return None  # bound elsewhere: `act=leaky_relu(0.1)`
    given = argument_of(stage, name, names)
    if given is not None:
        old = given.value
        parts: tuple[s.Expression, ...] = (old,)
        if isinstance(old, s.ListDisplay | s.TupleDisplay):
            parts = old.items
        literal = all(isinstance(part, LITERALS) for part in parts)
        return Fix(title, given.value.span, show(value)) if literal else None
    if stage.arguments:
        end = stage.arguments[-1].span.end
        return Fix(title, Span(stage.span.source, end, end), f", {title}")
    end = called.span.end
    if stage.arguments is not None and not stage.span.source.text.startswith("()", end):
        return None
    after = end if stage.arguments is None else end + len("()")
    return Fix(title, Span(stage.span.source, end, after), f"({title})")


def resized_picture(
    picture: Picture, shape: Shape, declared: s.InputDeclaration | s.Declared
) -> Remedy | None:
    """The shape that would fit what pictures become, or the argument that makes them fit it."""
    fitting = picture.fitting(shape)
    if fitting is None:
        return None
    sizes, setting = fitting
    words = f"an input {show_shape(sizes)} would fit"
    edits = [Fix(show_shape(sizes), declared.shape.span, show_shape(sizes))]
    if setting is not None:
        title, names = f"{setting.name}={show(setting.value)}", [p.name for p in fields(Picture)]
        words = f"{words}, or {title}"
        edit = edit_of(title, setting.name, setting.value, declared.origin, names)
        edits += [edit] if edit is not None else []
    return Remedy.of(words, edits)


def at_stage(remedy: Remedy, stage: s.Stage, op: Op, *, in_chain: bool) -> Remedy:
    """A remedy whose arguments, and layers in front, have found their places at a stage.

    A stage that is not `in_chain` is written as a call on tensors, `dense(x, 10)`.
    """
    edits = (edit_at(edit, stage, op, in_chain) for edit in remedy.edits)
    return Remedy(remedy.text, tuple(edit for edit in edits if edit is not None))


def edit_at(edit: Edit, stage: s.Stage, op: Op, in_chain: bool) -> Edit | None:
    """An edit in its place, where that is at the stage; None where it cannot be made."""
    match edit:
        case NewArgument(name, value):
            if not hasattr(op, name):
                return None
            return edit_of(f"{name}={show(value)}", name, value, stage, names_of(op))
        case Before(text):
            start = Span(stage.span.source, stage.span.start, stage.span.start)
            return Fix(f"add `{text}` before it", start, f"{text} -> ") if in_chain else None
        case NewCall(text):
            return written(stage, text) if in_chain else None
    return edit


def placed(remedy: Remedy, net: s.Definition) -> Remedy:
    """A remedy whose assertions have found their places in a net, where there is one."""
    edits = [proof_of(e.text, net) if isinstance(e, Assertion) else e for e in remedy.edits]
    return Remedy(remedy.text, tuple(edit for edit in edits if edit is not None))


def proof_of(assertion: str, net: s.Definition) -> Fix | None:
    """The edit that adds an assertion below the inputs of a net."""
    inputs = [i for i in net.body.statements if isinstance(i, s.InputDeclaration)]
    if not inputs:
        return None
    source, end = net.span.source, inputs[-1].span.end
    rest = re.match(r"[ \t]*(#[^\n]*?)?(?=\r?\n)", source.text[end:])
    if rest is None:  # something else stands on the line
        return Fix(f"add `{assertion}`", Span(source, end, end), f"; {assertion}")
    place = Span(source, end + rest.end(), end + rest.end())
    first = source.line(inputs[-1].span.line)
    indent = first[: len(first) - len(first.lstrip())]
    if not first.lstrip().startswith("input"):
        indent += "    "
    return Fix(f"add `{assertion}`", place, f"\n{indent}{assertion}")
