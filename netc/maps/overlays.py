"""Drawings over the picture: heat, and the frame of a receptive field."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from netc.maps import Seen
from netc.maps.attention import Heat, PixelBox

SHORTEST = 224  # pixels of the shorter side of a picture as it is shown
# From black over violet and orange to a light yellow, evenly brighter: readable in grey too.
STOPS = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], float)
FRAME = (0, 160, 255)


def pictures_of(seen: Seen) -> Iterator[tuple[str, str, Image.Image]]:
    """What is drawn of the picture: a short name, a caption, the drawing."""
    if seen.picture is None:
        return
    yield "picture", f"{seen.name}, as the net gets it", enlarged(seen.picture)
    if seen.score is not None and seen.saliency is not None:
        what = f"{seen.score.name}: what its score depends on, pixel by pixel (saliency)"
        yield "saliency", what, heated(seen.picture, seen.saliency, 0.0)
    if seen.score is not None and seen.cam is not None:
        layer, heat = seen.cam
        what = f"{seen.score.name}: where {layer} speaks for it (Grad-CAM)"
        yield "gradcam", what, heated(seen.picture, heat, 0.45)
    if seen.looked is not None:
        row, column = seen.looked.at
        what = f"what {seen.looked.layer} sees at row {row}, column {column}"
        image = enlarged(seen.picture)
        if seen.looked.heat is not None:
            what += ": its receptive field, and how far it depends on each pixel"
            image = heated(seen.picture, seen.looked.heat, 0.25)
        if seen.looked.box is not None:
            framed(image, seen.looked.box, seen.picture.size)
        yield "field", what, image


def factor_of(picture: Image.Image) -> int:
    """How much larger a small picture is shown."""
    return max(1, -(-SHORTEST // min(picture.size)))


def enlarged(picture: Image.Image) -> Image.Image:
    """The picture in colour, its pixels as squares."""
    factor = factor_of(picture)
    width, height = picture.size
    colour = Image.fromarray(eight_bits(picture)).convert("RGB")
    return colour.resize((width * factor, height * factor), Image.Resampling.NEAREST)


def eight_bits(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a picture of any depth."""
    if picture.mode == "F":  # greys of more than eight bits, from 0 to 255
        return np.asarray(np.rint(np.clip(np.asarray(picture), 0, 255)), np.uint8)
    return np.asarray(picture.convert("RGB"))


def heated(picture: Image.Image, heat: Heat, keep: float) -> Image.Image:
    """Heat in colours, over a part of the grey picture; its largest value is the lightest."""
    below = enlarged(picture)
    most = float(heat.max())
    scaled = heat / most if most > 0 else np.zeros_like(heat)
    large = Image.fromarray(scaled.astype(np.float32)).resize(
        below.size,
        Image.Resampling.NEAREST if heat.shape == picture.size[::-1] else Image.Resampling.BICUBIC,
    )
    places = np.clip(np.asarray(large, float), 0, 1) * (len(STOPS) - 1)
    colours = np.stack(
        [np.interp(places, np.arange(len(STOPS)), STOPS[:, c]) for c in range(3)], axis=-1
    )
    grey = np.asarray(below.convert("L"), float)[..., None]
    return Image.fromarray(np.rint((1 - keep) * colours + keep * grey).astype(np.uint8))


def framed(image: Image.Image, box: PixelBox, size: tuple[int, int]) -> None:
    """Draw a receptive field's frame, as far as it lies on the picture."""
    across, down = image.width / size[0], image.height / size[1]
    left, top = max(0, box.left) * across, max(0, box.top) * down
    right = min(size[0], box.right + 1) * across - 1
    bottom = min(size[1], box.bottom + 1) * down - 1
    ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=FRAME, width=2)
