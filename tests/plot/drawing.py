"""An SVG picture read back: where its boxes and lines are, and what its lines join."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import hypot
from typing import Any, TypeAlias
from xml.etree import ElementTree

from netc.plot.inside import METRICS

NEAR = 0.6  # coordinates are rounded, and added up through the blocks
SVG = "{http://www.w3.org/2000/svg}"

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A box, or the frame of an open block; `around` are the places of the frames around it."""

    name: str
    left: float
    top: float
    right: float
    bottom: float
    is_frame: bool
    around: tuple[int, ...]

    def meets(self, other: Rectangle) -> bool:
        """Whether they overlap."""
        across = self.left < other.right - NEAR and other.left < self.right - NEAR
        return across and self.top < other.bottom - NEAR and other.top < self.bottom - NEAR

    def holds(self, other: Rectangle) -> bool:
        """Whether another lies wholly inside."""
        across = self.left < other.left and other.right < self.right
        return across and self.top < other.top and other.bottom < self.bottom


@dataclass(frozen=True)
class Stroke:
    """A line: its corners, and whether it ends in an arrow."""

    corners: tuple[tuple[float, float], ...]
    arrow: bool

    @property
    def start(self) -> tuple[float, float]:
        return self.corners[0]

    @property
    def end(self) -> tuple[float, float]:
        return self.corners[-1]

    def lies_on(self, other: Stroke) -> bool:
        """Whether a part of it lies along a part of another that neither starts nor ends alike."""
        for one, two in product((self.start, self.end), (other.start, other.end)):
            if hypot(one[0] - two[0], one[1] - two[1]) < 1:  # a line may lean by less than a pixel
                return False
        return any(
            along(one, two, axis)
            for one in pairwise(self.corners)
            for two in pairwise(other.corners)
            for axis in (0, 1)
        )

    def crosses(self, box: Rectangle) -> bool:
        """Whether it goes through the inside of a box (a bend counts with all that it spans)."""
        for (x, y), (to_x, to_y) in pairwise(self.corners):
            left, right = sorted((x, to_x))
            top, bottom = sorted((y, to_y))
            across = left < box.right - NEAR and right > box.left + NEAR
            if across and top < box.bottom - NEAR and bottom > box.top + NEAR:
                return True
        return False


@dataclass
class Drawing:
    """What an SVG file shows."""

    width: float
    height: float
    rectangles: list[Rectangle] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    shapes: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def boxes(self) -> list[Rectangle]:
        """All but the frames of open blocks."""
        return [one for one in self.rectangles if not one.is_frame]

    def joined(self) -> list[tuple[str, str]]:
        """Every way along the lines from one box to another, as the names of both."""
        found = []
        for box in self.boxes:
            for stroke in self.strokes:
                if is_at(stroke.start, box.left, box.right, box.bottom):
                    found += [(box.name, name) for name in self.ends(stroke)]
        return sorted(found)

    def ends(self, stroke: Stroke) -> Iterator[str]:
        """The boxes at which a line and those that go on from its end arrive."""
        if stroke.arrow:
            (name,) = (b.name for b in self.boxes if is_at(stroke.end, b.left, b.right, b.top))
            yield name
            return
        onwards = [s for s in self.strokes if is_at(stroke.end, s.start[0], s.start[0], s.start[1])]
        assert onwards, f"a line ends nowhere, at {stroke.end}"
        for other in onwards:
            yield from self.ends(other)


def along(one: tuple[Point, Point], two: tuple[Point, Point], axis: int) -> bool:
    """Whether two straight pieces go along an axis (0: across) on the same line, and overlap."""
    ends = [sorted(point[axis] for point in piece) for piece in (one, two)]
    others = [point[1 - axis] for piece in (one, two) for point in piece]
    same_line = max(others) - min(others) < NEAR
    return same_line and min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0]) > NEAR


def is_at(point: tuple[float, float], left: float, right: float, y: float) -> bool:
    """Whether a point lies on a horizontal line."""
    return left - NEAR <= point[0] <= right + NEAR and abs(point[1] - y) <= NEAR


def read(text: str) -> Drawing:
    """The picture of an SVG file's text."""
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    drawing = Drawing(width, height)
    for group in root.findall(f"{SVG}g"):
        visit(drawing, group, 0.0, 0.0, ())
    return drawing


