"""What is done to a batch at random, and to one that is evaluated (`compiler/training/
augmentations.py` says what each means). Batches are [N, C, H, W] float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.training import augmentations
from compiler.training.augmentations import sides
from compiler.training.model import TrainingPlan
from runtime.training.randomness import generator

Batch: TypeAlias = NDArray[Any]
Random: TypeAlias = np.random.Generator
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def crop(op: augmentations.RandomCrop, batch: Batch, random: Random) -> Batch:
    """A part at a random place of each picture."""
    padded = pad(batch, op.pad)
    (high, wide), count = sides(op.size), len(batch)
    tops = random.integers(0, padded.shape[2] - high + 1, count)
    lefts = random.integers(0, padded.shape[3] - wide + 1, count)
    return cut(padded, tops, lefts, high, wide)


def pad(batch: Batch, amount: int) -> Batch:
    """Zeros around each picture."""
    return np.pad(batch, ((0, 0), (0, 0), (amount, amount), (amount, amount)))


def cut(batch: Batch, tops: Any, lefts: Any, high: int, wide: int) -> Batch:
    """The part of each picture that begins at its own top and left."""
    rows = tops[:, None] + np.arange(high)
    columns = lefts[:, None] + np.arange(wide)
    samples = np.arange(len(batch))[:, None, None]
    found = batch[samples, :, rows[:, :, None], columns[:, None, :]]  # [N, high, wide, C]
    return np.ascontiguousarray(np.moveaxis(found, -1, 1))


def centre(op: augmentations.RandomCrop, batch: Batch) -> Batch:
    """The part in the middle, for evaluation."""
    padded, (high, wide) = pad(batch, op.pad), sides(op.size)
    top, left = (padded.shape[2] - high) // 2, (padded.shape[3] - wide) // 2
    return np.ascontiguousarray(padded[:, :, top : top + high, left : left + wide])


def flip(op: augmentations.Flip, batch: Batch, random: Random) -> Batch:
    """Left and right exchanged in some."""
    chosen = random.random(len(batch)) < op.p
    return np.where(chosen[:, None, None, None], batch[..., ::-1], batch)


def shift(op: augmentations.RandomShift, batch: Batch, random: Random) -> Batch:
    """Each picture moved by its own few pixels."""
    down, right = random.integers(-op.amount, op.amount + 1, (2, len(batch)))
    padded = pad(batch, op.amount)
    return cut(padded, op.amount - down, op.amount - right, *batch.shape[2:])


def rotate(op: augmentations.Rotate, batch: Batch, random: Random) -> Batch:
    """Each picture turned by its own angle, bilinear, zeros outside."""
    angles = np.deg2rad(random.uniform(-op.degrees, op.degrees, len(batch)))
    high, wide = batch.shape[2:]
    y, x = np.mgrid[:high, :wide].astype(np.float64)
    y, x = y - (high - 1) / 2, x - (wide - 1) / 2
    cosine, sine = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    return bilinear(
        batch, cosine * y - sine * x + (high - 1) / 2, sine * y + cosine * x + (wide - 1) / 2
    )


def bilinear(batch: Batch, y: NDArray[Any], x: NDArray[Any]) -> Batch:
    """The pictures at positions [N, H, W] between their pixels, zero outside."""
    padded = pad(batch, 1)
    y = np.clip(y + 1, 0, padded.shape[2] - 1.001)
    x = np.clip(x + 1, 0, padded.shape[3] - 1.001)
    top, left = y.astype(np.int64), x.astype(np.int64)
    down, right = (y - top)[..., None], (x - left)[..., None]
    rows = np.arange(len(batch))[:, None, None]

    def at(dy: int, dx: int) -> NDArray[Any]:
        return np.asarray(padded[rows, :, top + dy, left + dx])

    upper = at(0, 0) * (1 - right) + at(0, 1) * right
    lower = at(1, 0) * (1 - right) + at(1, 1) * right
    mixed = upper * (1 - down) + lower * down
    return np.ascontiguousarray(np.moveaxis(mixed, -1, 1), dtype=np.float32)


def colour(op: augmentations.Colour, batch: Batch, random: Random) -> Batch:
    """Brightness, then contrast about the mean grey, then saturation about each pixel's grey."""

    def factors(amount: float) -> Any:
        drawn = random.uniform(1 - amount, 1 + amount, (len(batch), 1, 1, 1))
        return drawn.astype(np.float32)

    batch = batch * factors(op.brightness)
    mean = grey(batch).mean(axis=(1, 2, 3), keepdims=True)
    batch = (batch - mean) * factors(op.contrast) + mean
    tone = grey(batch)
    return np.asarray((batch - tone) * factors(op.saturation) + tone)


