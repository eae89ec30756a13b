"""Calls whose layers are a chain, each fed by the one before: functions that return one.

What makes its members one by one, since it is told which ones or in loops, is a class instead that
extends nn.Sequential. So is a net that is a chain, where that is shorter.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from textwrap import wrap
from typing import TypeAlias

from compiler.torch.alike import Signatures
from compiler.torch.attributes import TAKEN_IN_SEQUENCES
from compiler.torch.bodies import CallBody
from compiler.torch.layer import Call
from compiler.torch.lines import split_at_commas
from compiler.torch.loops import folded, length
from compiler.torch.statements import mark, reference
from compiler.torch.turns import Turn

# How many tokens longer a function is as a module, and shorter a module that nothing calls.
FUNCTION, MODULE, FORWARD = 3, 7, 17
CLASS = 8  # tokens that a class takes more than a function that returns an nn.Sequential
COMMENT = 88  # letters of a comment in a constructor
INPUT = "input"  # what the `forward` of an nn.Sequential calls what it takes
MEMBER = re.compile(r"self\.(\w+) = (.*)")  # a line that makes a member

Lines: TypeAlias = list[tuple[str, str]]


def links(body: CallBody) -> dict[str, Call]:
    """The modules of a chain in their order; empty for what is none, or would be longer as one."""
    attributes, scope = body.attributes, body.scope
    if len(body.takes) != 1 or len(body.outputs) != 1 or body.symbols:
        return {}
    if attributes.parameters or attributes.buffers or attributes.fixed:
        return {}
    found: dict[str, Call] = {}
    flowing, functions = body.takes[0], 0
    modules = {f"{reference(name)}({mark(0)})": name for name in attributes.calls}
    for item in body.items:
        if item.takes != (flowing,) or len(item.makes) != 1:
            return {}
        (flowing,) = item.makes
        local = modules.get(item.template)
        if local is None:
            local = scope.local(flowing)
            call = attributes.plain.get(local)
            functions += 1
        else:
            call = attributes.calls[local]
        if call is None or local in found or not is_member(local):
            return {}
        found[local] = call
    if flowing != body.outputs[0] or not {*attributes.calls} <= {*found}:
        return {}
    count = len(found) - functions
    return found if count and FUNCTION * functions < MODULE * count + FORWARD else {}


def is_member(name: str) -> bool:
    """Whether an nn.Sequential can have a member of a name."""
    plain = name.isidentifier() and not keyword.iskeyword(name)
    return plain and name not in TAKEN_IN_SEQUENCES


def sequence_lines(
    lines: Lines,
    folded_lines: Lines,
    signatures: Signatures,
    turns: Collection[Turn],
    *,
    is_net: bool,
) -> Lines:
    """The constructor of a chain: all members at once, or one by one where that is shorter."""
    at_once = lines_at_once(lines, folded_lines, signatures, turns)
    more = length(at_once[1:-1]) - length(folded_lines)
    if at_once and (len(at_once) == 1 or more <= (0 if is_net else CLASS)):
        return at_once
    return [("super().__init__()", ""), *folded_lines]


def lines_at_once(
    lines: Lines, folded_lines: Lines, signatures: Signatures, turns: Collection[Turn]
) -> Lines:
    """The constructor of a chain with all members at once; empty where some are made if told so."""
    if len(lines) == 1 and lines[0][0].startswith("super()"):  # numbered
        return folded_lines
    if not lines or not all(MEMBER.fullmatch(text) for text, _ in lines):
        return []
    made = each_folded(lines, signatures, turns)
    entries = [(MEMBER.sub(r"\1=\2,", text), comment) for text, comment in made]
    mapping = entries_of(made, signatures, turns)
    if length(mapping) + 2 < length(entries):
        return [("super().__init__(OrderedDict({", ""), *inner_lines(mapping), ("}))", "")]
    return [("super().__init__(OrderedDict(", ""), *inner_lines(entries), ("))", "")]


def returned(lines: Lines) -> Lines:
    """The body of a function that returns what a constructor makes at once, else nothing."""
    place = next(k for k, (text, _) in enumerate(lines) if text.startswith("super().__init__("))
    head, comment = lines[place]
    if head == "super().__init__()":
        return []
    head = head.replace("super().__init__(", "return nn.Sequential(")
    return [*lines[:place], (head, comment), *lines[place + 1 :]]


def put_in_place(chain: Lines, name: str, doc: str, lines: dict[str, Lines]) -> bool:
    """Put a chain where the lines of one class make it, if these alone do, and only once.

    `chain` is the constructor of its class, `doc` the comment above that, `lines` those of the
    constructors of all others.
    """
    used = [
        (own, place)
        for own in lines.values()
        for place, (text, _) in enumerate(own)
        for _ in re.findall(rf"\b{name}\(", text)
    ]
    (head, _), *rest = chain
    if len(used) != 1 or not rest or head == "super().__init__()":
        return False
    ((own, place),) = used
    found = re.fullmatch(rf"( *)(.*= ?){name}\(\)(,?)", own[place][0])
    if found is None:
        return False
    indent, start, end = found.groups()
    rows = [row for line in doc.splitlines() for row in wrap(line, COMMENT - len(indent)) or [""]]
    comments = [(f"{indent}# {row}".rstrip(), "") for row in rows]
    opening = head.replace("super().__init__(", f"{start}nn.Sequential(")
    inner = [(f"{indent}{text}", comment) for text, comment in [(opening, own[place][1]), *rest]]
    inner[-1] = (f"{inner[-1][0]}{end}", inner[-1][1])
    own[place : place + 1] = [*comments, *inner]
    return True


def each_folded(lines: Lines, signatures: Signatures, turns: Collection[Turn]) -> Lines:
    """The lines that make a member each, folded by themselves; members of one kind once."""
    known: dict[str, str] = {}
    made: Lines = []
    for text, comment in lines:
        name, _, value = text.partition(" = ")
        if value not in known:
            ((line, _),) = folded([(f"self.member = {value}", "")], signatures, turns)
            known[value] = line.partition(" = ")[2]
        made.append((f"{name} = {known[value]}", comment))
    return made


def entries_of(lines: Lines, signatures: Signatures, turns: Collection[Turn]) -> Lines:
    """The members of a chain as entries of a dictionary, those that are alike in one."""
    pairs = [MEMBER.fullmatch(text) for text, _ in lines]
    comments = {pair[1]: comment for pair, (_, comment) in zip(pairs, lines, strict=True) if pair}
    texts = ", ".join(f'"{pair[1]}": {pair[2]}' for pair in pairs if pair)
    ((text, _),) = folded([(f"members = {{{texts}}}", "")], signatures, turns)
    found: Lines = []
    for entry in split_at_commas(text.partition("{")[2][:-1]):
        name = entry.partition('": ')[0][1:]
        found.append((f"{entry},", "" if entry.startswith("**") else comments.get(name, "")))
    return found


def inner_lines(lines: Lines) -> Lines:
    """The entries of a call, one level further in."""
    inner = [(f"    {text}", comment) for text, comment in lines]
    text, comment = inner[-1]
    return [*inner[:-1], (text.removesuffix(","), comment)]
