"""Chains, stages and loops of a recovered definition as lines of text."""

from __future__ import annotations

from collections.abc import Set

from compiler.dims import Dim
from compiler.importers.structure.skeletons import FOLLOWERS, written
from compiler.importers.structure.skips import is_name
from compiler.importers.structure.tree import Chain, Choice, Expression, Item, Loop, RecoveredStage
from compiler.importers.structure.values import show
from compiler.ops import OPS
from compiler.ops.base import Op, Shape, is_required, parameters, show_shape

WIDTH = 100
LONGEST_ASSERTED = 76  # a line with its shape asserted behind it
INDENT = "    "
EMPTY: Set[str] = frozenset()
POSITIONAL = {"resize": "size", "dropout": "p", "leaky_relu": "slope", "elu": "alpha"}
CONTINUED = FOLLOWERS | {"flatten", "lrn", "scale", "shift"}


def chain_rows(
    chain: Chain, labels: Set[str], indent: str, start: str = "", *, assert_shapes: bool = True
) -> list[str]:
    """A chain as lines: a layer begins a line, what normalises or activates it follows there.

    With `assert_shapes` a line that changes the size of the map says the new one.
    """
    groups: list[list[Item]] = []
    for item in chain:
        follows = isinstance(item, RecoveredStage) and item.callee in CONTINUED
        gathers = (
            bool(groups)
            and isinstance(groups[-1][0], RecoveredStage)
            and bool(groups[-1][0].joined)
        )
        if groups and (follows or (gathers and len(groups[-1]) == 1)) and is_plain(item, groups):
            groups[-1].append(item)
        else:
            groups.append([item])
    rows: list[str] = []
    before: Shape = first_given(chain)
    for place, group in enumerate(groups):
        text = single(tuple(group), labels, indent, start if place == 0 else "")
        last = group[-1]
        made = last.made if isinstance(last, RecoveredStage) else ()
        moved = bool(made) and made[1:] != before[1:]
        before = made or before
        known = not any(isinstance(size, Dim) for size in made)
        short = len(text.splitlines()[-1]) <= LONGEST_ASSERTED
        shown = assert_shapes and moved and known and short
        rows.append(f"{text} : {show_shape(made)}" if shown else text)
    return rows


def is_plain(item: Item, groups: list[list[Item]]) -> bool:
    """Whether an item can follow on the same line: no loop stands on either side."""
    return not isinstance(item, Loop) and not isinstance(groups[-1][-1], Loop)


def first_given(chain: Chain) -> Shape:
    """The shape that enters a chain."""
    return next((item.given for item in chain if isinstance(item, RecoveredStage)), ())


def single(chain: Chain, labels: Set[str], indent: str, start: str = "") -> str:
    """A chain as one statement, continued on further lines where it is too long."""
    if len(chain) == 1 and isinstance(chain[0], Loop):
        if start:
            return indent + start + grouped(chain, labels, indent)
        return indent + loop_text(chain[0], labels, indent)
    if any(isinstance(item, Loop) for item in chain):
        return indent + start + grouped(chain, labels, indent)
    text = indent + start
    for place, item in enumerate(chain):
        word = item_text(item, indent, labels, first=place == 0 and not start.endswith("-> "))
        if place:
            last = len(text) - text.rfind("\n") - 1
            broken = last + 4 + len(word.splitlines()[0]) > WIDTH
            text += f"\n{indent}{INDENT}-> " if broken else " -> "
        text += word
    return text


def grouped(chain: Chain, labels: Set[str], indent: str) -> str:
    """A chain in braces, each part on lines of its own."""
    rows = chain_rows(chain, labels, indent + INDENT)
    return "\n".join(["{", *rows, indent + "}"])


def loop_text(loop: Loop, labels: Set[str], indent: str) -> str:
    """`for i in range(3) { … }`, on one line where it fits."""
    head = f"repeat {loop.count}"
    if loop.variable:
        bounds = f"{loop.start}, {loop.start + loop.count}" if loop.start else f"{loop.count}"
        head = f"for {loop.variable} in range({bounds})"
    rows = chain_rows(loop.chain, labels, indent + INDENT, assert_shapes=False)
    if len(rows) == 1 and "\n" not in rows[0]:
        line = f"{head} {{ {rows[0].strip()} }}"
        if len(indent) + len(line) <= WIDTH:
            return line
    return "\n".join([f"{head} {{", *rows, indent + "}"])


def item_text(item: Item, indent: str, labels: Set[str] = EMPTY, first: bool = False) -> str:
    """One stage."""
    if isinstance(item, Choice):
        inner = single(item.chain, labels, "")
        text = f"if {item.condition} {{ {inner} }} else {{ identity }}"
        if len(indent) + len(text) <= WIDTH:
            return text
        inner = single(item.chain, labels, indent + INDENT)
        return f"if {item.condition} {{\n{inner}\n{indent}}} else {{ identity }}"
    assert isinstance(item, RecoveredStage)
    text = item.callee + arguments_text(item)
    if item.branches:
        text = f"{item.callee}{arguments_text(item)} {{\n"
        for branch in item.branches:
            text += branch_text(branch, labels, indent + INDENT) + "\n"
        text += indent + "}"
    elif first and text == item.callee and item.callee in labels | {"in"}:
        text += "()"
    return text + label_text(item)


def branch_text(branch: Chain, labels: Set[str], indent: str) -> str:
    """A branch of a join: a chain, or a group in braces."""
    if not branch:
        return f"{indent}identity"
    if any(isinstance(item, Loop) for item in branch):  # a loop by itself would make branches
        return indent + grouped(branch, labels, indent)
    return single(branch, labels, indent)


def label_text(stage: RecoveredStage) -> str:
    """` as name`, nothing for an automatic name.

    In quotes stands what is no plain name, and a name that is for the outside only.
    """
    text = f" like {quoted(stage.like)}" if stage.like else ""
    if stage.label is None:
        return text
    op = OPS.get(stage.callee)
    inside = stage.tag is not None or op is None or op.weights is not Op.weights
    label = quoted(stage.label) if inside else f'"{stage.label}"'
    return f" as {label}{text}"


def quoted(label: str) -> str:
    """A label as it is written."""
    if is_name(label) and not isinstance(label, Expression):
        return label
    return f'"{label}"'


def arguments_text(stage: RecoveredStage) -> str:
    """The arguments in parentheses: those that must be given by position, the rest by name."""
    words = [name if name == "in" else quoted(name) for name in stage.joined]
    values = written(stage)
    if stage.callee in OPS:
        required = [p.name for p in parameters(OPS[stage.callee]) if is_required(p)]
        required += [POSITIONAL[stage.callee]] if stage.callee in POSITIONAL else []
    else:
        required = [name for name in values if name not in stage.defaults]
    words += [show(values[name]) for name in required if name in values]
    words += [f"{name}={show(value)}" for name, value in values.items() if name not in required]
    if not words and stage.callee not in OPS:
        return "()"
    return f"({', '.join(words)})" if words else ""
