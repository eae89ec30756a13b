"""A layer's tensor as a mosaic of its maps, the strongest first."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Planes: TypeAlias = NDArray[Any]  # [C, H, W]

SMALLEST, LARGEST = 56, 112  # pixels of a tile's longer side, as far as whole factors allow
GAP = 2
GROUND = 32  # the grey between tiles


@dataclass(frozen=True)
class Tile:
    """One map: its number in the layer, its place in the mosaic, and what its values are."""

    channel: int
    left: int
    top: int
    least: float
    largest: float
    mean: float


@dataclass(frozen=True)
class Mosaic:
    """Maps side by side: `low` is black and `high` white in all of them."""

    image: Image.Image
    tiles: tuple[Tile, ...]
    side: tuple[int, int]  # width and height of a tile
    low: float
    high: float
    count: int  # of maps in the layer, of which the strongest are shown


def planes_of(tensor: NDArray[Any]) -> Planes:
    """One sample as maps: of a clip the middle pictures; a wave, or a vector, is one picture."""
    match tensor.ndim:
        case 0:
            return tensor.reshape(1, 1, 1)
        case 1:
            return tensor.reshape(1, *folded(len(tensor)))
        case 2:
            return tensor[None]
        case 3:
            return tensor
    middle = tensor[(slice(None), *(size // 2 for size in tensor.shape[1:-2]))]
    return np.asarray(middle)


def folded(count: int) -> tuple[int, int]:
    """Rows and columns that hold a vector's numbers exactly, as near to a square as may be."""
    rows = next(r for r in range(int(sqrt(count)), 0, -1) if count % r == 0)
    return (rows, count // rows) if count // rows <= 16 * rows else (1, count)


def strongest(planes: Planes, most: int) -> list[int]:
    """The maps that vary the most, by standard deviation, the first of equal ones first."""
    finite = np.nan_to_num(planes.astype(np.float64), posinf=0, neginf=0)
    spread = finite.std(axis=(1, 2))
    return [int(c) for c in np.argsort(-spread, kind="stable")[:most]]


def mosaic_of(planes: Planes, most: int, order: list[int] | None = None) -> Mosaic:
    """The strongest maps, or those of `order`, in rows of about equal length."""
    shown = strongest(planes, most) if order is None else order
    values = planes[shown].astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    grey = greys(values, low, high)
    height, width = tile_size(*planes.shape[1:])
    columns = ceil(sqrt(len(shown) * height / width)) if width else 1
    columns = max(1, min(len(shown), columns))
    rows = ceil(len(shown) / columns)
    size = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    image = Image.new("L", size, GROUND)
    tiles = []
    for place, (channel, pixels) in enumerate(zip(shown, grey, strict=True)):
        row, column = divmod(place, columns)
        left, top = column * (width + GAP), row * (height + GAP)
        tile = Image.fromarray(pixels).resize((width, height), resampling(pixels, height))
        image.paste(tile, (left, top))
        plane = values[place]
        tiles.append(
            Tile(channel, left, top, *map(float, (plane.min(), plane.max(), plane.mean())))
        )
    return Mosaic(image, tuple(tiles), (width, height), low, high, len(planes))


def greys(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Values as greys from `low` to `high`; of one value only, the middle grey."""
    if not high > low:
        return np.full(values.shape, 128, np.uint8)
    finite = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = (finite - low) / (high - low)
    return np.asarray(np.rint(np.clip(scaled, 0, 1) * 255), np.uint8)


def tile_size(height: int, width: int) -> tuple[int, int]:
    """A map's size on the screen: small ones by a whole factor larger, large ones reduced."""
    longest = max(height, width)
    if longest > LARGEST:
        return (max(1, height * LARGEST // longest), max(1, width * LARGEST // longest))
    factor = max(1, ceil(SMALLEST / longest))
    return height * factor, width * factor


def resampling(pixels: NDArray[np.uint8], height: int) -> Image.Resampling:
    """Pixels stay squares where they are enlarged, and are averaged where they are reduced."""
    return Image.Resampling.NEAREST if height >= len(pixels) else Image.Resampling.BOX


def kernels_of(weight: NDArray[Any]) -> Image.Image:
    """Kernels [K, 3, H, W] of a first layer in colour, or [K, 1, H, W] in grey, each by itself."""
    colour = weight.shape[1] == 3
    tiles = []
    for kernel in weight.astype(np.float64):
        planes = greys(kernel, float(kernel.min()), float(kernel.max()))
        pixels = planes.transpose(1, 2, 0) if colour else planes[0]
        height, width = tile_size(*planes.shape[1:])
        tiles.append(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST))
    columns = ceil(sqrt(len(tiles)))
    width, height = (side + GAP for side in tiles[0].size)
    rows = ceil(len(tiles) / columns)
    size = (columns * width - GAP, rows * height - GAP)
    image = Image.new("RGB" if colour else "L", size, (GROUND,) * 3 if colour else GROUND)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        image.paste(tile, (column * width, row * height))
    return image
