"""What is written in the boxes and on the lines, and how wide it is in print."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import combining, east_asian_width

from compiler.dims import Size
from compiler.domain import Facts
from compiler.graph import Input
from compiler.importers.structure.values import show
from compiler.ops.base import Op, is_required, parameters
from grammar.diagnostics import printable
from netc.layer_table import size_text

LONGEST = 44  # letters of a box's text
UNSEEN = ("init", "bias", "weight", "values")  # arguments that no figure shows

# Widths in hundredths of the font size, after Helvetica; what is not listed is 56 wide.
WIDTHS = {
    letter: width
    for letters, width in (
        ("ijl'|", 23),
        ("ft.,:;!/\\[] ·", 28),
        ('r()-`{}"', 34),
        ("ckvsxyzJ*", 50),
        ("FTLZ+=<>~×", 60),
        ("ABEKPSVXY&", 67),
        ("CDHNRUwGOQ", 75),
        ("mM%@W…", 100),
    )
    for letter in letters
}


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line of text is at a font size, about; a little more rather than less."""
    hundredths = sum(letter_width(letter) for letter in text)
    return hundredths / 100 * size * (1.08 if bold else 1.02)


@lru_cache(4096)
def letter_width(letter: str) -> int:
    """Hundredths of the font size."""
    if letter in WIDTHS or letter.isascii():
        return WIDTHS.get(letter, 56)
    if combining(letter):
        return 0
    return 100 if east_asian_width(letter) in "WF" else 70


def cut(text: str, longest: int = LONGEST) -> str:
    """The text as it can be drawn, cut short when it is too long."""
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def show_dims(shape: Sequence[Size], facts: Facts) -> str:
    """A shape as a figure has it: `64×56×56`, symbolic sizes as short as in the summary."""
    sizes = [size_text(size, facts) for size in shape]
    return "×".join(f"({size})" if " " in size else size for size in sizes) or "scalar"


def arguments(op: Op, *, every: bool = False) -> str:
    """The arguments of a layer that are not their defaults, as a definition writes them.

    Those that a figure does not show (`bias`, `init`) only with `every`.
    """
    if isinstance(op, Input):
        return ""
    shown: list[str] = []
    for parameter in parameters(type(op)):
        value = getattr(op, parameter.name)
        if is_required(parameter):
            shown.append(show(value))
        elif value != parameter.default and (every or parameter.name not in UNSEEN):
            shown.append(f"{parameter.name}={show(value)}")
    text = ", ".join(shown)
    return text if every else re.sub(r"\d*\.\d{5,}", lambda m: f"{float(m[0]):.4g}", text)


def call(op: Op) -> str:
    """A layer's op with every argument: `conv(64, 3x3, pad=1, bias=false)`."""
    text = arguments(op, every=True)
    return f"{op.name}({text})" if text else op.name


def is_counted(label: str, name: str) -> bool:
    """Whether a layer's label is only its op's name and a count, given by the compiler."""
    return re.fullmatch(rf"{re.escape(name)}\d+", label) is not None