def moved(data: dict[str, Any], packed: dict[str, Any]) -> Drawing:
    """The picture that a page draws of what it has placed, `data` being its own."""
    drawing = Drawing(packed["left"] + packed["right"], packed["height"])
    visit_packed(drawing, data, packed, packed["left"], 0.0, ())
    return drawing


def visit_packed(
    drawing: Drawing,
    data: dict[str, Any],
    packed: dict[str, Any],
    x: float,
    y: float,
    around: tuple[int, ...],
) -> None:
    """Read what stands in an open block whose axis is at x and whose top is at y."""
    for line in packed["lines"]:
        over = [(line["x"], line["bend"]), (line["to"], line["end"])]
        if not line["oblique"]:
            middle = (line["bend"] + line["end"]) / 2
            over = [(line["x"], middle), (line["to"], middle)]
        if abs(line["x"] - line["to"]) <= METRICS["straight"]:
            over = []
        ends = [(line["x"], line["top"]), *over, (line["to"], line["bottom"])]
        corners = tuple((a + x, b + y) for a, b in ends)
        drawing.strokes.append(Stroke(corners, line["arrow"]))
    drawing.shapes += [(at["x"] + x, at["y"] + y, at["text"]) for at in packed["labels"]]
    for child in packed["children"]:
        box, item = child["box"], data["items"][child["box"]["item"]]
        left, top = x + child["x"] - box["left"], y + child["y"]
        right, bottom = x + child["x"] + box["right"], top + box["height"]
        name = f"output {item['name']}" if item["kind"] == "output" else item["name"]
        is_frame = bool(box["children"])
        drawing.rectangles.append(Rectangle(name, left, top, right, bottom, is_frame, around))
        if is_frame:
            place = (*around, len(drawing.rectangles) - 1)
            visit_packed(drawing, data, box, x + child["x"], top, place)


def visit(
    drawing: Drawing, group: ElementTree.Element, x: float, y: float, around: tuple[int, ...]
) -> None:
    """Read a group, whose own shift is added to that of the groups around it."""
    shift = re.fullmatch(r"translate\((\S+) (\S+)\)", group.attrib["transform"])
    assert shift is not None
    x, y = x + float(shift[1]), y + float(shift[2])
    title = group.find(f"{SVG}title")
    if title is not None:
        rectangle = rectangle_of(group, title.text or "", x, y, around)
        drawing.rectangles.append(rectangle)
        around = (*around, len(drawing.rectangles) - 1)
    for path in group.findall(f"{SVG}path"):
        corners = tuple((a + x, b + y) for a, b in corners_of(path.attrib["d"]))
        drawing.strokes.append(Stroke(corners, "marker-end" in path.attrib))
    for label in group.findall(f"{SVG}text[@class='shape']"):
        place = (float(label.attrib["x"]) + x, float(label.attrib["y"]) + y)
        drawing.shapes.append((*place, label.text or ""))
    for child in group.findall(f"{SVG}g"):
        visit(drawing, child, x, y, around)


def rectangle_of(
    group: ElementTree.Element, name: str, x: float, y: float, around: tuple[int, ...]
) -> Rectangle:
    """The outline of a box around its axis at x, from its top at y."""
    frame = group.find(f"{SVG}rect[@class='frame']")
    if frame is not None:
        left, width = float(frame.attrib["x"]) + x, float(frame.attrib["width"])
        return Rectangle(
            name, left, y, left + width, y + float(frame.attrib["height"]), True, around
        )
    circle = group.find(f"{SVG}circle")
    if circle is not None:
        radius = float(circle.attrib["r"])
        return Rectangle(name, x - radius, y, x + radius, y + 2 * radius, False, around)
    outlines = group.findall(f"{SVG}rect")
    if outlines[0].attrib["class"] == "output":
        name = f"output {name}"
    half = float(outlines[-1].attrib["width"]) / 2
    bottom = max(float(o.attrib["y"]) + float(o.attrib["height"]) for o in outlines)
    return Rectangle(name, x - half, y, x + half, y + bottom, False, around)


def corners_of(data: str) -> Iterator[tuple[float, float]]:
    """The corners of a path, a curve being its end points."""
    x = y = 0.0
    for command, rest in re.findall(r"([MVHQC])([^MVHQC]*)", data):
        numbers = [float(number) for number in rest.split()]
        if command == "V":
            (y,) = numbers
        elif command == "H":
            (x,) = numbers
        else:
            x, y = numbers[-2:]
        yield x, y
