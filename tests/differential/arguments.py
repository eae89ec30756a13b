"""Arguments of every op, drawn for an input; which of them suit it, `rules` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.differential import rearranged, windowed
from tests.differential.numbers import written
from tests.differential.pen import Pen
from tests.differential.rules import shape_of
from tests.differential.run import POSITIONS
from tests.differential.scope import Scope
from tests.differential.sizes import Invalid, Shape, channels_of
from tests.differential.windowed import INITS, Values, axes, divisor, fixed, maybe

TRIES = 4
EPSILONS = (1e-5, 1e-3, 0.1)


def nothing(pen: Pen, shape: Shape) -> Values:
    """Arguments of an op without parameters."""
    return {}


def prelu(pen: Pen, shape: Shape) -> Values:
    """One slope or many."""
    values: Values = {}
    maybe(pen, values, "channelwise", lambda: not pen.chance(2))
    return values


def number(name: str, *options: float, given: bool = False) -> Callable[[Pen, Shape], Values]:
    """Arguments of an op with one number, which must be given or may be left out."""

    def draw(pen: Pen, shape: Shape) -> Values:
        return {name: pen.one(options)} if given or pen.chance(2) else {}

    return draw


def any_axis(name: str) -> Callable[[Pen, Shape], Values]:
    """An op that takes any axis, counted from either end, or its usual one."""

    def draw(pen: Pen, shape: Shape) -> Values:
        values: Values = {}
        maybe(pen, values, name, lambda: pen.whole(-len(shape), len(shape) - 1))
        return values

    return draw


softmax = any_axis("axis")


def clip(pen: Pen, shape: Shape) -> Values:
    """Two bounds."""
    lo = pen.one((-1.0, 0.0, -0.25))
    return {"lo": lo, "hi": lo + pen.one((0.5, 1.0, 6.0))}


def bn(pen: Pen, shape: Shape) -> Values:
    """What only training looks at may be anything."""
    values = norm(pen, shape)
    maybe(pen, values, "momentum", lambda: pen.one((0.1, 0.01, 0.5)))
    return values


def lrn(pen: Pen, shape: Shape) -> Values:
    """An odd number of maps; constants that keep the base of the power above 0."""
    values: Values = {"size": pen.one((3, 1, 5, 7))}
    maybe(pen, values, "alpha", lambda: pen.one((0.5, 1e-4, 2.0)))
    maybe(pen, values, "beta", lambda: pen.one((0.5, 1.0, 0.25)))
    maybe(pen, values, "k", lambda: pen.one((2.0, 1.0, 0.5)))
    return values


def groupnorm(pen: Pen, shape: Shape) -> Values:
    """A divisor of the channels."""
    values: Values = {"groups": divisor(pen, channels_of(shape))}
    return values | norm(pen, shape)


def layernorm(pen: Pen, shape: Shape) -> Values:
    """Over any axes."""
    return norm(pen, shape) | some_axes(pen, shape)


def gelu(pen: Pen, shape: Shape) -> Values:
    """Exact or not."""
    values: Values = {}
    maybe(pen, values, "approximate", lambda: pen.chance(2))
    return values


def norm(pen: Pen, shape: Shape) -> Values:
    """With or without learned factors."""
    values: Values = {}
    maybe(pen, values, "eps", lambda: pen.one(EPSILONS))
    maybe(pen, values, "affine", lambda: pen.chance(2))
    return values


def dense(pen: Pen, shape: Shape) -> Values:
    """Units, bias, the start of the weight; along any axis of what is no vector."""
    units = pen.one((4, 1, 3, 6))
    values: Values = {"units": units}
    at = 0
    if len(shape) > 1 or pen.chance(8):
        values["axis"] = pen.whole(-len(shape), len(shape) - 1)
        at = values["axis"]
    features = shape[at]
    if not isinstance(features, int):
        raise Invalid
    maybe(pen, values, "bias", lambda: pen.chance(2))
    maybe(pen, values, "init", lambda: pen.one(INITS))
    if pen.chance(4) and units * features <= windowed.MOST_FIXED:
        values["weight"] = fixed(pen, [units, features])
    return values


def adaptive_avgpool(pen: Pen, shape: Shape) -> Values:
    """1 to 4 parts an axis."""
    return {"size": axes(pen, len(shape) - 1, 1, 4)}


def concat(pen: Pen, shape: Shape) -> Values:
    """Any axis."""
    return softmax(pen, shape)


def reduced(pen: Pen, shape: Shape) -> Values:
    """One axis, several or all."""
    values = some_axes(pen, shape)
    maybe(pen, values, "keep", lambda: pen.chance(2))
    return values


def some_axes(pen: Pen, shape: Shape) -> Values:
    """One axis, several or all."""
    values: Values = {}
    places = pen.shuffled([pen.one((axis, axis - len(shape))) for axis in range(len(shape))])
    count = pen.whole(0, len(places))
    if count:
        values["axis"] = places[0] if count == 1 and pen.chance(2) else places[:count]
    return values


def l2norm(pen: Pen, shape: Shape) -> Values:
    """Any axis; an eps that counts."""
    values = softmax(pen, shape)
    maybe(pen, values, "eps", lambda: pen.one((1e-12, 0.5, 2.0)))
    return values


def gather(pen: Pen, shape: Shape) -> Values:
    """A table of a few rows."""
    values: Values = {"rows": pen.whole(1, 5), "channels": pen.whole(1, 4)}
    maybe(pen, values, "init", lambda: pen.one(INITS))
    return values


def per_channel(pen: Pen, shape: Shape, *options: float) -> Any:
    """A number, or one for each channel."""
    if isinstance(shape[0], int) and pen.chance(2):
        return [pen.one(options) for _ in range(shape[0])]
    return pen.one(options)


def scale(pen: Pen, shape: Shape) -> Values:
    """Factors of any sign, 1 and 0 too."""
    return {"factor": per_channel(pen, shape, 2, -0.5, 0.5, 1.0, 0.0, 1.5)}


def shift(pen: Pen, shape: Shape) -> Values:
    """Offsets of any sign, 0 too."""
    return {"offset": per_channel(pen, shape, 1, 0.25, -0.5, 0.0)}


def normalize(pen: Pen, shape: Shape) -> Values:
    """Means of any sign, deviations above 0."""
    mean = per_channel(pen, shape, 0.5, -0.25, 0.0)
    return {"mean": mean, "std": per_channel(pen, shape, 0.5, 2.0, 1.0)}


STRATEGIES: Mapping[str, Callable[[Pen, Shape], Values]] = {
    "conv": windowed.conv,
    "deconv": windowed.deconv,
    "filter": windowed.filter_,
    "weightedpool": windowed.weightedpool,
    "maxpool": windowed.pool,
    "avgpool": windowed.avgpool,
    "lppool": windowed.lppool,
    "adaptive_avgpool": adaptive_avgpool,
    "bn": bn,
    "lrn": lrn,
    "groupnorm": groupnorm,
    "layernorm": layernorm,
    "instancenorm": norm,
    "leaky_relu": number("slope", 0.25, 0.0, -0.5),
    "thresholded_relu": number("threshold", 0.5, 0.0, -0.25),
    "prelu": prelu,
    "elu": number("alpha", 0.5, 2.0, -0.5),
    "celu": number("alpha", 0.5, 2.0),  # a negative one grows as e^-x: beyond float32
    "gelu": gelu,
    "power": number("exponent", 2, 3, 1, 0, given=True),
    "softmax": softmax,
    "log_softmax": softmax,
    "clip": clip,
    "dense": dense,
    "dropout": number("p", 0.25, 0.0),
    "drop_path": number("p", 0.25, 0.0, given=True),
    "adaptive_maxpool": adaptive_avgpool,
    "concat": concat,
    "reduce_mean": reduced,
    "reduce_sum": reduced,
    "reduce_max": reduced,
    "reduce_min": reduced,
    "l2norm": l2norm,
    "flatten": any_axis("first"),
    "reshape": rearranged.reshape,
    "transpose": rearranged.transpose,
    "crop": rearranged.crop,
    "pad": rearranged.pad,
    "upsample": rearranged.upsample,
    "resize": rearranged.resize,
    "slice": rearranged.slice_,
    "split": rearranged.split,
    "gather": gather,
    "channels": rearranged.channels,
    "pad_channels": rearranged.pad_channels,
    "channel_shuffle": rearranged.channel_shuffle,
    "pixel_shuffle": rearranged.pixel_shuffle,
    "pixel_unshuffle": rearranged.pixel_unshuffle,
    "scale": scale,
    "shift": shift,
    "normalize": normalize,
}


def values_for(pen: Pen, op: str, shape: Shape) -> Values:
    """Arguments with which `op` takes an input of this shape; raises `Invalid` after some tries."""
    spatial = op in windowed.SPATIAL
    if spatial and len(shape) < 2:
        raise Invalid
    for _ in range(TRIES):
        values = STRATEGIES.get(op, nothing)(pen, shape)
        try:
            shape_of(op, values, (shape,))
        except Invalid:
            continue
        return values
    raise Invalid


def arguments_text(
    pen: Pen, scope: Scope, op: str, values: Values
) -> tuple[tuple[str, str], ...] | None:
    """The arguments as a call writes them: some by position, the others by keyword in any order."""
    if not values:
        return () if pen.chance(8) else None
    leading = 0
    names = POSITIONS[op]
    while leading < len(names) and names[leading] in values:
        leading += 1
    places = pen.whole(0, leading)
    given = [("", written(pen, scope, values[name])) for name in names[:places]]
    rest = [name for name in names[places:] if name in values]
    return (*given, *((name, written(pen, scope, values[name])) for name in pen.shuffled(rest)))