def grey(batch: Batch) -> Batch:
    """The grey of each pixel, [N, 1, H, W]."""
    if batch.shape[1] != 3:
        return np.asarray(batch.mean(axis=1, keepdims=True, dtype=np.float32))
    return np.asarray(np.einsum("nchw,c->nhw", batch, GREY)[:, None])


def pca_colour(op: augmentations.PcaColour, batch: Batch, random: Random) -> Batch:
    """Noise along the principal axes of each picture's colours."""
    pixels = batch.reshape(*batch.shape[:2], -1).astype(np.float64)
    pixels -= pixels.mean(axis=2, keepdims=True)
    covariance = pixels @ pixels.transpose(0, 2, 1) / pixels.shape[2]
    values, vectors = np.linalg.eigh(covariance)
    drawn = random.normal(0, op.deviation, values.shape) * np.sqrt(np.maximum(values, 0))
    added = (vectors @ drawn[..., None])[..., None]
    return np.asarray(batch + added.astype(np.float32))


def erase(op: augmentations.Erase, batch: Batch, random: Random) -> Batch:
    """A rectangle of zeros in some."""
    batch = batch.copy()
    high, wide = batch.shape[2:]
    for picture in batch:
        chosen, area, ratio, top, left = random.random(5)
        if chosen >= op.p:
            continue
        area, ratio = area * op.share * high * wide, np.exp((ratio - 0.5) * 2 * np.log(3))
        tall = int(np.clip(round(np.sqrt(area * ratio)), 1, high))
        broad = int(np.clip(round(np.sqrt(area / ratio)), 1, wide))
        top, left = int(top * (high - tall + 1)), int(left * (wide - broad + 1))
        picture[:, top : top + tall, left : left + broad] = 0
    return batch


AUGMENT: dict[type[augmentations.Augmentation], Callable[[Any, Batch, Random], Batch]] = {
    augmentations.RandomCrop: crop,
    augmentations.Flip: flip,
    augmentations.RandomShift: shift,
    augmentations.Rotate: rotate,
    augmentations.Colour: colour,
    augmentations.PcaColour: pca_colour,
    augmentations.Erase: erase,
}


def augmented(
    training: TrainingPlan, batch: Mapping[str, Batch], seed: int, draw: int
) -> dict[str, Batch]:
    """A batch changed at random as the training says; `draw` is the number of the batch."""
    found = dict(batch)
    for name, stages in training.augments:
        random = generator(seed, "augment", name, draw)
        for stage in stages:
            if isinstance(stage, augmentations.Mixup):
                mix(training, stage, name, found, random)
            else:
                found[name] = AUGMENT[type(stage)](stage, found[name], random)
    return shares_of(training, found)


def evaluated(training: TrainingPlan, batch: Mapping[str, Batch]) -> dict[str, Batch]:
    """A batch to be evaluated: parts from the centre, classes as the graph takes them."""
    found = dict(batch)
    for name, stages in training.augments:
        for stage in stages:
            if isinstance(stage, augmentations.RandomCrop):
                found[name] = centre(stage, found[name])
    return shares_of(training, found)


def mix(
    training: TrainingPlan,
    op: augmentations.Mixup,
    name: str,
    batch: dict[str, Batch],
    random: Random,
) -> None:
    """Blend each sample with another, and their classes with the same share."""
    others = random.permutation(len(batch[name]))
    share = random.beta(op.alpha, op.alpha, len(others)).astype(np.float32)
    batch.update(shares_of(training, batch))
    for each in (name, *soft(training)):
        along = share.reshape(-1, *[1] * (batch[each].ndim - 1))
        batch[each] = batch[each] * along + batch[each][others] * (1 - along)


def soft(training: TrainingPlan) -> Sequence[str]:
    """The classes that are fed as shares."""
    return [data.name for data in training.data if data.classes is not None and data.fed != ()]


def shares_of(training: TrainingPlan, batch: Mapping[str, Batch]) -> dict[str, Batch]:
    """Classes as shares where the graph takes them so: all of the one."""
    found = dict(batch)
    for data in training.data:
        if data.classes is not None and data.fed != () and found[data.name].ndim == 1:
            found[data.name] = np.eye(data.classes, dtype=np.float32)[found[data.name]]
    return found
