"""The `from picture(…)` clause: how a photograph becomes an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from compiler.ops.arguments import DEVIATIONS, FLAG, NUMBERS, Extent, Kind, arg, choice, extent
from grammar.diagnostics import NewArgument
from grammar.records import dataclass


def _ends(value: Any) -> tuple[float, float]:
    low, high = NUMBERS(list(value))
    if low == high:
        raise ValueError
    return low, high


def _sides(value: Any) -> int | Extent:
    size: int | Extent = extent(1).convert(value)
    if isinstance(size, Extent) and len(size) != 2:
        raise ValueError
    return size


SIDES = Kind("a whole number of at least 1 or height x width", _sides)
ENDS = Kind("two different numbers, the values of black and of white", _ends)


@dataclass(frozen=True)
class Picture:
    """Turn grey, resize, crop the centre, scale to a range, then (value - mean)/std per channel.

    `resize` is the length of the shorter side (or height x width), `crop` the side of the centre
    square (or height x width); without either the picture must already fit. `mean` and `std` are in
    the units of `range`, one number for each channel in the `order` of the input.
    """

    resize: int | Extent | None = arg(SIDES, None, "shorter side, or height x width")
    crop: int | Extent | None = arg(SIDES, None, "side of the centre, or height x width")
    mean: Any = arg(NUMBERS, 0.0, "subtracted from each channel, in units of `range`")
    std: Any = arg(DEVIATIONS, 1.0, "each channel is divided by it")
    range: tuple[float, float] = arg(ENDS, (0.0, 1.0), "the values of black and of white")
    grey: bool = arg(FLAG, False, "turn colours to grey first")
    order: str = arg(choice("rgb", "bgr"), "rgb", "the order of the colour channels")
    layout: str = arg(choice("chw", "hwc"), "chw", "which axis of the input's shape is channels")

    def channels(self, shape: Sequence[Any]) -> Any:
        """The channel count in an input's shape of three sizes."""
        return shape[2] if self.layout == "hwc" else shape[0]

    def sides(self, shape: Sequence[Any]) -> tuple[Any, Any]:
        """Height and width in an input's shape of three sizes."""
        return (shape[0], shape[1]) if self.layout == "hwc" else (shape[1], shape[2])

    def complaint(self, shape: Sequence[Any]) -> str | None:
        """What keeps this from making an input of a shape (ints, or anything for open sizes)."""
        if len(shape) != 3 or self.channels(shape) not in (1, 3, 4):
            end = ", C]" if self.layout == "hwc" else "]"
            start = "[" if self.layout == "hwc" else "[C, "
            return f"a picture is {start}H, W{end} with 1, 3 or 4 channels"
        channels = self.channels(shape)
        for name in ("mean", "std"):
            numbers = getattr(self, name)
            if isinstance(numbers, tuple) and len(numbers) not in (1, channels):
                return f"{name} has {len(numbers)} numbers for {channels} channels"
        if self.order == "bgr" and channels != 3:
            return f'order="bgr" is for 3 channels, the input has {channels}'
        if self.grey and channels == 4:
            return "grey=true leaves no transparency for a fourth channel"
        made, wanted = self.made, self.sides(shape)
        if made and self.has_other_sides(shape):
            return (
                f"the picture becomes {made[0]} by {made[1]}, "
                f"the input is {wanted[0]} by {wanted[1]}"
            )
        return None

    @property
    def made(self) -> tuple[int, int] | None:
        """Height and width of what a picture becomes; None when that depends on the picture."""
        whole = self.resize if isinstance(self.resize, tuple) else None
        return both_sides(self.crop) or both_sides(whole)

    def has_other_sides(self, shape: Sequence[Any]) -> bool:
        """Whether an input's height or width is a number that no picture becomes."""
        pairs = zip(self.sides(shape), self.made or (), strict=False)
        return any(isinstance(wanted, int) and wanted != made for wanted, made in pairs)

    def fitting(self, shape: Sequence[Any]) -> tuple[tuple[Any, ...], NewArgument | None] | None:
        """For an input of other sides: the shape that would fit, and the argument that would."""
        if self.made is None or len(shape) != 3 or not self.has_other_sides(shape):
            return None
        channels, (h, w) = self.channels(shape), self.sides(shape)
        sizes = (*self.made, channels) if self.layout == "hwc" else (channels, *self.made)
        if self.complaint(sizes) is not None:
            return None
        if not isinstance(h, int) or not isinstance(w, int):
            return sizes, None
        room = both_sides(self.resize)
        if self.crop is None:
            return sizes, NewArgument("resize", Extent((h, w)))
        fits = room is None or (h <= room[0] and w <= room[1])
        return sizes, NewArgument("crop", h if h == w else Extent((h, w))) if fits else None

    def described(self, channels: Any, *, pixels: bool = False) -> str:
        """In words what an input takes; with `pixels` only what is left to do outside the model."""
        colours = "RGB" if pixels else self.order.upper()
        if self.grey and channels != 1:
            colours = "grey in each channel"
        words = [{1: "grey", 4: "RGBA"}.get(channels, colours)]
        if isinstance(self.resize, int):
            words.append(f"shorter side resized to {self.resize}")
        elif self.resize is not None:
            words.append("resized to " + " x ".join(map(str, self.resize)))
        crop = both_sides(self.crop)
        if crop is not None and not (pixels and self.resize is None):
            words.append(f"then the centre {crop[0]} x {crop[1]}")
        if pixels:
            return "the pixels of a picture, 0 to 255: " + ", ".join(words)
        words.append("black is {:g} and white {:g}".format(*self.range))
        if (self.mean, self.std) != (0.0, 1.0):
            words.append(f"then (value - {numbers(self.mean)})/{numbers(self.std)}")
        return "a picture: " + ", ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """The form in a model's metadata: what is not the default."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    @classmethod
    def from_dict(cls, entries: dict[str, Any]) -> Picture:
        """The reverse of `as_dict`, from trusted or untrusted JSON; raises ValueError."""
        known = {field.name: field.metadata["kind"] for field in fields(cls)}
        if not isinstance(entries, dict) or not set(entries) <= set(known):
            raise ValueError("this is no picture description")
        return cls(
            **{name: known[name](value) for name, value in entries.items() if value is not None}
        )


def numbers(value: Any) -> str:
    """One number, or one for each channel in brackets."""
    listed = [f"{n:g}" for n in value] if isinstance(value, list | tuple) else []
    return f"[{', '.join(listed)}]" if listed else f"{value:g}"


def both_sides(size: int | Extent | None) -> tuple[int, int] | None:
    """Height and width of a crop; one number is a square."""
    if size is None:
        return None
    if isinstance(size, int):
        return size, size
    height, width = size
    return height, width
