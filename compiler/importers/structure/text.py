"""The text of a recovered definition, in the style of the library's own files."""

from __future__ import annotations

from collections.abc import Sequence, Set

from compiler.analysis import analyse
from compiler.dims import Dim, symbols
from compiler.graph import Graph, Input
from compiler.importers.imported import Imported
from compiler.importers.structure.skeletons import FOLLOWERS, written
from compiler.importers.structure.skips import IDENTIFIER
from compiler.importers.structure.tree import (
    Block,
    Chain,
    Choice,
    Definition,
    Expression,
    Item,
    Loop,
    Parameter,
    Stage,
    Statement,
    stages,
)
from compiler.importers.structure.values import show
from compiler.ops import OPS
from compiler.ops.base import Shape, is_required, parameters, show_shape

WIDTH = 100
INDENT = "    "
EMPTY: Set[str] = frozenset()
POSITIONAL = {"dropout": "p", "leaky_relu": "slope", "elu": "alpha"}
CONTINUED = FOLLOWERS | {"flatten", "lrn", "scale", "shift"}


def write(imported: Imported, definition: Definition) -> str:
    """The whole file."""
    graph = imported.graph
    parts = [header(imported)]
    parts += ["\n".join(block_lines(block)) for block in definition.blocks]
    parts.append("\n".join(net_lines(graph, definition.body)))
    return "\n\n".join(parts) + "\n"


def header(imported: Imported) -> str:
    """The comment at the top: where it comes from, which conventions were translated."""
    lines = [f"Imported from {imported.origin}."]
    lines += [f"- {note}" for note in imported.notes]
    return "\n".join(wrapped(line) for line in lines)


def wrapped(line: str) -> str:
    """A comment line, broken at blanks so that it fits the width."""
    rows, row = [], "#"
    for word in line.split():
        if len(row) + len(word) + 1 > WIDTH:
            rows.append(row)
            row = "#  " if line.startswith("-") else "#"
        row += " " + word
    return "\n".join([*rows, row])


def net_lines(graph: Graph, body: Sequence[Statement]) -> list[str]:
    """The net."""
    lines = [f"net {graph.name} {{"]
    for node in graph.inputs():
        assert isinstance(node.op, Input)
        lines.append(f"{INDENT}input {node.name}: {node.op.dtype}{show_shape(node.shape)}")
    lines += [f"{INDENT}assert {fact}" for fact in facts_of(graph)]
    lines.append("")
    labels = {s.label for st in body for s in stages(st.chain) if s.label}
    rows: list[Row] = []
    for place, statement in enumerate(body):
        rows += statement_rows(statement, labels, place == len(body) - 1)
    lines += aligned(rows)
    lines += ["", f"{INDENT}expect params == {analyse(graph).parameters:_}", "}"]
    return lines


def facts_of(graph: Graph) -> list[str]:
    """What the net asserts of its symbolic sizes."""
    names = sorted({n for node in graph.inputs() for size in node.shape for n in symbols(size)})
    lines = graph.facts.lines(names)
    return [line for line in lines if not implied(line, lines)]


def implied(line: str, lines: Sequence[str]) -> bool:
    """Whether a least size follows from sizes being at least 1, or multiples of it."""
    name, _, least = line.partition(" >= ")
    return least == "1" or f"{name} % {least} == 0" in lines


Row = tuple[str, str]  # a line of text, and the shape that it asserts or ""


def aligned(rows: Sequence[Row]) -> list[str]:
    """Lines with their shapes in one column, a little beyond the longest line that has one."""
    widths = [len(text.splitlines()[-1]) for text, shape in rows if shape]
    column = min(max(widths, default=0), 64)
    found = []
    for text, shape in rows:
        last = len(text.splitlines()[-1]) if text else 0
        gap = " " * max(column - last, 0) + "     "
        found.append(f"{text}{gap}: {shape}" if shape else text)
    return found


def statement_rows(statement: Statement, labels: Set[str], last: bool) -> list[Row]:
    """A statement of the net's body and the outputs of its result."""
    outputs = list(statement.outputs)
    start = f"{statement.source} -> " if statement.source else ""
    rows: list[Row] = []
    if statement.aside:
        name = outputs.pop(0)
        text = single(statement.chain, labels, INDENT, f"output {name} = {start}")
        rows.append((text, ""))
    else:
        chain = statement.chain
        if last and len(outputs) == 1 and ends_in_activation(chain) and len(chain) > 1:
            rows = chain_rows(chain[:-1], labels, INDENT, start)
            rows.append((f"{INDENT}output {outputs.pop()} = {item_text(chain[-1], INDENT)}", ""))
        elif chain:
            rows = chain_rows(chain, labels, INDENT, start)
        elif start:
            rows = [(f"{INDENT}{start}identity", "")]
    return rows + [(f"{INDENT}output {name}", "") for name in outputs]


