"""ONNX operators on whole maps: padding, enlarging, means over the pixels."""

from __future__ import annotations

from compiler.dims import Dim, Size, evaluate, symbols
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.importers.window_arguments import each, pads
from compiler.values import Tensor

TYPICAL = 5040  # a value of a symbol at which factors are guessed: many numbers divide it
PAD_MODES = {"constant": "zero", "edge": "replicate", "reflect": "reflect"}


@converts("Pad")
def pad(reading: Reading) -> Tensor:
    """Pixels around the map, zeros around the channels; another constant is shifted to 0."""
    x = reading.tensor(0)
    mode = reading.get("mode", "constant")
    if mode not in PAD_MODES:
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
    return padded(reading, x, pairs[reading.batch :], PAD_MODES[mode], value)


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


@converts("Upsample", "Resize")
def resize(reading: Reading) -> Tensor:
    """Enlarged by whole factors: `upsample`."""
    x = reading.tensor(0)
    factors = scales(reading, x)
    if all(factor == 1 for factor in factors):
        return x
    mode = reading.get("mode", "nearest")
    whole = [int(f) for f in factors if isinstance(f, int) or float(f).is_integer()]
    if len(whole) != len(factors) or min(whole) < 1:
        raise Refused(f"its factors {factors} are not whole")
    asked = reading.get("coordinate_transformation_mode", "half_pixel")
    rounding = reading.get("nearest_mode", "round_prefer_floor")
    old = reading.operator.type == "Upsample" or reading.opset < 11
    if mode == "nearest":
        # Repeating pixels: floor(x/s), which half_pixel rounds to as well at whole factors.
        plain = asked == "asymmetric" and rounding == "floor"
        if (
            not old
            and not plain
            and not (
                asked in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")
                and rounding.startswith("round")
            )
        ):
            raise Refused(f"nearest with {asked} and {rounding}")
        return reading.add("upsample", x, scale=each(whole))
    if mode != "linear" or old or not asked.endswith("half_pixel"):
        raise Refused(f"mode {mode} with {'asymmetric' if old else asked}")
    return reading.add("upsample", x, scale=each(whole), mode="bilinear")


def scales(reading: Reading, x: Tensor) -> list[float]:
    """The factor along each spatial axis, from scales or from wanted sizes."""
    index = 1 if reading.operator.type == "Upsample" or reading.opset < 11 else 2
    rank = len(x.shape) + reading.batch
    axes = [int(a) % rank for a in reading.get("axes") or range(rank)]
    full: list[float] = [1] * rank
    if reading.has(index) and reading.array(index).size:
        given = [float(s) for s in reading.array(index)]
    elif reading.get("scales"):
        given = [float(s) for s in reading.get("scales")]
    else:
        sizes: list[Size] = [*([1] * reading.batch), *x.shape]
        wanted = reading.sizes(3)
        given = [
            1.0 if axis < reading.batch else ratio(reading, size, sizes[axis])
            for axis, size in zip(axes, wanted, strict=True)
        ]
    for axis, factor in zip(axes, given, strict=True):
        full[axis] = factor
    if any(factor != 1 for factor in full[: reading.batch + 1]):
        raise Refused("it resizes the batch or the channels")
    return full[reading.batch + 1 :]


def ratio(reading: Reading, wanted: Size, have: Size) -> float:
    """By which factor a size grows; of symbolic sizes a whole number, learned to be exact."""
    if not isinstance(wanted, Dim) and not isinstance(have, Dim):
        return wanted / have
    large = dict.fromkeys(symbols(wanted) | symbols(have), TYPICAL)
    factor = round(evaluate(wanted, large) / evaluate(have, large))
    if factor < 1 or not reading.builder.equate(have * factor, wanted):
        raise Refused(f"the factor from {have} to {wanted} is not a whole number")
    return factor


@converts("ReduceMean", "ReduceMax")
def reduce(reading: Reading) -> Tensor:
    """The mean or maximum of each whole map: `gap`, `gmp`."""
    x = reading.tensor(0)
    given = reading.sizes(1) if reading.has(1) else reading.get("axes")
    rank = len(x.shape) + reading.batch
    axes = sorted(
        int(a) % rank
        for a in (given if given is not None else range(rank))
        if not isinstance(a, Dim)
    )
    if axes != [*range(1 + reading.batch, rank)] or not axes or not reading.batch:
        raise Refused(f"it is taken over the axes {axes}, not over each whole map")
    y = reading.add("gap" if reading.operator.type == "ReduceMean" else "gmp", x)
    return y if reading.get("keepdims", 1) else to_shape(reading, y, y.shape[:1])
