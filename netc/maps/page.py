"""The maps as one HTML page, one picture, or a folder of pictures."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from compiler.ops.base import show_shape
from netc.maps import LayerMaps, Maps
from netc.maps.overlays import pictures_of
from runtime.pictures import encoded

SCALE = "Black is the smallest value of a layer, white the largest; strongest maps first."
TEMPLATE = Path(__file__).with_name("page.html")
STYLE = Path(__file__).with_name("maps.css")
MARGIN, LINE = 12, 18  # of the one large picture, pixels
PAPER, INK, FAINT = (255, 255, 255), (17, 17, 17), (110, 110, 110)


def page(maps: Maps) -> str:
    """One page that needs nothing else; the numbers of a map show where the pointer rests."""
    return (
        TEMPLATE.read_text(encoding="utf-8")
        .replace("{{maps.css}}", STYLE.read_text(encoding="utf-8"))
        .replace("{{name}}", escape(maps.net))
        .replace("{{remark}}", escape(remark(maps)))
        .replace("{{body}}", "\n".join(sections(maps)))
    )


def remark(maps: Maps) -> str:
    """How to read the maps, and what is not shown."""
    if not maps.left_out:
        return SCALE
    more = "layer is" if maps.left_out == 1 else "layers are"
    return f"{SCALE} {maps.left_out:,} more {more} left out: netc maps --layer shows any of them."


def sections(maps: Maps) -> Iterator[str]:
    """The parts of the page: the pictures, the first kernels, a part for each layer."""
    drawn = [list(pictures_of(seen)) for seen in maps.seen]
    if any(drawn):
        rows = "".join(
            f'<div class="row">{"".join(figure(caption, image) for _, caption, image in one)}</div>'
            for one in drawn
        )
        yield f"<section><h2>The picture</h2>{rows}</section>"
    if maps.kernels is not None:
        layer, image = maps.kernels
        what = f"the kernels of {layer}, each from its smallest to its largest value"
        yield f"<section><h2>{escape(layer)}: kernels</h2>{figure(what, image)}</section>"
    for layers in zip(*(seen.layers for seen in maps.seen), strict=True):
        first = layers[0]
        boards = "".join(board(layer) for layer in layers)
        yield (
            f'<section id="{escape(first.name)}"><h2>{escape(first.name)} '
            f"<small>{escape(words_of(first))}</small></h2>"
            f'<div class="row">{boards}</div></section>'
        )


def words_of(layer: LayerMaps) -> str:
    """A layer's op, shape, line, and how many of its maps are shown."""
    shown, count = len(layer.mosaic.tiles), layer.mosaic.count
    part = f", {shown} of {count} maps" if shown < count else ""
    return f"{layer.op} {show_shape(layer.shape)}, line {layer.line}{part}"


def figure(caption: str, image: Image.Image) -> str:
    """A drawing with its caption."""
    text = escape(caption)
    return (
        f'<figure><img src="{data_of(image)}" width="{image.width}" height="{image.height}" '
        f'alt="{text}"><figcaption>{text}</figcaption></figure>'
    )


def board(layer: LayerMaps) -> str:
    """A mosaic whose tiles tell their numbers."""
    mosaic = layer.mosaic
    width, height = mosaic.side
    tiles = "".join(
        f'<i style="left:{t.left}px;top:{t.top}px" title="map {t.channel}: {t.least:.4g} to '
        f'{t.largest:.4g}, mean {t.mean:.4g}"></i>'
        for t in mosaic.tiles
    )
    spread = f"{mosaic.low:.4g} to {mosaic.high:.4g}"
    return (
        f'<figure><div class="board" style="width:{mosaic.image.width}px;height:'
        f"{mosaic.image.height}px;--w:{width}px;--h:{height}px;background-image:"
        f'url({data_of(mosaic.image)})" role="img" aria-label="{escape(layer.name)}">{tiles}</div>'
        f"<figcaption>{spread}</figcaption></figure>"
    )


def data_of(image: Image.Image) -> str:
    """A picture as an address that holds it."""
    return "data:image/png;base64," + b64encode(png_of(image)).decode()


def png_of(image: Image.Image) -> bytes:
    """A picture as a file has it."""
    return encoded(Path("map.png"), image)


def files(maps: Maps) -> dict[str, bytes]:
    """A picture for each part, by file name."""
    found: dict[str, bytes] = {}
    for number, seen in enumerate(maps.seen, 1):
        suffix = f"-{number}" if len(maps.seen) > 1 else ""
        for kind, _, image in pictures_of(seen):
            found[f"{kind}{suffix}.png"] = png_of(image)
        for place, layer in enumerate(seen.layers, 1):
            safe = re.sub(r"[^\w.-]", "_", layer.name)[:80]
            found[f"{place:03}-{safe}{suffix}.png"] = png_of(layer.mosaic.image)
    if maps.kernels is not None:
        found["kernels.png"] = png_of(maps.kernels[1])
    return found


def poster(maps: Maps) -> Image.Image:
    """Everything in one picture, from top to bottom; several pictures side by side."""
    columns = [list(posted(maps, number)) for number in range(len(maps.seen))]
    font = ImageFont.load_default(13)
    parts = list(zip(*columns, strict=True))
    widths = [max(image.width for _, image in column) for column in columns]
    widths = [max(width, 320) for width in widths]
    heights = [max(image.height for _, image in row) + LINE + MARGIN for row in parts]
    size = (sum(widths) + MARGIN * (len(widths) + 1), sum(heights) + MARGIN)
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    top = MARGIN
    for row, height in zip(parts, heights, strict=True):
        left = MARGIN
        for (words, image), width in zip(row, widths, strict=True):
            while draw.textlength(words, font) > width and len(words) > 4:
                words = words[:-2].rstrip("…") + "…"
            draw.text((left, top), words, INK, font)
            paper.paste(image, (left, top + LINE))
            left += width + MARGIN
        top += height
    return paper


def posted(maps: Maps, number: int) -> Iterator[tuple[str, Image.Image]]:
    """The parts of one column: a line of words, and a drawing."""
    seen = maps.seen[number]
    for _, caption, image in pictures_of(seen):
        yield caption, image
    if maps.kernels is not None:
        yield f"{maps.kernels[0]}: kernels", maps.kernels[1]
    for layer in seen.layers:
        yield f"{layer.name}: {words_of(layer)}", layer.mosaic.image
