"""ONNX padding."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.parts import FAR, part, sliced
from compiler.importers.from_onnx.reading import Reading, Value, all_counted, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.importers.from_onnx.views import Bordered
from compiler.importers.window_arguments import pads
from compiler.values import Tensor

PAD_MODES = {"constant": "zero", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}


@converts("Pad")
def pad(reading: Reading) -> Value:
    """Pixels around the map, zeros around the channels; another constant is shifted to 0."""
    x = reading.tensor(0)
    mode = reading.get("mode", "constant")
    if mode not in (*PAD_MODES, "wrap"):
        raise Refused(f"its mode is {mode}")
    given = [int(p) for p in (reading.get("pads") or reading.sizes(1)) if not isinstance(p, Dim)]
    value = float(reading.get("value", 0.0))
    if reading.has(2):
        value = float(reading.array(2).reshape(-1)[0])
    rank = len(x.shape) + reading.batch
    named = reading.sizes(3) if reading.has(3) else range(rank)
    axes = all_counted(named, rank)
    if len(given) != 2 * len(axes):
        raise Refused(f"it has {len(given)} pads for {len(axes)} axes")
    pairs = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        pairs[axis] = (given[place], given[place + len(axes)])
    if reading.batch and pairs[0] != (0, 0):
        raise Refused("it pads the batch")
    if any(p < 0 for pair in pairs for p in pair):
        if mode != "constant" and any(p > 0 for pair in pairs for p in pair):
            raise Refused("its padding is negative and positive")
        x = without_borders(reading, x, pairs[reading.batch :])
        pairs = [(max(before, 0), max(after, 0)) for before, after in pairs]
    around = pairs[reading.batch :]
    if mode == "constant" and value <= -LARGEST / 2 and not any(around[0]):
        return Bordered(x, tuple(around[1:])) if any(map(any, around)) else x
    if mode == "wrap":
        return wrapped(reading, x, pairs[reading.batch :])
    return padded(reading, x, pairs[reading.batch :], PAD_MODES[mode], value)


def without_borders(reading: Reading, x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """What a negative padding leaves along each axis."""
    for axis, (before, after) in enumerate(pairs):
        if before < 0 or after < 0:
            bounds = (-min(before, 0), min(after, 0) or FAR)
            x = sliced(reading, x, bounds, axis + reading.batch, 1)
    return x


def wrapped(reading: Reading, x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """Each axis continued by its own other end."""
    for axis, (before, after) in enumerate(pairs):
        size = x.shape[axis]
        if not before and not after:
            continue
        if isinstance(size, Dim) or max(before, after) > size:
            raise Refused("it wraps around more than there is, or a symbolic size")
        parts = [part(reading, x, axis, size - before, size)] if before else []
        parts += [x, *([part(reading, x, axis, 0, after)] if after else [])]
        x = reading.add("concat", *parts, axis=axis)
    return x


def padded(
    reading: Reading, x: Tensor, pairs: list[tuple[int, int]], mode: str, value: float
) -> Tensor:
    """Channels and pixels padded."""
    if abs(value) > LARGEST / 2:
        raise Refused(f"it pads with {value:g}")
    shifted = mode == "zero" and value != 0 and any(map(any, pairs))
    if shifted:
        x = reading.add("shift", x, offset=-single(value))
    if any(pairs[0]) and mode != "zero":
        if len(x.shape) > 3:
            raise Refused(f"it pads the channels with mode {mode}")
        map_of_one = to_shape(reading, x, (1, *x.shape))
        y = reading.add("pad", map_of_one, amount=pads(tuple(pairs)), mode=mode)
        return to_shape(reading, y, y.shape[1:])
    if any(pairs[0]):
        x = reading.add("pad_channels", x, before=pairs[0][0], after=pairs[0][1])
    if any(map(any, pairs[1:])):
        x = reading.add("pad", x, amount=pads(tuple(pairs[1:])), mode=mode)
    return reading.add("shift", x, offset=single(value)) if shifted else x
