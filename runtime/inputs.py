"""What an input takes, and what a call may give for it: files, folders, globs, pictures, arrays.

Everything given becomes samples: each has a name and is read when its turn comes.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runtime.arrays import Stored, store_npy, store_npz
from runtime.decode import SUFFIXES, Pixels
from runtime.errors import CallError
from runtime.files import no_file
from runtime.pictures import Augment, PictureInput, read_views

ARRAYS = frozenset({".npy", ".npz"})
KINDS = ARRAYS | SUFFIXES


class InputError(CallError):
    """Something given for an input that it cannot take."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model: shape per sample (text for open sizes), element type."""

    name: str
    shape: tuple[int | str, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class InputSpec(TensorSpec):
    """One input of a model, and how pictures become it.

    `pictures` is None for an input that no picture fits. The whole numbers of one lie `below` a
    limit, where it leads into a table.
    """

    pictures: PictureInput | None = None
    below: int | None = None

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a sample of this shape can be taken."""
        return len(shape) == len(self.shape) and all(
            not isinstance(want, int) or want == have
            for want, have in zip(self.shape, shape, strict=True)
        )

    @property
    def mirrored_axis(self) -> int | None:
        """The axis of a batch along which a picture is mirrored; None for other inputs."""
        if len(self.shape) != 3:
            return None
        last = self.pictures is None or (
            self.pictures.embedded != "nhwc" and self.pictures.clause.layout == "chw"
        )
        return 3 if last else 2


@dataclass(frozen=True)
class Sample:
    """One sample of one input: `read` gives its views as a batch [V, …]."""

    name: str
    read: Callable[[], NDArray[Any]]


def samples_of(spec: InputSpec, given: Any, augment: Augment = "none") -> list[Sample]:
    """The samples of whatever was given for an input; raises `InputError`.

    A path (file, folder or glob), a Pillow picture, an array of one sample or of a batch, or a
    list of those. An array of uint8 that does not fit but could be a picture, [H, W] or [H, W, 3],
    is treated as one.
    """
    match given:
        case str() | Path():
            return [s for file in expand(str(given)) for s in samples_in(spec, file, augment)]
        case Image.Image():
            return [picture_sample(spec, "picture", given, augment)]
        case list() | tuple() if given and all(map(is_item, given)):
            return [s for item in given for s in samples_of(spec, item, augment)]
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise InputError(f"{spec.name} takes rows of equal length: {error}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{spec.name} takes numbers or pictures, not {type(given).__name__}")
    return array_samples(
        spec, "array", Stored(array.shape, str(array.dtype), lambda: array), augment
    )


def is_item(value: Any) -> bool:
    """Whether an element of a list is a sample by itself, not a number or a row of numbers."""
    return isinstance(value, str | Path | Image.Image | np.ndarray)


def expand(text: str, kinds: frozenset[str] = KINDS) -> list[str]:
    """The files that a path stands for: itself, those in a folder, or those of a glob, sorted.

    Of a folder those of these `kinds`, by the ends of their names.
    """
    if not text:
        raise InputError("the path is empty: name a file, a folder or a glob")
    path = Path(text)
    if path.is_file():
        return [text]
    if path.is_dir():
        found = [str(p) for p in path.iterdir() if p.suffix.lower() in kinds and p.is_file()]
        if not found:
            arrays = ", .npy or .npz files" if kinds & ARRAYS else ""
            raise InputError(f"the folder {text} holds no pictures{arrays}")
        return sorted(found)
    matches = glob.glob(text, recursive=True)  # noqa: PTH207  # a Path's glob is never absolute
    found = [name for name in matches if Path(name).is_file()]
    if not found:
        raise InputError(f"no file matches {text}" if glob.has_magic(text) else no_file(text))
    return sorted(found)


def samples_in(spec: InputSpec, file: str, augment: Augment) -> list[Sample]:
    """The samples in one file: a picture, or the rows of an array."""
    path = Path(file)
    match path.suffix.lower():
        case ".npy":
            return array_samples(spec, file, store_npy(path), augment)
        case ".npz":
            arrays = store_npz(path)
            if spec.name in arrays:
                return array_samples(spec, f"{file}:{spec.name}", arrays[spec.name], augment)
            if len(arrays) != 1:
                held = ", ".join(list(arrays)[:8]) or "nothing"
                raise InputError(f"{file} has no array called {spec.name}; it holds {held}")
            return array_samples(spec, file, next(iter(arrays.values())), augment)
    return [picture_sample(spec, file, path, augment)]


def picture_sample(spec: InputSpec, name: str, source: Pixels, augment: Augment) -> Sample:
    """A picture as a sample."""
    if spec.pictures is None:
        raise InputError(
            f"{spec.name} is {list(spec.shape)}, and a picture has 1, 3 or 4 channels, height "
            "and width: give it an array"
        )
    return Sample(name, partial(read_views, source, spec.pictures, augment))


def array_samples(spec: InputSpec, name: str, stored: Stored, augment: Augment) -> list[Sample]:
    """An array as one sample, or as a batch of them."""
    rank = len(spec.shape)
    single = len(stored.shape) == rank and spec.fits(stored.shape)
    if not single and not spec.fits(stored.shape[1:]):
        pictures = picture_samples(spec, name, stored, augment)
        if pictures is not None:
            return pictures
        shape = ", ".join(map(str, ("N", *spec.shape)))
        raise InputError(
            f"the input {spec.name} is [{shape}] with the batch first, {name} is "
            f"{list(stored.shape)}{channels_last(spec, stored.shape)}"
        )
    if not np.can_cast(stored.dtype, spec.dtype, "same_kind"):
        raise InputError(f"{spec.name} takes {spec.dtype}, and {name} is {stored.dtype}")
    if single:
        return [Sample(name, partial(row, spec, stored, None, augment))]
    count = stored.shape[0]
    if not count:
        raise InputError(f"{name} has no samples: its shape is {list(stored.shape)}")
    kept = keep(stored)
    names = [name] if count == 1 else [f"{name}[{index}]" for index in range(count)]
    return [Sample(n, partial(row, spec, kept, i, augment)) for i, n in enumerate(names)]


def channels_last(spec: InputSpec, shape: tuple[int, ...]) -> str:
    """What helps where an array would fit with its last axis before height and width."""
    moved = (*shape[:-3], *shape[-1:], *shape[-3:-1])
    if spec.fits(moved) or spec.fits(moved[1:]):
        return "; its channels are last: numpy.moveaxis(x, -1, -3) brings them to the front"
    return ""


def keep(stored: Stored) -> Stored:
    """The same array, read from its file at most once."""
    held: list[NDArray[Any]] = []

    def read() -> NDArray[Any]:
        if not held:
            held.append(stored.read())
        return held[0]

    return Stored(stored.shape, stored.dtype, read)


def row(spec: InputSpec, stored: Stored, index: int | None, augment: Augment) -> NDArray[Any]:
    """One sample of an array as a batch of its views."""
    array = stored.read()
    sample = converted(spec, array if index is None else array[index])[None]
    if augment == "none":
        return sample
    if augment == "tencrop":
        raise InputError("ten crops are cut from pictures, and an array is given")
    if spec.mirrored_axis is None:
        raise InputError(f"{spec.name} is {list(spec.shape)}, which has no width to mirror")
    return np.concatenate([sample, np.flip(sample, spec.mirrored_axis)])


def converted(spec: InputSpec, values: NDArray[Any]) -> NDArray[Any]:
    """Numbers in the input's own type; raises `InputError` for those that it cannot hold."""
    with np.errstate(over="ignore"):
        made = np.asarray(values, dtype=spec.dtype)
    if spec.below is not None:
        outside = (made < 0) | (made >= spec.below)
        if outside.any():
            raise InputError(
                f"{spec.name} takes whole numbers from 0 to {spec.below - 1}, "
                f"which {made[outside].flat[0]} is not"
            )
    if np.asarray(values).dtype == made.dtype:
        return made
    if made.dtype.kind in "iu":
        lost = made != values
    else:
        lost = np.isinf(made) & ~np.isinf(values)
    if lost.any():
        raise InputError(f"{spec.name} takes {spec.dtype}, which {values[lost].flat[0]:g} is not")
    return made


def picture_samples(
    spec: InputSpec, name: str, stored: Stored, augment: Augment
) -> list[Sample] | None:
    """An array of uint8 as a picture [H, W] or [H, W, 3], or as several; None if it is none."""
    if spec.pictures is None or stored.dtype != "uint8":
        return None
    array = stored.read()
    if is_picture(array.shape):
        return [picture_sample(spec, name, array, augment)]
    if array.ndim > 2 and is_picture(array.shape[1:]):
        return [picture_sample(spec, f"{name}[{i}]", one, augment) for i, one in enumerate(array)]
    return None


def is_picture(shape: Sequence[int]) -> bool:
    """Whether a shape is that of a picture as Pillow has it."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
