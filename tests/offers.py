"""What a help line offers, read as a user reads it and done to the text by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.names import children
from compiler.ops import OPS
from compiler.ops.base import parameters
from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.parse import parse
from grammar.source import Source

ARGUMENT = re.compile(
    r'(\w+)=("?\w+"?) in (?:(\d+) )?(\w+?)s? at lines? ([\d, and]+\d)(?:, column (\d+))?'
)
INPUT = re.compile(r"input (\d+) instead of (\d+)")
ASSERTION = re.compile(r"^`(assert [^`]+)` would (?:prove|decide) it$")
KERNEL = re.compile(r"a kernel of at most ([\dx]+) fits")
PAD = re.compile(r"(?:^|so would )pad=(\d+)")
OUTPUT = re.compile(r"^`(output (\w+) = \2)` makes that one an output$")


def offered(diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """The text after each change that a diagnostic's help offers, those needed together as one."""
    help = diagnostic.help or ""
    if " would do" in help and " and " in help and ", or " not in help and "lines" not in help:
        for part in help.split(" and "):
            text = "".join(changed(part, diagnostic, text))
        yield text
        return
    for part in help.split(", or "):
        yield from changed(part, diagnostic, text)


def changed(part: str, diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """The text after one offered change; nothing for words that name none."""
    if found := ARGUMENT.search(part):
        name, value, _, word, lines, column = found.groups()
        places = {int(line) for line in re.findall(r"\d+", lines)}
        made = [
            stage
            for stage in stages(text)
            if stage.span.line in places
            and (word in ("layer", stage.callee.id if stage.callee else ""))
            and (column is None or stage.span.column == int(column))
        ]
        yield with_argument(text, made, name, value)
    elif found := INPUT.search(part):
        new, old = found.groups()
        yield re.sub(
            r"(?m)^(\s*input .*f32)(\[.*?\])",
            lambda m: m[1] + re.sub(rf"\b{old}\b", new, m[2]),
            text,
        )
    elif found := ASSERTION.search(part):
        last = [m.end() for m in re.finditer(r"(?m)^\s*input .*$|input \w+: f32\[.*?\]", text)][-1]
        yield f"{text[:last]}\n{found[1]}\n{text[last:]}"
    elif found := OUTPUT.search(part):
        yield (
            text[: diagnostic.span.start]
            + found[1].removeprefix("output ")
            + (text[diagnostic.span.end :])
        )
    if diagnostic.code == "E302":
        here = [st for st in stages(text) if st.span.start <= diagnostic.span.start < st.span.end]
        inner = [min(here, key=lambda st: st.span.end - st.span.start)]
        for rule, name in ((KERNEL, "kernel"), (PAD, "pad")):
            if found := rule.search(part):
                yield with_argument(text, inner, name, found[1])


def stages(text: str) -> list[s.Stage]:
    """Every stage of a text."""
    nodes: list[s.Syntax] = list(parse(Source("offer", text)).file.items)
    found = []
    for node in nodes:
        nodes += children(node)
        found += [node] if isinstance(node, s.Stage) else []
    return found


def with_argument(text: str, made: list[s.Stage], name: str, value: str) -> str:
    """The text with an argument of these stages set."""
    for stage in sorted(made, key=lambda st: -st.span.start):
        assert stage.callee is not None
        names = parameters_of(text, stage.callee.id)
        given = [
            argument
            for place, argument in enumerate(stage.arguments or ())
            if (argument.keyword or names[place]) == name
        ]
        if given:
            span = given[0].value.span
            text = text[: span.start] + value + text[span.end :]
            continue
        before = ", ".join(argument.span.text for argument in stage.arguments or ())
        call = f"{stage.callee.id}({before}{', ' if before else ''}{name}={value})"
        start = stage.callee.span.end
        end = stage.arguments[-1].span.end + 1 if stage.arguments else start
        end += 2 if not stage.arguments and text.startswith("()", start) else 0
        text = text[: stage.callee.span.start] + call + text[end:]
    return text


def parameters_of(text: str, called: str) -> list[str]:
    """The parameters of an op, or of a block that the text defines, in order."""
    if called in OPS:
        return [parameter.name for parameter in parameters(OPS[called])]
    blocks = parse(Source("offer", text)).file.definitions("block")
    return [p.name.id for block in blocks if block.name.id == called for p in block.parameters]
