"""Photographs to tensors and back."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from compiler.pictures import Picture
from runtime.errors import CallError
from runtime.files import write_whole

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class PictureError(CallError):
    """A picture that cannot be read, written, or made to fit."""


def read_picture(
    path: Path, shape: tuple[Any, ...], picture: Picture | None
) -> NDArray[np.float32]:
    """A picture file as [1, C, H, W] float32; `shape` has text for sizes that may vary.

    With `picture`: the shorter side resized (bilinear), the centre cropped, values scaled to 0..1,
    then (value - mean)/std. Without, the picture must already fit.
    """
    if len(shape) != 3 or shape[0] not in MODES:
        raise PictureError("a picture fits an input of 1, 3 or 4 channels, height and width")
    image = load(path, MODES[shape[0]])
    if picture is not None:
        image = crop(resize(image, picture.resize), picture.crop)
    wanted = shape[1:]
    have = (image.height, image.width)
    if any(isinstance(w, int) and w != h for w, h in zip(wanted, have, strict=True)):
        hint = (
            ""
            if picture is not None
            else "; resize it, or say how in the definition: from picture(resize=…, crop=…)"
        )
        raise PictureError(
            f"{path.name} is {have[0]} high and {have[1]} wide, the input takes "
            f"{wanted[0]} by {wanted[1]}{hint}"
        )
    values = np.asarray(image, dtype=np.float32) / np.float32(255)
    planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    if picture is not None:
        mean = np.asarray(picture.mean, dtype=np.float32).reshape(-1, 1, 1)
        deviation = np.asarray(picture.std, dtype=np.float32).reshape(-1, 1, 1)
        if max(len(mean), len(deviation)) not in (1, shape[0]):
            raise PictureError(f"the picture's mean and std are not for {shape[0]} channels")
        planes = (planes - mean) / deviation
    return np.ascontiguousarray(planes[None], dtype=np.float32)


def load(path: Path, mode: str) -> Image.Image:
    """A picture file, turned as its camera says, in a colour mode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                return ImageOps.exif_transpose(file).convert(mode)
    except FileNotFoundError:
        raise PictureError(f"there is no picture {path}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{path} has too many pixels") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(f"{path} is no picture that can be read: {error}") from None


def resize(image: Image.Image, size: Any) -> Image.Image:
    """The shorter side brought to `size` (or both to height x width), bilinear."""
    if size is None:
        return image
    if isinstance(size, int):
        short = min(image.size)
        width, height = (max(1, int(size * side / short)) for side in image.size)
    else:
        height, width = size
    return image.resize((width, height), Image.Resampling.BILINEAR)


def crop(image: Image.Image, size: Any) -> Image.Image:
    """The centre of `size` x `size` (or height x width) pixels."""
    if size is None:
        return image
    height, width = (size, size) if isinstance(size, int) else size
    if height > image.height or width > image.width:
        raise PictureError(
            f"the centre of {height} by {width} does not fit into a picture of "
            f"{image.height} by {image.width}"
        )
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return image.crop((left, top, left + width, top + height))


def write_picture(path: Path, array: NDArray[Any], low: float = 0.0, high: float = 1.0) -> int:
    """Write [C, H, W] as a picture, `low` black and `high` white; how many values were clipped."""
    if array.ndim != 3 or array.shape[0] not in MODES:
        raise PictureError("a picture is written from 1, 3 or 4 channels, height and width")
    if not low < high:
        raise PictureError("the value of black must be below that of white")
    scaled = (array.astype(np.float64) - low) / (high - low)
    outside = int(((scaled < -1e-6) | (scaled > 1 + 1e-6)).sum())
    pixels = np.rint(np.clip(np.nan_to_num(scaled), 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    try:
        write_whole(path, lambda target: image.save(target))
    except (OSError, ValueError) as error:
        raise PictureError(f"{path} cannot be written: {error}") from None
    return outside
