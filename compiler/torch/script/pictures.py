"""How a picture becomes a part of a sample, as a Python function; see `runtime/pictures.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.pictures import Picture, both_sides
from compiler.training.model import Data

OPENED = '''
def opened(source, mode):
    """A picture upright, what is transparent over white."""
    image = Image.fromarray(source) if isinstance(source, np.ndarray) else Image.open(source)
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":
        raise ValueError(f"{source} has more than 8 bits, which this script does not read")
    if mode != "RGBA" and image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert(mode)
'''


def is_picture(part: Data) -> bool:
    """Whether a picture can become this part."""
    return part.classes is None and (part.picture or Picture()).complaint(part.shape) is None


def picture_function(part: Data) -> str:
    """The function that makes the part of a picture's file or pixels."""
    return "\n".join(picture_lines(part, part.picture or Picture()))


def picture_lines(part: Data, picture: Picture) -> Iterator[str]:
    """Its lines."""
    channels = picture.channels(part.shape)
    high, wide = picture.sides(part.shape)
    mode = {1: "L", 3: "L" if picture.grey else "RGB", 4: "RGBA"}[channels]
    yield f"def {function_name(part)}(source):"
    yield f'    """A picture as `{part.name}`, {list(part.shape)}."""'
    yield f'    image = opened(source, "{mode}")'
    if isinstance(picture.resize, int):
        yield "    short = min(image.size)"
        yield f"    sides = [max(1, int({picture.resize} * side / short)) for side in image.size]"
        yield "    image = image.resize(sides, Image.Resampling.BILINEAR)"
    elif picture.resize is not None:
        height, width = picture.resize
        yield f"    image = image.resize(({width}, {height}), Image.Resampling.BILINEAR)"
    crop = both_sides(picture.crop)
    if crop is not None:
        height, width = crop
        yield f"    if image.width < {width} or image.height < {height}:"
        yield f'        raise ValueError(f"{{source}} is too small for {height} by {width}")'
        yield f"    left = round((image.width - {width}) / 2)"
        yield f"    top = round((image.height - {height}) / 2)"
        yield f"    image = image.crop((left, top, left + {width}, top + {height}))"
    yield f"    if image.size != ({wide}, {high}):"
    yield f'        raise ValueError(f"{{source}} is not {high} by {wide}")'
    yield "    values = np.asarray(image, dtype=np.float32) / np.float32(255)"
    yield f"    values = values{'.transpose(2, 0, 1)' if mode != 'L' else '[None]'}"
    if mode == "L" and channels != 1:
        yield f"    values = np.repeat(values, {channels}, axis=0)"
    low, black_to_white = picture.range[0], picture.range[1] - picture.range[0]
    if picture.range != (0.0, 1.0):
        yield f"    values = values * np.float32({black_to_white}) + np.float32({low})"
    if picture.order == "bgr":
        yield "    values = values[::-1]"
    if (picture.mean, picture.std) != (0.0, 1.0):
        yield f"    mean = np.array({listed(picture.mean)}, dtype=np.float32).reshape(-1, 1, 1)"
        yield f"    deviation = np.array({listed(picture.std)}, dtype=np.float32).reshape(-1, 1, 1)"
        yield "    values = (values - mean) / deviation"
    yield f"    return values{'.transpose(1, 2, 0)' if picture.layout == 'hwc' else ''}"


def listed(numbers: Any) -> list[float]:
    """One number or several, as a list."""
    return [float(n) for n in numbers] if isinstance(numbers, tuple | list) else [float(numbers)]


def function_name(part: Data) -> str:
    """The name of a part's function."""
    return f"picture_as_{part.name}"
