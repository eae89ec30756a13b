"""Photographs to tensors and back.

    decode ▸ (grey) ▸ resize ▸ crop ▸ scale to the range ▸ order ▸ (value - mean)/std ▸ layout

Resizing is Pillow's bilinear filter with antialiasing, on 8-bit pixels, as torchvision does it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from compiler.ops.arguments import Extent
from compiler.pictures import Picture, both_sides
from runtime.decode import PictureError, Pixels, decode, eight_bits
from runtime.files import write_whole

Augment: TypeAlias = Literal["none", "flip", "tencrop"]
VIEWS: dict[Augment, int] = {"none": 1, "flip": 2, "tencrop": 10}
MODES = (1, 3, 4)
AS_IT_IS = Picture()


@dataclass(frozen=True)
class PictureInput:
    """How pictures become one input: its shape per sample (text for open sizes) and its clause.

    `embedded` is the layout of the pixels where the model itself scales and normalises them.
    """

    shape: tuple[Any, ...]
    picture: Picture | None = None
    embedded: Literal["nhwc", "nchw"] | None = None

    @property
    def clause(self) -> Picture:
        """The clause, or the default one: the picture as it is, scaled to 0..1."""
        return self.picture or AS_IT_IS

    @property
    def channels(self) -> int:
        """How many channels the pixels have; raises `PictureError` for an input of no picture."""
        complaint = self.clause.complaint(self.shape)
        if complaint is not None:
            raise PictureError(complaint)
        return int(self.clause.channels(self.shape))


def read_views(source: Pixels, wanted: PictureInput, augment: Augment = "none") -> NDArray[Any]:
    """The views of one picture as a batch [V, …] in the input's own layout.

    V is 1; 2 with its mirror image (flip); 10 for the corners and the centre, then the mirror
    images of the five (tencrop; Krizhevsky et al. 2012, section 4.1). Raises `PictureError`.
    """
    channels = wanted.channels
    image = decode(source, channels, grey=wanted.clause.grey)
    name = source.name if isinstance(source, Path) else "the picture"
    views = cut(image, name, wanted, augment)
    rows = [pixels(view, channels, wanted) for view in views]
    return np.ascontiguousarray(np.stack(rows))


def cut(
    image: Image.Image, name: str, wanted: PictureInput, augment: Augment
) -> Sequence[Image.Image]:
    """The resized and cropped views of a picture."""
    image = resize(image, wanted.clause.resize)
    sides = wanted.clause.sides(wanted.shape)
    if augment == "tencrop":
        size = both_sides(wanted.clause.crop) or sides
        if not all(isinstance(side, int) for side in size):
            raise PictureError("ten crops need an input of fixed height and width")
        check_room(image, name, size)
        plain = [image.crop(box) for box in five_boxes(image, size)]
    else:
        if wanted.clause.crop is not None:
            size = both_sides(wanted.clause.crop) or sides
            check_room(image, name, size)
            image = image.crop(centre_box(image, size))
        check_sides(image, name, sides, wanted.picture is None)
        plain = [image]
    return plain if augment == "none" else plain + [ImageOps.mirror(view) for view in plain]


def resize(image: Image.Image, size: int | Extent | None) -> Image.Image:
    """The shorter side brought to `size` (or both to height x width), bilinear."""
    if size is None:
        return image
    if isinstance(size, int):
        short = min(image.size)
        width, height = (max(1, int(size * side / short)) for side in image.size)
    else:
        height, width = size
    if width * height > (Image.MAX_IMAGE_PIXELS or width * height):
        raise PictureError(f"a picture resized to {height} by {width} would have too many pixels")
    return image.resize((width, height), Image.Resampling.BILINEAR)


def centre_box(image: Image.Image, size: Sequence[int]) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of the centre; a half pixel is rounded to even."""
    height, width = size
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return left, top, left + width, top + height


def five_boxes(image: Image.Image, size: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """The boxes of the four corners and the centre."""
    height, width = size
    right, bottom = image.width - width, image.height - height
    corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)]
    return [(x, y, x + width, y + height) for x, y in corners] + [centre_box(image, size)]


def check_room(image: Image.Image, name: str, size: Sequence[int]) -> None:
    """Raise `PictureError` when a crop is larger than its picture."""
    height, width = size
    if height > image.height or width > image.width:
        raise PictureError(
            f"{name}: a crop of {height} by {width} does not fit into "
            f"{image.height} by {image.width} pixels"
        )


def check_sides(image: Image.Image, name: str, sides: Sequence[Any], plain: bool) -> None:
    """Raise `PictureError` when a picture has not the height and width that the input takes."""
    have = (image.height, image.width)
    if any(isinstance(w, int) and w != h for w, h in zip(sides, have, strict=True)):
        how = "; resize it, or say how in the definition: from picture(resize=…, crop=…)"
        raise PictureError(
            f"{name} is {have[0]} high and {have[1]} wide, the input takes "
            f"{sides[0]} by {sides[1]}{how if plain else ''}"
        )


def pixels(view: Image.Image, channels: int, wanted: PictureInput) -> NDArray[Any]:
    """One view as the input takes it: float32, or raw uint8 where the model does the rest."""
    if wanted.embedded is not None:
        array = np.asarray(eight_bits(view))
        maps = np.repeat(array[..., None], channels, axis=2) if array.ndim == 2 else array
        return maps if wanted.embedded == "nhwc" else maps.transpose(2, 0, 1)
    values = np.asarray(view, dtype=np.float32) / np.float32(255)
    planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    planes = normalise(np.broadcast_to(planes, (channels, *planes.shape[1:])), wanted.clause)
    return planes.transpose(1, 2, 0) if wanted.clause.layout == "hwc" else planes


def normalise(planes: NDArray[np.float32], picture: Picture) -> NDArray[np.float32]:
    """[C, H, W] from 0..1 to the range, reordered, less the mean, by the deviation."""
    low, high = picture.range
    if (low, high) != (0.0, 1.0):
        planes = planes * np.float32(high - low) + np.float32(low)
    if picture.order == "bgr":
        planes = planes[::-1]
    mean, deviation = (
        np.asarray(numbers, dtype=np.float32).reshape(-1, 1, 1)
        for numbers in (picture.mean, picture.std)
    )
    return (planes - mean) / deviation


def write_picture(path: Path, array: NDArray[Any], low: float = 0.0, high: float = 1.0) -> int:
    """Write [C, H, W] as a picture, `low` black and `high` white; how many values were clipped."""
    if array.ndim != 3 or array.shape[0] not in MODES:
        raise PictureError("a picture is written from 1, 3 or 4 channels, height and width")
    if not low < high:
        raise PictureError("the value of black must be below that of white")
    scaled = (array.astype(np.float64) - low) / (high - low)
    outside = int(((scaled < -1e-6) | (scaled > 1 + 1e-6)).sum())
    values = np.rint(np.clip(np.nan_to_num(scaled), 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(values[0] if len(values) == 1 else values.transpose(1, 2, 0))
    write_whole(path, encoded(path, image))
    return outside


def encoded(path: Path, image: Image.Image) -> bytes:
    """A picture in the form that a file's name stands for.

    In memory, since Pillow takes no notice when the system writes less to a file than it should.
    """
    form = Image.registered_extensions().get(path.suffix.lower())
    content = io.BytesIO()
    try:
        image.save(content, form)
    except (OSError, ValueError, KeyError) as error:
        raise PictureError(f"{path} cannot be written: {error}") from None
    return content.getvalue()
