"""Picture files, and pictures in memory, to pixels: whatever the file's colour mode is.

The result is one of four Pillow modes, all with values from 0 to 255: `L` and `RGB` and `RGBA`
with 8 bits, `F` for a grey picture of 16 bits or of floats, which keeps its precision.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from compiler.files import open_regular
from runtime.errors import CallError

Pixels: TypeAlias = Path | bytes | Image.Image | NDArray[np.uint8]

SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".avif", ".tif", ".tiff", ".gif"),
        *(".ppm", ".pgm", ".jp2"),
    }
)
DEEPEST = 65535  # the white of a 16-bit picture


class PictureError(CallError):
    """A picture that cannot be read, written, or made to fit."""


def decode(source: Pixels, channels: int, *, grey: bool = False) -> Image.Image:
    """The pixels for an input of 1, 3 or 4 channels, turned as the camera says.

    Bytes are what a picture file holds.

    Transparent parts are laid over white, unless the input has the fourth channel for them. An
    array is a picture as Pillow has it: [H, W], [H, W, 3] or [H, W, 4] of uint8.
    """
    if isinstance(source, Path | bytes):
        return read(source, channels, grey)
    image = Image.fromarray(source) if isinstance(source, np.ndarray) else source
    return convert(image, channels, grey)


def read(source: Path | bytes, channels: int, grey: bool) -> Image.Image:
    """The pixels of a file; raises `PictureError`."""
    path = "the picture" if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = io.BytesIO(source) if isinstance(source, bytes) else open_regular(source)
            with opened as stream, Image.open(stream) as file:
                return convert(file, channels, grey)
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise PictureError(f"there is no picture {path}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(
            f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels, as a decompression bomb has: "
            "make it smaller first"
        ) from None
    except Exception as error:  # Pillow's readers raise nearly anything for a broken file
        raise PictureError(f"{path} is no picture that can be read: {error}") from None


def convert(image: Image.Image, channels: int, grey: bool) -> Image.Image:
    """An open picture in the mode for this many channels, upright."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        deep = Image.fromarray(deep_grey(image))
        return deep if channels != 4 else eight_bits(deep).convert("RGBA")
    if channels == 4:
        return image.convert("RGBA")
    if image.has_transparency_data:
        transparent = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, transparent).convert("RGB")
    return image.convert("L" if grey or channels == 1 else "RGB")


def deep_grey(image: Image.Image) -> NDArray[np.float32]:
    """The values of a 16-bit or floating-point grey picture, brought to 0..255."""
    values = np.asarray(image).astype(np.float32)
    if image.mode == "F":
        if not ((values >= 0) & (values <= 1)).all():
            raise PictureError(
                "a floating-point picture has values from 0 to 1; this one has "
                f"{values.min():g} to {values.max():g}"
            )
        return values * np.float32(255)
    if values.min() < 0 or values.max() > DEEPEST:
        raise PictureError(
            f"a deep picture has 16 bits, values from 0 to {DEEPEST}; this one has "
            f"{values.min():.0f} to {values.max():.0f}"
        )
    return values / np.float32(DEEPEST / 255)


def eight_bits(image: Image.Image) -> Image.Image:
    """A picture whose values are whole numbers; only `F` has others."""
    if image.mode != "F":
        return image
    values: Any = np.rint(np.clip(np.asarray(image), 0, 255))
    return Image.fromarray(values.astype(np.uint8))
