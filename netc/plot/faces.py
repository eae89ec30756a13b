"""The boxes as pieces of SVG, each around its own axis: x = 0 is its middle, y = 0 its top."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from compiler.ops.base import is_join, show_count
from netc.boxes import Box
from netc.plot.words import arguments, cut, is_counted, width_of

TEXT = 12.0  # font size of a box's text in pixels
SMALL = 10.0  # and of all other text
SIZES = {"text": TEXT, "small": SMALL}
SIGNS = {"add": "+", "mul": "×"}
ORDERED = {"sub": "−", "div": "÷"}  # which input is which matters
GAP = 0.36  # between the two parts of a text, of its size
BETWEEN = 12.0  # from one shape to the next line
LINE = 14.0  # pixels from one line of text to the next
LONGEST_CALL = 46


@dataclass(frozen=True)
class Face:
    """How a box is drawn, and its size in pixels."""

    width: float
    height: float
    svg: str


@dataclass(frozen=True)
class Words:
    """A line of text: a part in bold, then one that is not."""

    bold: str
    plain: str = ""

    def width(self, size: float) -> float:
        """Its width in pixels."""
        gap = GAP * size if self.bold and self.plain else 0
        return width_of(self.bold, size, bold=True) + gap + width_of(self.plain, size)

    def svg(self, y: float, name: str, x: float | None = None) -> str:
        """The text of a class `name`, around the axis or from x on.

        Both parts are elements of their own: not every program measures a part of a text.
        """
        if x is not None or not (self.bold and self.plain):
            weight = " bold" if self.bold else ""
            return text_svg(self.bold or self.plain, x or 0, y, name + weight)
        size = SIZES[name]
        end = width_of(self.bold, size, bold=True) - self.width(size) / 2
        start = end + GAP * size
        return text_svg(self.bold, end, y, f"{name} bold end") + text_svg(
            self.plain, start, y, f"{name} start"
        )


def text_svg(text: str, x: float, y: float, name: str) -> str:
    """A text element of these classes."""
    return f'<text class="{name}" x="{num(x)}" y="{num(y)}">{escape(text)}</text>'


def num(value: float) -> str:
    """A length with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def rect(face: str, width: float, height: float, radius: float, shift: float = 0.0) -> str:
    """A rectangle around the axis."""
    return (
        f'<rect class="{face}" x="{num(shift - width / 2)}" y="{num(shift)}" '
        f'width="{num(width)}" height="{num(height)}" rx="{num(radius)}"/>'
    )


def face_of(box: Box, like: str, leaving: Sequence[str] = ()) -> Face:
    """The closed form of a box.

    `like` is what it shares its parameters with, or empty; `leaving` are the shapes that are
    written below it, side by side.
    """
    if box.kind == "block":
        return block_face(box, like, leaving)
    if box.kind in ("input", "output"):
        words = Words(cut(box.label))
        width = max(words.width(TEXT) + 26, 48)
        return Face(width, 24, rect(box.kind, width, 24, 12) + words.svg(16, f"text {box.kind}"))
    assert box.layer is not None
    op = box.layer.node.op
    if is_join(op):
        return join_face(box)
    counted = is_counted(box.label, op.name)
    plain = arguments(op) if counted else f"{op.name} {arguments(op)}".strip()
    words = Words(cut(box.label), cut(f"{plain} like {like}" if like else plain))
    width = max(words.width(TEXT) + 22, 60)
    return Face(width, 26, rect(f"box {op.group}-op", width, 26, 4) + words.svg(17, "text"))


def join_face(box: Box) -> Face:
    """A join: a sign in a circle, or a word in a small pill."""
    assert box.layer is not None
    op = box.layer.node.op
    sign, label = SIGNS.get(op.name), cut(box.label)
    if is_counted(box.label, op.name) and sign:
        circle = '<circle class="box join" cx="0" cy="11" r="11"/>'
        return Face(22, 22, circle + Words(sign).svg(16, "text sign"))
    word = f"{sign or op.name} {arguments(op)}".strip()
    if op.name in ORDERED:
        word = f" {ORDERED[op.name]} ".join(operand(name, box) for name in box.layer.node.inputs)
    words = Words("" if is_counted(box.label, op.name) else label, cut(word))
    width = words.width(TEXT) + 20
    return Face(width, 22, rect("box join", width, 22, 11) + words.svg(15, "text"))


def operand(name: str, box: Box) -> str:
    """What a layer is called where a box stands: its own label, or the block that it is in."""
    around = box.name.rpartition(".")[0]
    inside = name.removeprefix(f"{around}.") if around else name
    return inside.partition(".")[0] if inside != name or not around else name.rpartition(".")[2]


def block_face(box: Box, like: str, leaving: Sequence[str]) -> Face:
    """A closed block: its name, its call, how much it holds; drawn as a small stack."""
    lines = [(Words(cut(box.label)), TEXT, "text")]
    if made := made_by(box, like):
        lines.append((Words("", made), SMALL, "small"))
    lines.append((Words("", contents(box)), SMALL, "small"))
    width = max(words.width(size) for words, size, _ in lines) + 24
    if len(leaving) > 1:
        widest = max(width_of(text, SMALL) for text in leaving)
        width = max(width, (widest + BETWEEN) * (len(leaving) + 1))
    height = 10 + LINE * len(lines)
    stack = rect("block behind", width, height, 5, 3) + rect("block", width, height, 5)
    texts = [words.svg(17 + LINE * row, name) for row, (words, _, name) in enumerate(lines)]
    return Face(width, height + 3, stack + "".join(texts))


def contents(box: Box) -> str:
    """How many layers a block holds, and how many parameters."""
    count = sum(1 for _ in box.layers())
    text = f"{count:,} layer{'s' if count != 1 else ''}"
    return f"{text} · {show_count(box.parameters)} params" if box.parameters else text


def made_by(box: Box, like: str) -> str:
    """The call that made a block; of one that only gathers others their number, `3 × basic`."""
    text = box.step.call or box.step.block if box.step is not None else ""
    if not text:
        steps = [child.step.block for child in box.children if child.step is not None]
        if len(steps) == len(box.children) and len(set(steps)) == 1:
            text = f"{len(steps)} × {steps[0]}"
    return cut(f"{text} like {like}".strip() if like else text, LONGEST_CALL)


def title_of(box: Box, like: str) -> Face:
    """What is written in the corner of an open block, x = 0 being its left."""
    name, made = Words(cut(box.label)), Words("", made_by(box, like))
    svg = name.svg(14, "title", 8) + (made.svg(26, "caption", 8) if made.plain else "")
    return Face(max(name.width(TEXT), made.width(SMALL)) + 16, 30 if made.plain else 20, svg)


def shared_with(box: Box) -> str:
    """The layer or block whose parameters a box uses, or empty when it has its own."""
    layers = [layer for layer in box.layers() if layer.node.op.holds_weights]
    pairs = [(layer.node.name, layer.node.parameters_of) for layer in layers]
    if not pairs or any(name == owner for name, owner in pairs):
        return ""
    owners = Counter(owner.removesuffix(name.removeprefix(box.name)) for name, owner in pairs)
    return next(iter(owners)) if len(owners) == 1 else ""
