"""A picture as an SVG file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from netc.plot.faces import Face, num
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
    across, along = num(net.left + net.right), num(net.height)
    width, height = (along, across) if plan.turned else (across, along)
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
            f'<g transform="{moved(plan, net.left, 0)}">',
            *inside(plan, net),
            "</g>",
            "</svg>\n",
        ]
    )


def inside(plan: BoxTree, packed: Packed) -> Iterator[str]:
    """The lines, shapes and boxes of an open block."""
    for line in packed.lines:
        way = turned_path(path(line)) if plan.turned else path(line)
        yield f'<path class="line" d="{way}"{arrow(line)}/>'
    for x, y, text in packed.labels:
        x, y = (y, x) if plan.turned else (x, y)
        yield f'<text class="shape" x="{num(x)}" y="{num(y)}">{escape(text)}</text>'
    for child, x, y in packed.children:
        item = plan.items[child.item]
        name = escape(cut(item.box.name, 200))
        yield f'<g transform="{moved(plan, x, y)}"><title>{name}</title>'
        if not child.children:
            yield f"{standing(item.face) if plan.turned else item.face.svg}</g>"
            continue
        assert item.title is not None
        across, along = num(child.left + child.right), num(child.height)
        left, top = ("0", num(-child.left)) if plan.turned else (num(-child.left), "0")
        width, height = (along, across) if plan.turned else (across, along)
        yield (
            f'<rect class="frame" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
        )
        yield f'<g transform="translate({left} {top})">{item.title.svg}</g>'
        yield from inside(plan, child)
        yield "</g>"


def moved(plan: BoxTree, x: float, y: float) -> str:
    """The transform to a place of the picture."""
    return f"translate({num(y)} {num(x)})" if plan.turned else f"translate({num(x)} {num(y)})"


def standing(face: Face) -> str:
    """The face of a turned plan, itself upright: its left end where the flow comes in."""
    return f'<g transform="translate({num(face.height / 2)} {num(-face.width / 2)})">{face.svg}</g>'


def turned_path(way: str) -> str:
    """A path with its x and y exchanged."""
    exchanged = {"V": "H", "H": "V"}
    found = []
    for command, rest in re.findall(r"([MVHQC])([^MVHQC]*)", way):
        numbers = rest.split()
        pairs = zip(numbers[1::2], numbers[::2], strict=False)
        turned = " ".join(f"{y} {x}" for y, x in pairs) if len(numbers) > 1 else rest
        found.append(exchanged.get(command, command) + turned)
    return "".join(found)


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
