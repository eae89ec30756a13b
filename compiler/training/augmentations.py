"""Augmentations: what is done to a sample at random, in training only.

Each is a dataclass of its arguments, as an op is; `runtime/training/augment.py` does them. What
changes the shape (`crop`) is done in evaluation, too, from the centre.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from compiler.ops.arguments import POSITIVE, Extent, Kind, Named, arg, extent, number, whole
from grammar.records import dataclass

Sizes: TypeAlias = tuple[int, ...]


def _share(value: Any) -> float:
    if not 0 <= number(value) <= 1:
        raise ValueError
    return float(value)


SHARE = Kind("a number from 0 to 1", _share)


@dataclass(frozen=True)
class Augmentation(Named):
    """The base of all augmentations."""

    picture_only: ClassVar[bool] = True  # needs height and width behind the channels

    def shape(self, shape: Sizes) -> Sizes:
        """The shape of a sample afterwards; raises ValueError with the reason."""
        return shape


def sides(size: int | Extent) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


@dataclass(frozen=True)
class RandomCrop(Augmentation, name="crop"):
    """A part at a random place, of the picture with `pad` zeros around it; the centre later on."""

    size: int | Extent = arg(extent(1), doc="side of the part, or height x width")
    pad: int = arg(whole(0), 0, "zeros around the picture first")

    def shape(self, shape: Sizes) -> Sizes:
        high, wide = sides(self.size)
        for side, have in zip((high, wide), shape[1:], strict=True):
            if side > have + 2 * self.pad:
                whole_picture = " by ".join(str(s + 2 * self.pad) for s in shape[1:])
                raise ValueError(f"a part of {high} by {wide} does not fit in {whole_picture}")
        return (shape[0], high, wide)


@dataclass(frozen=True)
class Flip(Augmentation, name="flip"):
    """Left and right exchanged with probability `p`."""

    p: float = arg(SHARE, 0.5, "how likely")


@dataclass(frozen=True)
class RandomShift(Augmentation, name="shift"):
    """Moved by up to `amount` pixels along each side, zeros where nothing was."""

    amount: int = arg(whole(0), doc="the most pixels")


@dataclass(frozen=True)
class Rotate(Augmentation, name="rotate"):
    """Turned about the centre by up to `degrees` either way, bilinear, zeros outside."""

    degrees: float = arg(POSITIVE, doc="the largest angle")


@dataclass(frozen=True)
class Colour(Augmentation, name="colour"):
    """Brightness, contrast and saturation, each times a factor within 1 - x and 1 + x."""

    brightness: float = arg(SHARE, 0.4, "of all values")
    contrast: float = arg(SHARE, 0.4, "about the mean grey of the picture")
    saturation: float = arg(SHARE, 0.4, "about the grey of each pixel; 3 channels only")


@dataclass(frozen=True)
class PcaColour(Augmentation, name="pca_colour"):
    """Noise along the principal axes of the picture's colours (Krizhevsky et al., 2012, 4.1).

    Each eigenvector of the covariance of the picture's channels is added, times its eigenvalue's
    root and a number of mean 0 and this deviation.
    """

    deviation: float = arg(POSITIVE, 0.1, "of the noise")


@dataclass(frozen=True)
class Erase(Augmentation, name="erase"):
    """A rectangle of up to `share` of the area set to zero with probability `p`."""

    p: float = arg(SHARE, 0.5, "how likely")
    share: float = arg(SHARE, 0.33, "the largest part of the area")


@dataclass(frozen=True)
class Mixup(Augmentation, name="mixup"):
    """Each sample mixed with another of its batch, and their classes (Zhang et al., 2018).

    The share is drawn from the beta distribution of `alpha`; classes become shares of classes,
    so that `label: class[10]` is fed as ten numbers.
    """

    picture_only: ClassVar[bool] = False

    alpha: float = arg(POSITIVE, 0.2, "of the beta distribution")


AUGMENTATIONS: dict[str, type[Augmentation]] = {
    a.name: a for a in (RandomCrop, Flip, RandomShift, Rotate, Colour, PcaColour, Erase, Mixup)
}
