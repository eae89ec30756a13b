"""Tensors as boxes to scale, as LeNet, AlexNet and VGG are drawn; or along a U."""

from __future__ import annotations

from math import log2, sqrt

from netc.plot.chain import LayerChain, Volume
from netc.plot.sheet import Sheet
from netc.plot.words import width_of
from runtime.errors import CallError

TALLEST, WIDEST = 170.0, 70.0  # of a volume's front and thickness, pixels
LEAST = 3.0  # of a side
DEPTH = (0.32, -0.32)  # of a pixel into the paper
BETWEEN = 26.0  # from one volume to the next, where an arrow stands
LEVEL = 92.0  # down from one level of a U to the next
LINE = 12.0


def size_of(one: Volume, chain: LayerChain) -> tuple[float, float, float]:
    """Height, depth and thickness on paper: sides to scale, channels as their square root."""
    largest = max(volume.side for volume in chain.volumes)
    most = max(volume.channels for volume in chain.volumes)
    if not one.sides:  # a vector stands upright
        return max(LEAST, TALLEST * sqrt(one.channels / most)), 0.0, 8.0
    scale = TALLEST / largest
    height = max(LEAST, one.sides[-2] * scale) if len(one.sides) > 1 else 14.0
    return height, max(LEAST, one.sides[-1] * scale), max(LEAST, WIDEST * sqrt(one.channels / most))


def volumes(chain: LayerChain, title: str) -> str:
    """The chain from left to right, skips as arcs above."""
    sheet, x = Sheet(), 0.0
    middles: list[tuple[float, float]] = []
    for place, one in enumerate(chain.volumes):
        height, depth, thickness = size_of(one, chain)
        across, up = depth * DEPTH[0], depth * -DEPTH[1]
        words = captions(one)
        width = max(thickness + across, *(width_of(text, 10) for text in words))
        left = x + (width - thickness - across) / 2
        if place:
            sheet.arrow((x - BETWEEN + 4, 0), (x - 4, 0))
        box(sheet, one, left, -height / 2 + up / 2, height, (across, up), thickness)
        for row, text in enumerate(words):
            y = TALLEST / 2 + 46 + LINE * row
            sheet.text(x + width / 2, y, text, "small bold" if row == 0 else "small")
        middles.append((left + (thickness + across) / 2, -height / 2 - up / 2))
        x += width + BETWEEN
    for start, end in chain.skips:
        arc(sheet, middles, start, end)
    return sheet.svg(title)


def captions(one: Volume) -> list[str]:
    """The lines below a volume: its shape, what made it, how many layers it stands for."""
    more = [f"{one.merged} tensors"] if one.merged > 1 else []
    return [one.words, one.made_by, *more]


def face_class(one: Volume) -> str:
    """Inputs are grey, vectors and what connects them orange, all else blue."""
    if not one.node.inputs:
        return "given"
    return "connect" if not one.sides else "front"


def box(
    sheet: Sheet,
    one: Volume,
    x: float,
    y: float,
    height: float,
    back: tuple[float, float],
    thickness: float,
) -> None:
    """A box whose front lies at x, y; `back` is how far its back is moved right and up."""
    across, up = back
    name = face_class(one)
    right, bottom = x + thickness, y + height
    if across:
        lid = [(x, y), (x + across, y - up), (right + across, y - up), (right, y)]
        sheet.shape(lid, "lid" if name == "front" else name)
        side = [(right, y), (right + across, y - up), (right + across, bottom - up)]
        sheet.shape([*side, (right, bottom)], "side" if name == "front" else name)
    sheet.rect(x, y, thickness, height, name)


def arc(sheet: Sheet, middles: list[tuple[float, float]], start: int, end: int) -> None:
    """A skip from above one volume to above another, over all between."""
    (x, y), (to_x, to_y) = middles[start], middles[end]
    x, to_x = x + 4, to_x - 4  # a volume may have one that begins and one that ends
    top = min(middles[at][1] for at in range(start, end + 1)) - 14 - 3 * (end - start)
    sheet.line([(x, y - 2), (x, top), (to_x, top), (to_x, to_y - 9)], "skip")
    sheet.arrow((to_x, to_y - 10), (to_x, to_y - 2))


def u_figure(chain: LayerChain, title: str) -> str:
    """The chain along a U, a level down for each halving; skips across it.

    Raises `CallError` for a net whose maps only shrink.
    """
    largest = max(one.side for one in chain.volumes)
    levels: list[int] = []
    for one in chain.volumes:  # a vector stays on the level of the maps before it
        same = levels[-1] if levels else 0
        levels.append(round(log2(largest / one.side)) if one.sides else same)
    lowest = levels.index(max(levels))
    if not any(level < levels[lowest] for level in levels[lowest:]):
        raise CallError(
            f"--style u is for nets whose maps shrink and grow again; {title} only shrinks: "
            "--style volumes draws it"
        )
    sheet, x = Sheet(), 0.0
    places: list[tuple[float, float, float, float]] = []
    for place, (one, level) in enumerate(zip(chain.volumes, levels, strict=True)):
        height = max(10.0, 0.4 * size_of(one, chain)[0])
        thickness = size_of(one, chain)[2]
        y = level * LEVEL
        width = max(thickness, *(width_of(text, 10) for text in captions(one)))
        left = x + (width - thickness) / 2
        sheet.rect(left, y - height / 2, thickness, height, face_class(one))
        for row, text in enumerate(captions(one)):
            name = "small bold" if row == 0 else "small"
            sheet.text(x + width / 2, y + height / 2 + 13 + LINE * row, text, name)
        places.append((left, left + thickness, y, height))
        if place:
            _, before, was, _ = places[-2]
            if was == y:
                sheet.arrow((before + 3, y), (left - 3, y))
            else:
                turn = (before + left) / 2
                sheet.line([(before + 3, was), (turn, was), (turn, y)], "wire")
                sheet.arrow((turn, y), (left - 3, y))
        x += width + BETWEEN * 0.9
    for start, end in chain.skips:
        _, right, y, height = places[start]
        left, _, to_y, to_height = places[end]
        top = min(y - height / 2, to_y - to_height / 2) - 10
        middle = (places[start][0] + right) / 2
        over = (left + places[end][1]) / 2
        corners = [(middle, y - height / 2 - 2), (middle, top), (over, top)]
        sheet.line([*corners, (over, to_y - to_height / 2 - 9)], "skip")
        sheet.arrow((over, to_y - to_height / 2 - 10), (over, to_y - to_height / 2 - 2))
    return sheet.svg(title)