def ends_in_activation(chain: Chain) -> bool:
    """Whether the last stage is a bare activation, which reads well as the output's own chain."""
    last = chain[-1] if chain else None
    return (
        isinstance(last, Stage)
        and not last.label
        and last.callee in ("softmax", "log_softmax", "sigmoid", "tanh", "flatten")
    )


def block_lines(block: Block) -> list[str]:
    """A block."""
    signature = ", ".join(map(show_parameter, block.parameters))
    labels = {s.label for s in stages(block.chain) if s.label}
    lines = [f"block {block.name}({signature}) {{"]
    lines += [text for text, _ in chain_rows(block.chain, labels, INDENT)]
    return [*lines, "}"]


def show_parameter(parameter: Parameter) -> str:
    """A parameter with its default."""
    if parameter.default is None:
        return parameter.name
    return f"{parameter.name}={show(parameter.default)}"


def chain_rows(chain: Chain, labels: Set[str], indent: str, start: str = "") -> list[Row]:
    """A chain as lines: a layer begins a line, what normalises or activates it follows there."""
    groups: list[list[Item]] = []
    for item in chain:
        follows = isinstance(item, Stage) and item.callee in CONTINUED
        gathers = bool(groups) and isinstance(groups[-1][0], Stage) and bool(groups[-1][0].joined)
        if groups and (follows or (gathers and len(groups[-1]) == 1)) and is_plain(item, groups):
            groups[-1].append(item)
        else:
            groups.append([item])
    rows: list[Row] = []
    before: Shape = first_given(chain)
    for place, group in enumerate(groups):
        text = single(tuple(group), labels, indent, start if place == 0 else "")
        last = group[-1]
        made = last.made if isinstance(last, Stage) else ()
        shape = show_shape(made) if made and made[1:] != before[1:] else ""
        before = made or before
        symbolic = any(isinstance(size, Dim) for size in made)
        if symbolic or len(text.splitlines()[-1]) > 80:
            shape = ""
        rows.append((text, shape))
    return rows


def is_plain(item: Item, groups: list[list[Item]]) -> bool:
    """Whether an item can follow on the same line: no loop stands on either side."""
    return not isinstance(item, Loop) and not isinstance(groups[-1][-1], Loop)


def first_given(chain: Chain) -> Shape:
    """The shape that enters a chain."""
    return next((item.given for item in chain if isinstance(item, Stage)), ())


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
            line = text.splitlines()[-1]
            broken = len(line) + 4 + len(word.splitlines()[0]) > WIDTH
            text += f"\n{indent}{INDENT}-> " if broken else " -> "
        text += word
    return text


def grouped(chain: Chain, labels: Set[str], indent: str) -> str:
    """A chain in braces, each part on lines of its own."""
    rows = chain_rows(chain, labels, indent + INDENT)
    return "\n".join(["{", *(text for text, _ in rows), indent + "}"])


def loop_text(loop: Loop, labels: Set[str], indent: str) -> str:
    """`for i in range(3) { … }`, on one line where it fits."""
    head = f"repeat {loop.count}"
    if loop.variable:
        bounds = f"{loop.start}, {loop.start + loop.count}" if loop.start else f"{loop.count}"
        head = f"for {loop.variable} in range({bounds})"
    rows = chain_rows(loop.chain, labels, indent + INDENT)
    if len(rows) == 1 and "\n" not in rows[0][0]:
        line = f"{head} {{ {rows[0][0].strip()} }}"
        if len(indent) + len(line) <= WIDTH:
            return line
    return "\n".join([f"{head} {{", *(text for text, _ in rows), indent + "}"])


def item_text(item: Item, indent: str, labels: Set[str] = EMPTY, first: bool = False) -> str:
    """One stage."""
    if isinstance(item, Choice):
        inner = single(item.chain, labels, "")
        text = f"if {item.condition} {{ {inner} }} else {{ identity }}"
        if len(indent) + len(text) <= WIDTH:
            return text
        inner = single(item.chain, labels, indent + INDENT)
        return f"if {item.condition} {{\n{inner}\n{indent}}} else {{ identity }}"
    assert isinstance(item, Stage)
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
    return single(branch, labels, indent)


def label_text(stage: Stage) -> str:
    """` as name`, quoted where it is no plain name; nothing for an automatic name."""
    text = f" like {quoted(stage.like)}" if stage.like else ""
    if stage.label is None:
        return text
    return f" as {quoted(stage.label)}{text}"


def quoted(label: str) -> str:
    """A label as it is written."""
    if IDENTIFIER.fullmatch(label) and not isinstance(label, Expression):
        return label
    return f'"{label}"'


def arguments_text(stage: Stage) -> str:
    """The arguments in parentheses: those that must be given by position, the rest by name."""
    words = [name if IDENTIFIER.fullmatch(name) else f'"{name}"' for name in stage.joined]
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
