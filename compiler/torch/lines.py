"""Long lines of written Python in several."""

from __future__ import annotations

import re

LONGEST = 88
LAYERS = (
    "Sequential",
    "ModuleList",
    "ModuleDict",
    "OrderedDict",
    "super().__init__",
)  # a line each
HUGGED = re.compile(r"[\w.]*[(\[{]")  # how a call, a list or a dictionary begins


def wrapped(line: str) -> list[str]:
    """A line as it is, or with what stands in its longest brackets on lines of their own."""
    if len(line) <= LONGEST:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    place = line.rfind("  # ")
    if place > 0 and '"' not in line[place:]:
        return [f"{indent}# {line[place + 4 :]}", *wrapped(line[:place])]
    brackets = longest_brackets(line)
    head, equals, value = line.partition(" = ")
    summed = rows_of_sum(value) if equals and head.strip().isidentifier() else []
    if summed and (brackets is None or 2 * (brackets[1] - brackets[0]) < len(line)):
        return [f"{head} = (", *(f"{indent}    {row}" for row in summed), f"{indent})"]
    if brackets is None:
        return [line]
    start, end = brackets
    if line[:start].endswith(LAYERS):
        start, end = hugged(line, start, end)
    inner = line[start + 1 : end]
    parts = split_at_commas(inner)
    behind = line[start - 1].isidentifier() or line[start - 1] in ")]"
    called = behind if line[start] == "(" else not behind  # of an index a comma makes a tuple
    several = len(parts) > 1 or inner.endswith(",")
    clauses = rows_of_comprehension(inner)
    layers = line[: brackets[0]].endswith(LAYERS) or line[start] == "{"
    fits = len(indent) + 4 + len(inner) <= LONGEST and (several or called) and not layers
    if fits and not inner.endswith(","):
        body = [f"{indent}    {inner}"]
    elif clauses:
        body = [f"{indent}    {row}" for row in clauses]
    elif several or called:
        last = "," * inner.endswith(",")  # of a tuple of one
        body = [f"{indent}    {part}," for part in parts[:-1]] + [f"{indent}    {parts[-1]}{last}"]
    else:  # brackets around one expression: a comma would make it a tuple
        body = [f"{indent}    {row}" for row in rows_of_sum(inner) or [inner]]
    rest = [part for each in body for part in wrapped(each)]
    return [line[: start + 1], *rest, f"{indent}{line[end:]}"]


def hugged(line: str, start: int, end: int) -> tuple[int, int]:
    """The brackets in brackets that hold nothing but a call, a list or a dictionary."""
    while (head := HUGGED.match(line, start + 1, end)) and head.end() <= LONGEST:
        brackets = longest_brackets(line[head.end() - 1 : end])
        if brackets != (0, end - head.end()):
            break
        start, end = head.end() - 1, end - 1
    return start, end


def rows_of_comprehension(code: str) -> list[str]:
    """A comprehension in rows, a clause a row; empty for what is none."""
    depth, quoted, starts = 0, False, [0]
    for place, letter in enumerate(code):
        quoted ^= letter == '"'
        if quoted:
            continue
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and code.startswith(" for ", place):
            starts.append(place)
    if len(starts) == 1:
        return []
    ends = [*starts[1:], len(code)]
    return [code[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def rows_of_sum(code: str) -> list[str]:
    """A long sum in rows that each begin with its sign; empty for what is none."""
    depth, start, terms = 0, 0, list[str]()
    for place, letter in enumerate(code):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and code.startswith(" + ", place):
            terms.append(code[start:place])
            start = place + 1
    terms.append(code[start:])
    if len(terms) < 4 or '"' in code:
        return []
    rows = [""]
    for term in terms:
        if len(rows[-1]) + len(term) > LONGEST - 16:
            rows.append("")
        rows[-1] = f"{rows[-1]} {term}".strip()
    return rows


def longest_brackets(code: str) -> tuple[int, int] | None:
    """Where the longest brackets that stand in no others open and close; None without any."""
    depth, start, quoted = 0, 0, False
    found: list[tuple[int, int]] = []
    for place, letter in enumerate(code):
        quoted ^= letter == '"'
        if quoted:
            continue
        if letter in "([{":
            start = place if depth == 0 else start
            depth += 1
        elif letter in ")]}":
            depth -= 1
            found += [(start, place)] if depth == 0 and place - start > 1 else []
    return max(found, key=lambda pair: pair[1] - pair[0], default=None)


def split_at_commas(text: str) -> list[str]:
    """What stands between commas outside of brackets."""
    depth, start, quoted = 0, 0, False
    found: list[str] = []
    for place, letter in enumerate(text):
        quoted ^= letter == '"'
        if quoted:
            continue
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    rest = text[start:].strip()
    return [*found, rest] if rest else found
