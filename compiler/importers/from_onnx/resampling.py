"""ONNX resizing: whole factors, other sizes, and what only a matrix can say."""

from __future__ import annotations

from functools import partial
from math import floor
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from compiler.dims import Dim, Size, evaluate, symbols
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.constants import LARGEST, model_of
from compiler.importers.from_onnx.reading import BATCH, Reading, all_counted, converts
from compiler.importers.window_arguments import each, kernel
from compiler.onnx.resampling import COORDINATES, ROUNDINGS
from compiler.values import Tensor
from grammar.records import dataclass

TYPICAL = 5040  # a value of a symbol at which factors are guessed: many numbers divide it
MOST_NUMBERS = 4096  # in a matrix that a definition spells out
OURS = {theirs: ours for ours, theirs in COORDINATES.items()}
LARGEST_DIVISOR = 64  # of a factor: float32 has room for the rest of a size
FAR = 2**31  # a factor beyond which no size is
MODES = ("nearest", "linear", "cubic")
ROUNDED = {theirs: ours for ours, theirs in ROUNDINGS.items()}


@dataclass(frozen=True)
class WantedSize:
    """What an operator asks for along each axis of a sample: the factor and the size."""

    factors: list[float]
    sizes: list[Size]


@converts("Upsample", "Resize")
def resize(reading: Reading) -> Tensor:
    """`upsample` for whole factors, `resize` for other sizes, else a fixed matrix for each axis."""
    x = reading.tensor(0)
    wanted = asked_for(reading, x)
    mode = reading.get("mode", "nearest")
    old = reading.operator.type == "Upsample" or reading.opset < 11
    align = "asymmetric" if old else reading.get("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else reading.get("nearest_mode", "round_prefer_floor")
    known = {"tf_crop_and_resize", "half_pixel_symmetric", "pytorch_half_pixel", *OURS}
    if mode not in MODES or align not in known or rounding not in ROUNDED:
        raise Refused(f"ONNX has no mode {mode} with {align} and {rounding}")
    if tuple(wanted.sizes) == x.shape and align != "tf_crop_and_resize":
        reading.read |= reading.operator.attributes.keys()  # nothing comes of any of them
        return x
    if wanted.factors[0] == 1 and reading.batch:
        plain = all(map(partial(is_whole, reading), x.shape, wanted.sizes, wanted.factors))
        scale = each([int(f) for f in wanted.factors[1:]]) if plain else 1
        if plain and mode == "nearest" and repeats(align, rounding):
            return reading.add("upsample", x, scale=scale)
        if plain and mode == "linear" and align.endswith("half_pixel"):
            return reading.add("upsample", x, scale=scale, mode="bilinear")
        if is_plain(reading, x, align, wanted):
            return resized(reading, x, wanted, mode, OURS[align], ROUNDED[rounding])
    return by_matrices(reading, x, wanted)


def is_whole(reading: Reading, have: Size, size: Size, factor: float) -> bool:
    """Whether a size is a whole multiple of another: of symbolic ones, for all that they may be."""
    whole = float(factor).is_integer() and factor >= 1
    return whole and reading.builder.graph.facts.equal(have * int(factor), size)


def repeats(align: str, rounding: str) -> bool:
    """Whether the nearest pixels at a whole factor are floor(i/s): the pixels repeated."""
    if align == "asymmetric":
        return rounding == "floor"
    return align != "align_corners" and rounding.startswith("round")


def is_plain(reading: Reading, x: Tensor, align: str, wanted: WantedSize) -> bool:
    """Whether the op `resize` means the same; its corners meet whatever the factors are."""
    usual = float(reading.get("cubic_coeff_a", -0.75)) == -0.75
    usual = usual and not reading.get("exclude_outside", 0) and not reading.get("antialias", 0)
    fits = reading.get("mode", "nearest") != "cubic" or len(wanted.sizes) == 3
    fits = fits and not (align == "align_corners" and has_own_factors(x, wanted))
    fits = fits and (align == "align_corners" or not rounds_down(reading, x, wanted))
    return usual and fits and align in OURS and not stretched(reading)


def rounds_down(reading: Reading, x: Tensor, wanted: WantedSize) -> bool:
    """Whether a factor may not be the ratio of two sizes, since a symbolic one is rounded down."""
    if reading.has(3):
        return False  # which asks for a size, and has the ratio for a factor
    equal = reading.builder.graph.facts.equal
    for have, size, factor in zip(x.shape, wanted.sizes, wanted.factors, strict=True):
        over, under = factor.as_integer_ratio()
        if isinstance(have, Dim) and not equal(have * over, size * under):
            return True
    return False


def stretched(reading: Reading) -> bool:
    """Whether sizes were asked for with a policy that keeps the aspect ratio."""
    return bool(reading.get("keep_aspect_ratio_policy", "stretch") != "stretch")


def resized(
    reading: Reading, x: Tensor, wanted: WantedSize, mode: str, align: str, rounding: str
) -> Tensor:
    """The op `resize`, with the factors where they are not the ratio of the sizes."""
    sizes = wanted.sizes[1:]
    known = [size for size in sizes if isinstance(size, int)]
    factors = [single(factor) for factor in wanted.factors[1:]]
    arguments: dict[str, Any] = {"scale": factors} if has_own_factors(x, wanted) else {}
    if mode == "nearest":
        arguments["rounding"] = rounding
    return reading.add(
        "resize",
        x,
        size=each(known) if len(known) == len(sizes) else sizes,
        mode=mode,
        align=align,
        **arguments,
    )


def has_own_factors(x: Tensor, wanted: WantedSize) -> bool:
    """Whether any factor is not the ratio of the sizes (of symbolic ones, see `rounds_down`)."""
    return any(
        np.float32(size / have) != np.float32(factor)
        for have, size, factor in zip(x.shape, wanted.sizes, wanted.factors, strict=True)
        if isinstance(have, int) and isinstance(size, int)
    )


def asked_for(reading: Reading, x: Tensor) -> WantedSize:
    """The factor and size along each axis, from scales or from wanted sizes."""
    index = 1 if reading.operator.type == "Upsample" or reading.opset < 11 else 2
    full: list[Size] = [*([1] * reading.batch), *x.shape]
    axes = all_counted(reading.get("axes") or range(len(full)), len(full))
    factors: list[float] = [1.0] * len(full)
    sizes: list[Size] = list(full)
    given = reading.get("scales") or []
    if reading.has(index) and reading.array(index).size:
        given = reading.array(index).tolist()
    if given:
        if len(given) != len(axes) or not all(0 < factor < FAR for factor in given):
            raise Refused(f"its factors are {', '.join(f'{factor:g}' for factor in given)}")
        for axis, factor in zip(axes, given, strict=True):
            factors[axis] = float(factor)
            sizes[axis] = scaled(full[axis], float(factor))
    else:
        asked = reading.sizes(3)
        if len(asked) != len(axes) or any(isinstance(s, int) and s < 1 for s in asked):
            raise Refused(f"its sizes are {', '.join(map(str, asked))}")
        for axis, size in zip(axes, asked, strict=True):
            if axis >= reading.batch:
                factors[axis], sizes[axis] = ratio(size, full[axis]), size
            elif size not in (BATCH, reading.batch_size):
                raise Refused("it resizes the batch")
        if stretched(reading):
            keep_ratio(reading, axes, full, factors, sizes)
    if any(factor != 1 for factor in factors[: reading.batch]):
        raise Refused("it resizes the batch")
    return WantedSize(factors[reading.batch :], sizes[reading.batch :])


def scaled(size: Size, factor: float) -> Size:
    """floor(size * factor), of a symbolic size for factors that are short fractions."""
    if not isinstance(size, Dim):
        return floor(size * np.float32(factor))
    over, under = factor.as_integer_ratio()
    if under > LARGEST_DIVISOR:
        raise Refused(f"the factor {factor:g} of the symbolic size {size}")
    return size * over // under


def keep_ratio(
    reading: Reading, axes: list[int], full: list[Size], factors: list[float], sizes: list[Size]
) -> None:
    """One factor for all axes, the least or largest of those asked for."""
    least = reading.get("keep_aspect_ratio_policy") == "not_larger"
    factor = (min if least else max)(factors[axis] for axis in axes)
    for axis in axes:
        have = full[axis]
        if isinstance(have, Dim):
            raise Refused("it keeps the aspect ratio of a symbolic size")
        factors[axis], sizes[axis] = factor, floor(have * factor + 0.5)


def ratio(wanted: Size, have: Size) -> float:
    """By which factor a size grows; of symbolic sizes about which, which none need have exactly."""
    large = dict.fromkeys(symbols(wanted) | symbols(have), TYPICAL)
    return evaluate(wanted, large) / evaluate(have, large)


def by_matrices(reading: Reading, x: Tensor, wanted: WantedSize) -> Tensor:
    """Each axis times a fixed matrix: that axis as channels of a 1x1 convolution."""
    crops = reading.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    if crops and reading.get("extrapolation_value", 0.0):
        raise Refused("what lies outside takes a value of its own")
    rank = len(x.shape)
    named = all_counted(reading.get("axes") or (), rank + reading.batch)
    for axis, (size, factor) in enumerate(zip(wanted.sizes, wanted.factors, strict=True)):
        have = x.shape[axis]
        if isinstance(have, Dim) or isinstance(size, Dim):
            raise Refused("it resizes a symbolic size in a way that only a matrix can say")
        touched = crops and (not named or axis + reading.batch in named)
        if size == have and factor == 1 and not touched:
            continue
        matrix = matrix_of(reading, axis, have, size, factor)
        if matrix.size > MOST_NUMBERS:
            raise Refused(f"its matrix for an axis of {have} would be {matrix.shape}")
        order = [axis, *(a for a in range(rank) if a != axis)]
        weight = matrix.reshape(size, have, *(1,) * (rank - 1))
        moved = reading.add("transpose", x, order=order) if axis else x
        y = reading.add(
            "conv",
            moved,
            weights={"weight": weight},
            channels=size,
            kernel=kernel((1,) * max(rank - 1, 1)),
            bias=False,
            weight=weight.tolist(),
        )
        x = reading.add("transpose", y, order=[order.index(a) for a in range(rank)]) if axis else y
    return x


def matrix_of(reading: Reading, axis: int, have: int, size: int, factor: float) -> NDArray[Any]:
    """The matrix [size, have] of one axis: onnx's own evaluator on each unit vector.

    An axis whose size is rounded up is lengthened by its last pixel, which changes no pixel that
    is wanted, so that the evaluator, which rounds down, makes enough of them.
    """
    attributes = {
        name: value
        for name, value in reading.operator.attributes.items()
        if name not in ("axes", "keep_aspect_ratio_policy", "scales")
    }
    reading.read |= attributes.keys()
    given = {"mode": "nearest"} | attributes
    by_size = reading.has(3) and not stretched(reading)
    wide = have
    while not by_size and floor(wide * np.float32(factor)) < size:
        wide += 1
    if size * wide > LARGEST:
        raise Refused(f"its weights along an axis are {size:,} by {wide:,} numbers")
    x = np.pad(np.eye(have, dtype=np.float32), ((0, 0), (0, wide - have)), mode="edge")
    roi = roi_of(reading, axis)
    return evaluated(given, x, size, None if by_size else factor, roi, reading.opset)


def evaluated(
    attributes: dict[str, Any],
    x: NDArray[Any],
    size: int,
    factor: float | None,
    roi: NDArray[Any],
    opset: int,
) -> NDArray[Any]:
    """The matrix [size, rows of x] of the second axis of unit vectors, by a size or a factor."""
    feeds: dict[str, NDArray[Any]] = {"x": x, "roi": roi}
    if factor is None:
        feeds["sizes"] = np.array([len(x), size])
    else:
        feeds["scales"] = np.array([1, factor], dtype=np.float32)
    names = ["x", "roi", *(["", "sizes"] if factor is None else ["scales", ""])]
    node = onnx.helper.make_node("Resize", names, ["y"], **attributes)
    model = model_of(node, feeds, max(opset, 13))
    try:
        (result,) = list(ReferenceEvaluator(model).run(None, feeds))
    except Exception as error:  # the evaluator raises whatever its NumPy code does
        raise Refused(f"onnx cannot resize so: {error}") from None
    return np.asarray(result, dtype=np.float64)[:, :size].T


def roi_of(reading: Reading, axis: int) -> NDArray[Any]:
    """The region of one axis, behind that of the whole first axis of unit vectors."""
    if not reading.has(1) or not reading.array(1).size:
        return np.zeros(0, dtype=np.float32)
    flat = reading.array(1)
    count = flat.size // 2
    rank = len(reading.tensor(0).shape) + reading.batch
    named = all_counted(reading.get("axes") or range(count), rank)
    if flat.size != 2 * len(named):
        raise Refused(f"its region has {flat.size} numbers for {len(named)} axes")
    place = named.index(axis + reading.batch)
    return np.array([0, flat[place], 1, flat[place + count]], dtype=np.float32)
