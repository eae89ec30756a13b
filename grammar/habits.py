"""What people write out of habit from elsewhere: seen in the text itself, with what is meant here.

A rule is a pattern of what does not fit, where it counts, and the message that it deserves.
"""

from __future__ import annotations

import re

from grammar.diagnostics import nearest
from grammar.records import dataclass

KEYWORDS = ("use", "let", "block", "net", "input", "output", "for", "repeat", "if", "expect")
FAR = 200  # characters before a mistake that are looked at
LOOPS = "loops are `for x in values { … }` and `repeat n { … }`"
BLOCK = "a block is written `block name(p, q=default) { … }`"
NET = "a net is written `net name { … }`"
BESIDE = "stages are joined by `->`, statements and branches end with a newline or `;`"
USE = 'other files are read by `use a, b from "file.netdef"`'
# Words that begin a statement elsewhere; another word follows them.
FOREIGN = {
    **dict.fromkeys(("while", "until", "loop"), LOOPS),
    **dict.fromkeys(("def", "function", "func", "fn", "layer"), BLOCK),
    **dict.fromkeys(("class", "network", "model", "module", "graph"), NET),
    **dict.fromkeys(("import", "include", "from", "require"), USE),
    **dict.fromkeys(("elif", "elsif", "elseif"), "another condition is `else if c { … }`"),
    **dict.fromkeys(("var", "const", "set"), "a value is named by `let name = value`"),
    "return": "what flows at the end of a block is its result, what a net gives is `output name`",
}
_FOREIGN = re.compile(rf"({'|'.join(FOREIGN)})(?=[ \t]+[A-Za-z_\"(])")
_OF_VALUES = re.compile(r"(?:let|assert|expect|if|for|repeat|use)\b")


@dataclass(frozen=True)
class Habit:
    """What was written, from one offset to another, the rule that it breaks, what else helps."""

    start: int
    end: int
    message: str
    help: str | None = None


@dataclass(frozen=True)
class HabitRule:
    """`wrong` does not fit when `before` ends what stands in the statement before it.

    A group in `before` belongs to what is wrong; it is all of it where `wrong` matches nothing.
    """

    wrong: str
    message: str
    before: str = ""
    in_brackets: bool = False
    among_values: bool = False


RULES = (
    HabitRule(r"//|/\*|\"\"\"", "a comment begins with `#`", among_values=True),
    HabitRule(r"\"", "a comment begins with `#`", before=r"^(\"\")"),
    HabitRule(r"(?!->)[=-]*>+", "the arrow is written `->`", before=r"(?<![=-])([=-]*)"),
    HabitRule(r"=(?!=)", "a tensor is named by `=`: `a = relu`", before=r"(:)"),
    HabitRule(r"\(", "a layer is fed by an arrow: `x -> relu`", before=r"\)\s*"),
    HabitRule(
        "",
        "the branches of a join stand in braces: `concat { … }`",
        before=r"\b(?:concat|add|mul|max|min|mean)\s*(\[)[^\]]*",
        in_brackets=True,
    ),
    HabitRule(
        r"(?=,)",
        "list items need a comma between them",
        before=r"\]\s*(\[)[^\[\]]*",
        in_brackets=True,
        among_values=True,
    ),
    HabitRule(
        r"(?=\()",
        "a layer has no module before its name: `conv`, not `nn.conv`",
        before=r"\w(\.)\w+",
    ),
    HabitRule("", BESIDE, before=r"^\w+\s*(,)[\w\s,]*"),
    HabitRule(
        r"(?!->)[-+*/]=?",
        "tensors are joined by a call: `add(x, y)`, `sub(x, y)`, `mul(x, y)`",
        before=r"[\w)}]\s*",
    ),
    HabitRule(r",", BESIDE),
    HabitRule(
        r"[A-Za-z_]\w*",
        "an output is a statement of its own: `output y` on the next line",
        before=r"->\s*output\s+",
    ),
    HabitRule(
        r"[A-Za-z_]\w*",
        "an output has a shape but no type: `output y : [64, 56, 56]`",
        before=r"^output\s+\w+\s*:\s*",
    ),
    HabitRule(
        r"[xX]\s*\d*(?:[xX]\d+)*",
        "a size is written with a small x and without spaces: `3x3`",
        before=r"\d\s*",
        in_brackets=True,
        among_values=True,
    ),
    HabitRule(r"\.+", "a range is written `range(0, 3)`", before=r"(\d\.?)", among_values=True),
)


def habit_at(text: str, start: int, place: int, *, in_brackets: bool) -> Habit | None:
    """The habit that explains why the statement from `start` on does not fit at `place`."""
    for offset in (place, start):
        word = _FOREIGN.match(text, offset)
        if word is not None:
            message = f"`{word[1]}` is no word of the language"
            return Habit(*word.span(1), message, FOREIGN[word[1]])
    values = _OF_VALUES.match(text, start) is not None
    before = text[max(start, place - FAR) : place]
    for rule in RULES:
        if rule.in_brackets != in_brackets or (values and not rule.among_values):
            continue
        wrong = re.compile(rule.wrong).match(text, place)
        known = re.search(f"(?:{rule.before})$", before)
        if wrong and known:
            offset = place - len(before)
            begin = offset + known.start(1) if known.groups() else place
            end = wrong.end() if wrong.group() else offset + known.end(1)
            return Habit(begin, end, rule.message)
    return None


def keyword_meant(text: str, start: int) -> tuple[str, int] | None:
    """What the first word of a statement looks like, a keyword with a slip, and where it ends.

    A name that should follow may be joined to it: `leta = 3`.
    """
    word = re.compile(r"([A-Za-z]{3,})[ \t]*").match(text, start)
    if word is None or word[1] in KEYWORDS:
        return None
    near = nearest(word[1], KEYWORDS)
    if near is None:
        return None
    name = word[1].removeprefix(near)
    is_joined = name != word[1] and not re.compile(r"[\w\"({]").match(text, word.end())
    return f"{near} {name}" if is_joined else near, word.end(1)
