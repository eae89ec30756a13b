"""ONNX padding."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.parts import part
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.window_arguments import pads
from compiler.values import Tensor

PAD_MODES = {"constant": "zero", "edge": "replicate", "reflect": "reflect"}


@converts("Pad")
def pad(reading: Reading) -> Tensor:
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
    axes = [int(a) % rank for a in named if isinstance(a, int)]
    pairs = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        pairs[axis] = (given[place], given[place + len(axes)])
    if any(p < 0 for pair in pairs for p in pair):
        raise Refused("its padding is negative")
    if reading.batch and pairs[0] != (0, 0):
        raise Refused("it pads the batch")
    if mode == "wrap":
        return wrapped(reading, x, pairs[reading.batch :])
    return padded(reading, x, pairs[reading.batch :], PAD_MODES[mode], value)


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
    if any(pairs[0]):
        if mode != "zero":
            raise Refused(f"it pads the channels with mode {mode}")
        x = reading.add("pad_channels", x, before=pairs[0][0], after=pairs[0][1])
    if any(map(any, pairs[1:])):
        x = reading.add("pad", x, amount=pads(tuple(pairs[1:])), mode=mode)
    return reading.add("shift", x, offset=single(value)) if shifted else x
