"""What a diagnostic offers, done to the text: its edits; of a mere sentence, what its words say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from compiler.ops import OPS
from compiler.ops.base import parameters
from compiler.symbols.names import children
from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.parse import parse
from grammar.source import Source

Change: TypeAlias = Callable[[re.Match[str], Diagnostic, str], Iterator[str]]

ARGUMENT = r'(\w+)=("?\w+"?) in (?:(\d+) )?(\w+?)s? at lines? ([\d, and]*\d)(?:, column (\d+))?'
LAYER = r"(?:are not written|are both included|flows in tells|without brackets): (\w+(?:\(.*\))?)$"


GIVING_IN = "assert the shape it has"  # an edit for who finds the shape right; no help names it


def offered(diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """The text after each change that a diagnostic's help offers: by its edits, else in its words.

    Changes that are needed together are done as one.
    """
    for fix in diagnostic.fixes:
        if fix.title != GIVING_IN:
            yield text[: fix.span.start] + fix.text + text[fix.span.end :]
    if all(fix.title == GIVING_IN for fix in diagnostic.fixes):
        yield from in_words(diagnostic, diagnostic.help or "", text)


def in_words(diagnostic: Diagnostic, help: str, text: str) -> Iterator[str]:
    """The text after each change that is said and has no edit."""
    if " would do" in help and " and " in help and ", or " not in help and "lines" not in help:
        for part in help.split(" and "):
            text = "".join(changed(part, diagnostic, text))
        yield text
        return
    for part in re.split(", or |; (?:so )?", help):
        yield from changed(part, diagnostic, text)


def changed(part: str, diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """The text after each change that the words name; nothing for words that name none."""
    for pattern, change in OFFERS.items():
        if found := re.search(pattern, part):
            yield from change(found, diagnostic, text)
            return


def argument_elsewhere(found: re.Match[str], _: Diagnostic, text: str) -> Iterator[str]:
    """`pad=1 in 2 convs at lines 3 and 4`"""
    name, value, _count, word, lines, column = found.groups()
    places = {int(line) for line in re.findall(r"\d+", lines)}
    made = [
        stage
        for stage in stages(text)
        if stage.span.line in places
        and (word in ("layer", stage.callee.id if stage.callee else ""))
        and (column is None or stage.span.column == int(column))
    ]
    yield with_argument(text, made, name, value)


def pads_here(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """`before and after each axis: pad=[(0, 1), (0, 1)]`"""
    yield with_argument(text, [stage_at(diagnostic, text)], found[1], found[2])


def other_input(found: re.Match[str], _: Diagnostic, text: str) -> Iterator[str]:
    """`input 33 instead of 32`"""
    new, old = found.groups()
    yield re.sub(
        r"(?m)^(\s*input .*f32)(\[.*?\])",
        lambda m: m[1] + re.sub(rf"\b{old}\b", new, m[2]),
        text,
    )


def other_shape(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """`was [3, 224, 224] meant?`, of the only input of a net"""
    shapes = re.finditer(r"input \w+: f32(\[.*?\])", text)
    shape = [m for m in shapes if m.start() < diagnostic.span.end][-1]
    yield text[: shape.start(1)] + found[1] + text[shape.end(1) :]


def other_picture(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """`crop=224`, of the picture on the line of the input at fault"""
    start = text.index("picture(", diagnostic.span.start) + len("picture(")
    rest = re.sub(rf"^(.*?)(?:, )?\b{found[1]}=\w+", r"\1", text[start:])
    yield f"{text[:start]}{found[0]}{'' if rest.startswith((')', ',')) else ', '}{rest}"


def another_word(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """Did you mean `relu`?"""
    if diagnostic.code == "E101":  # the place is that of what does not fit
        line = text.rfind("\n", 0, diagnostic.span.start) + 1
        yield text[:line] + re.sub(r"\w+", found[1], text[line:], count=1)
        return
    quotes = diagnostic.span.text.startswith('"') and not found[1].startswith('"')
    yield replaced(diagnostic, text, f'"{found[1]}"' if quotes else found[1])


def another_layer(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """`the channels are not given, what flows in tells: bn`"""
    yield with_call(text, stage_at(diagnostic, text), found[1])


def layer_before(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """Add `flatten` before it"""
    told = re.match(r"\w+ at line (\d+)", diagnostic.label)
    start = diagnostic.span.start
    if told:
        start = next(st for st in stages(text) if st.span.line == int(told[1])).span.start
    yield f"{text[:start]}{found[1]} -> {text[start:]}"


def layer_behind(found: re.Match[str], diagnostic: Diagnostic, text: str) -> Iterator[str]:
    """`flatten` behind the map would do: behind each branch of a join that is one"""
    sizes = r"\[\w+\]" if found[2] == "vector" else r"\[.*,.*\]"
    for note in diagnostic.notes:
        if told := re.match(rf"branch: {sizes}, from (.*) at line (\d+)$", note):
            stage = next(st for st in stages(text) if st.span.line == int(told[2]))
            end = text.index(told[1], stage.span.start) + len(told[1])
            text = f"{text[:end]} -> {found[1]}{text[end:]}"
    yield text


OFFERS: dict[str, Change] = {
    ARGUMENT: argument_elsewhere,
    r"input (\d+) instead of (\d+)": other_input,
    r"^before and after each axis: (\w+)=(.*)$": pads_here,
    r"(?:was|an input|one by one:) (\[.*?\])(?: meant\?| would fit|$)": other_shape,
    r"^(crop|resize)=\w+$": other_picture,
    r'did you mean (?:`|(?="))(.+?)`?\?$': another_word,
    LAYER: another_layer,
    r"(?:add )?`(.+)` before it": layer_before,
    r"`(.+)` behind the (vector|map) would do$": layer_behind,
    r"^(\w+ -> \w+(?:\(.*\))?)$": another_layer,
}


def stages(text: str) -> list[s.Stage]:
    """Every stage of a text."""
    nodes: list[s.Syntax] = list(parse(Source("offer", text)).file.items)
    found = []
    for node in nodes:
        nodes += children(node)
        found += [node] if isinstance(node, s.Stage) else []
    return found


def stage_at(diagnostic: Diagnostic, text: str) -> s.Stage:
    """The innermost stage at the place of a diagnostic."""
    start = diagnostic.span.start
    here = [stage for stage in stages(text) if stage.span.start <= start < stage.span.end]
    return min(here, key=lambda stage: stage.span.end - stage.span.start)


def replaced(diagnostic: Diagnostic, text: str, words: str) -> str:
    """The text with other words at the place of a diagnostic."""
    return text[: diagnostic.span.start] + words + text[diagnostic.span.end :]


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
        text = with_call(text, stage, call)
    return text


def with_call(text: str, stage: s.Stage, call: str) -> str:
    """The text with another op and arguments in a stage; its label and shape stay."""
    assert stage.callee is not None
    start = stage.callee.span.end
    end = stage.arguments[-1].span.end + 1 if stage.arguments else start
    end += 2 if not stage.arguments and text.startswith("()", start) else 0
    return text[: stage.callee.span.start] + call + text[end:]


def parameters_of(text: str, called: str) -> list[str]:
    """The parameters of an op, or of a block that the text defines, in order."""
    if called in OPS:
        return [parameter.name for parameter in parameters(OPS[called])]
    blocks = parse(Source("offer", text)).file.definitions("block")
    return [p.name.id for block in blocks if block.name.id == called for p in block.parameters]
