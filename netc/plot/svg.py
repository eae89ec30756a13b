"""A picture as an SVG file."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from netc.plot.faces import num
from netc.plot.inside import METRICS, Packed, Segment
from netc.plot.packing import pack
from netc.plot.plan import BoxTree
from netc.plot.words import cut

FOLDER = Path(__file__).parent
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.8L8 4L0 7.2z"/></marker>'
)


def svg(plan: BoxTree, open_items: frozenset[int]) -> str:
    """The picture with some blocks open; it is read as it stands, by any program."""
    net = pack(plan, open_items)
    width, height = num(net.left + net.right), num(net.height)
    style = (FOLDER / "picture.css").read_text(encoding="utf-8")
    name = escape(cut(plan.items[0].box.name))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{name}</title>",
            f"<style>\n{style}</style>",
            f"<defs>{TIP}</defs>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            f'<g transform="translate({num(net.left)} 0)">',
            *inside(plan, net),
            "</g>",
            "</svg>\n",
        ]
    )


def inside(plan: BoxTree, packed: Packed) -> Iterator[str]:
    """The lines, shapes and boxes of an open block."""
    for line in packed.lines:
        yield f'<path class="line" d="{path(line)}"{arrow(line)}/>'
    for x, y, text in packed.labels:
        yield f'<text class="shape" x="{num(x)}" y="{num(y)}">{escape(text)}</text>'
    for child, x, y in packed.children:
        item = plan.items[child.item]
        name = escape(cut(item.box.name, 200))
        yield f'<g transform="translate({num(x)} {num(y)})"><title>{name}</title>'
        if not child.children:
            yield f"{item.face.svg}</g>"
            continue
        assert item.title is not None
        width, height = num(child.left + child.right), num(child.height)
        yield (
            f'<rect class="frame" x="{num(-child.left)}" y="0" '
            f'width="{width}" height="{height}" rx="6"/>'
        )
        yield f'<g transform="translate({num(-child.left)} 0)">{item.title.svg}</g>'
        yield from inside(plan, child)
        yield "</g>"


def arrow(line: Segment) -> str:
    """The arrow's attribute."""
    return ' marker-end="url(#tip)"' if line.arrow else ""


def path(line: Segment) -> str:
    """Straight down, over, straight down."""
    x, to, start = num(line.x), num(line.to), f"M{num(line.x)} {num(line.top)}"
    if abs(line.x - line.to) <= METRICS["straight"]:
        return f"{start}V{num(line.bottom)}"
    middle, down = (line.bend + line.end) / 2, f"V{num(line.bottom)}"
    if line.oblique:
        over = f"C{x} {num(middle)} {to} {num(middle)} {to} {num(line.end)}"
        return f"{start}V{num(line.bend)}{over}{down}"
    round_ = min((line.end - line.bend) / 2, abs(line.to - line.x) / 2)
    side = round_ if line.to > line.x else -round_
    return (
        f"{start}V{num(middle - round_)}"
        f"Q{x} {num(middle)} {num(line.x + side)} {num(middle)}H{num(line.to - side)}"
        f"Q{to} {num(middle)} {to} {num(middle + round_)}{down}"
    )
