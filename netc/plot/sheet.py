"""A sheet on which a figure is drawn: shapes and texts, as large in the end as what lies on it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

from netc.plot.faces import num
from netc.plot.svg import FOLDER
from netc.plot.words import width_of

MARGIN = 16
WIDER = 1.15  # than in Helvetica a text may be in the font that a reader has
Point: TypeAlias = tuple[float, float]


class Sheet:
    """Elements of an SVG, each as it is drawn; every text is escaped."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = self.top = float("inf")
        self.right = self.bottom = float("-inf")

    def reach(self, x: float, y: float) -> None:
        """Make the sheet large enough for a point."""
        self.left, self.right = min(self.left, x), max(self.right, x)
        self.top, self.bottom = min(self.top, y), max(self.bottom, y)

    def raw(self, element: str) -> None:
        """An element that lies within what is drawn already."""
        self.parts.append(element)

    def rect(self, x: float, y: float, width: float, height: float, name: str) -> None:
        """A rectangle of a class."""
        self.reach(x, y)
        self.reach(x + width, y + height)
        self.parts.append(
            f'<rect class="{name}" x="{num(x)}" y="{num(y)}" '
            f'width="{num(width)}" height="{num(height)}"/>'
        )

    def shape(self, corners: Sequence[Point], name: str) -> None:
        """A closed shape."""
        for corner in corners:
            self.reach(*corner)
        points = " ".join(f"{num(x)},{num(y)}" for x, y in corners)
        self.parts.append(f'<polygon class="{name}" points="{points}"/>')

    def line(self, corners: Sequence[Point], name: str, style: str = "") -> None:
        """A line through some points."""
        for corner in corners:
            self.reach(*corner)
        points = " ".join(f"{num(x)},{num(y)}" for x, y in corners)
        self.parts.append(f'<polyline class="{name}" points="{points}"{style}/>')

    def arrow(self, start: Point, end: Point, name: str = "wire") -> None:
        """A straight arrow; its head is drawn, since not every program knows markers."""
        (x, y), (to_x, to_y) = start, end
        length = max(1e-9, ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5)
        along, across = ((to_x - x) / length, (to_y - y) / length), 3.2
        base = (to_x - 7 * along[0], to_y - 7 * along[1])
        self.line([start, base], name)
        left = (base[0] - across * along[1], base[1] + across * along[0])
        right = (base[0] + across * along[1], base[1] - across * along[0])
        self.shape([end, left, right], "head")

    def text(self, x: float, y: float, words: str, name: str = "small", size: float = 10) -> None:
        """A line of text around x, or from or up to x by the classes start and end."""
        width = WIDER * width_of(words, size, bold="bold" in name)
        left = x if "start" in name else x - width if "end" in name else x - width / 2
        self.reach(left, y - size)
        self.reach(left + width, y + 3)
        self.parts.append(f'<text class="{name}" x="{num(x)}" y="{num(y)}">{escape(words)}</text>')

    def svg(self, title: str) -> str:
        """The file."""
        left, top = self.left - MARGIN, self.top - MARGIN
        width, height = self.right - left + MARGIN, self.bottom - top + MARGIN
        style = "".join(
            (FOLDER / name).read_text(encoding="utf-8") for name in ("picture.css", "figure.css")
        )
        size = f'width="{num(width)}" height="{num(height)}"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="{num(left)} {num(top)} {num(width)} {num(height)}" role="img">'
        )
        paper = f'<rect x="{num(left)}" y="{num(top)}" {size} fill="#fff"/>'
        body = [head, f"<title>{escape(title)}</title>", f"<style>\n{style}</style>", paper]
        return "\n".join([*body, *self.parts, "</svg>\n"])
