"""The text of a recovered definition, in the style of the library's own files."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from compiler.dims import symbols
from compiler.graph import Graph, Input
from compiler.importers.imported import Imported
from compiler.importers.structure.interface import outside_text
from compiler.importers.structure.stage_text import INDENT, WIDTH, chain_rows, item_text, single
from compiler.importers.structure.tree import (
    Block,
    BlockParameter,
    Chain,
    RecoveredNet,
    RecoveredStage,
    Statement,
    stages,
)
from compiler.importers.structure.values import show
from compiler.ops.base import show_shape


def write(imported: Imported, definition: RecoveredNet) -> str:
    """The whole file; the formatter may still move something."""
    graph = imported.graph
    parts = [header(imported)]
    parts += ["\n".join(block_lines(block)) for block in definition.blocks]
    parts.append("\n".join(net_lines(graph, definition)))
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


def net_lines(graph: Graph, definition: RecoveredNet) -> list[str]:
    """The net."""
    body = definition.body
    declared = {name: word + outside_text(word, name) for name, word in definition.outputs.items()}
    lines = [f"net {graph.name} {{"]
    for node in graph.inputs():
        assert isinstance(node.op, Input)
        word = definition.inputs[node.name]
        name = word + outside_text(word, node.name)
        lines.append(f"{INDENT}input {name}: {node.op.dtype}{show_shape(node.shape)}")
    lines += [f"{INDENT}assert {fact}" for fact in facts_of(graph)]
    lines.append("")
    labels = {s.label for st in body for s in stages(st.chain) if s.label}
    for place, statement in enumerate(body):
        outputs = tuple(map(declared.__getitem__, statement.outputs))
        statement = replace(statement, outputs=outputs)
        lines += statement_rows(statement, labels, place == len(body) - 1)
    lines += ["", f"{INDENT}expect params == {parameters_in(graph):_}", "}"]
    return lines


def parameters_in(graph: Graph) -> int:
    """How many numbers of a graph can be learned, shared ones once."""
    return sum(weight.size for weight in graph.parameters().values() if not weight.buffer)


def facts_of(graph: Graph) -> list[str]:
    """What the net asserts of its symbolic sizes."""
    names = sorted({n for node in graph.inputs() for size in node.shape for n in symbols(size)})
    lines = graph.facts.lines(names)
    return [line for line in lines if not implied(line, lines)]


def implied(line: str, lines: Sequence[str]) -> bool:
    """Whether a least size follows from sizes being at least 1, or multiples of it."""
    name, _, least = line.partition(" >= ")
    return least == "1" or f"{name} % {least} == 0" in lines


def statement_rows(statement: Statement, labels: Set[str], last: bool) -> list[str]:
    """A statement of the net's body and the outputs of its result."""
    outputs = list(statement.outputs)
    start = f"{statement.source} -> " if statement.source else ""
    rows: list[str] = []
    if statement.aside:
        name = outputs.pop(0)
        text = single(statement.chain, labels, INDENT, f"output {name} = {start}")
        rows.append(text)
    else:
        chain = statement.chain
        if last and len(outputs) == 1 and ends_in_activation(chain) and len(chain) > 1:
            rows = chain_rows(chain[:-1], labels, INDENT, start)
            rows.append(f"{INDENT}output {outputs.pop()} = {item_text(chain[-1], INDENT)}")
        elif chain:
            rows = chain_rows(chain, labels, INDENT, start)
        else:
            return [f"{INDENT}output {name} = {statement.makes}" for name in outputs]
    return rows + [f"{INDENT}output {name}" for name in outputs]


def ends_in_activation(chain: Chain) -> bool:
    """Whether the last stage is a bare activation, which reads well as the output's own chain."""
    last = chain[-1] if chain else None
    return (
        isinstance(last, RecoveredStage)
        and not last.label
        and last.callee in ("softmax", "log_softmax", "sigmoid", "tanh", "flatten")
    )


def block_lines(block: Block) -> list[str]:
    """A block."""
    signature = ", ".join(map(show_parameter, block.parameters))
    labels = {s.label for s in stages(block.chain) if s.label}
    lines = [f"block {block.name}({signature}) {{"]
    lines += chain_rows(block.chain, labels, INDENT)
    return [*lines, "}"]


def show_parameter(parameter: BlockParameter) -> str:
    """A parameter with its default."""
    if parameter.default is None:
        return parameter.name
    return f"{parameter.name}={show(parameter.default)}"
