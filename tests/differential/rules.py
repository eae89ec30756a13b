"""What shape each op makes of its inputs, and what it refuses: a second account of the language.

`shape_of` raises `Invalid` for everything that the compiler would refuse, and for a result too
large to run a few thousand of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, TypeAlias

from tests.differential.sizes import (
    Invalid,
    Shape,
    Size,
    Symbolic,
    count_of,
    product_of,
    value_of,
)
from tests.differential.windows import Window, each_axis, slid, windows_of, written

Arguments: TypeAlias = Mapping[str, Any]

MOST_VALUES = 3000  # of one tensor
SAME_SHAPE_NAMES = """
bn prelu relu relu6 leaky_relu thresholded_relu elu celu selu gelu silu mish hardswish hardsigmoid
sigmoid tanh softsign softplus softmax log_softmax clip dropout identity abs exp log power scale
shift normalize
"""
SAME_SHAPE = frozenset(SAME_SHAPE_NAMES.split())
COUNTS, AMOUNTS = (  # at least 1, at least 0
    "channels kernel stride dilation groups units size p r scale h w",
    "pad output_pad amount first last before after top left",
)


def need(condition: bool) -> None:
    """Raise `Invalid` unless the condition holds."""
    if not condition:
        raise Invalid


def smallest(value: Any) -> int:
    """The least of the whole numbers in an argument, however they are nested."""
    if isinstance(value, list | tuple):
        return min(map(smallest, value))
    return value_of(value) if isinstance(value, int | Symbolic) else 1


def known(size: Size) -> int:
    """A size that must be a number."""
    if isinstance(size, Symbolic):
        raise Invalid
    return size


def shape_of(op: str, arguments: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """The shape that an op makes; raises `Invalid`."""
    for name, value in arguments.items():
        need(name in ("h", "w", "shape") or not isinstance(value, Symbolic))
    for names, least in ((COUNTS, 1), (AMOUNTS, 0)):
        given = (arguments[name] for name in names.split() if name in arguments)
        need(all(smallest(value) >= least for value in given))
    if op in JOINS:
        shape = JOINS[op](arguments, inputs)
    elif op in SAME_SHAPE:
        shape = inputs[0]
        check_elementwise(op, arguments, shape)
    else:
        shape = RULES[op](arguments, inputs[0])
    need(all(value_of(size) >= 1 for size in shape) and count_of(shape) <= MOST_VALUES)
    return shape


def check_elementwise(op: str, arguments: Arguments, shape: Shape) -> None:
    """What the ops that keep the shape ask of it."""
    if op == "bn" or (op == "prelu" and arguments.get("channelwise")):
        known(shape[0])
    for values in (arguments.get(name) for name in ("factor", "offset", "mean", "std")):
        need(not isinstance(values, list) or len(values) == known(shape[0]))
    if "axis" in arguments:
        need(-len(shape) <= arguments["axis"] < len(shape))


def conv(given: Arguments, shape: Shape) -> Shape:
    """conv: groups divide, the kernel fits, a mirror has enough pixels."""
    groups, channels = given.get("groups", 1), given["channels"]
    need(known(shape[0]) % groups == 0 and channels % groups == 0)
    windows = windows_of(
        shape[1:],
        given["kernel"],
        given.get("stride", 1),
        given.get("pad", 0),
        given.get("dilation", 1),
    )
    check_mirror(given.get("pad_mode"), shape[1:], windows)
    if "weight" in given:
        kernel = tuple(window.kernel for window in windows)
        need(dimensions(given["weight"]) == (channels, known(shape[0]) // groups, *kernel))
    return (channels, *slid(shape[1:], windows))


def check_mirror(mode: str | None, spatial: Shape, windows: Any) -> None:
    """`reflect` needs one pixel more than the padding."""
    for size, window in zip(spatial, windows, strict=True):
        need(mode != "reflect" or max(window.before, window.after) < value_of(size))


def dimensions(values: Any) -> tuple[int, ...]:
    """The lengths of nested lists."""
    return (len(values), *dimensions(values[0])) if isinstance(values, list) else ()


def deconv(given: Arguments, shape: Shape) -> Shape:
    """deconv: `same` is the size times the stride."""
    groups, channels, rank = given.get("groups", 1), given["channels"], len(shape) - 1
    need(rank >= 1 and known(shape[0]) % groups == 0 and channels % groups == 0)
    windows = transposed_windows(given, rank)
    extra = each_axis(given.get("output_pad", 0), rank)
    need(all(e < window.stride for e, window in zip(extra, windows, strict=True)))
    if "weight" in given:
        kernel = tuple(window.kernel for window in windows)
        need(dimensions(given["weight"]) == (known(shape[0]), channels // groups, *kernel))
    return (channels, *written(shape[1:], windows, extra))


def transposed_windows(given: Arguments, rank: int) -> tuple[Window, ...]:
    """The windows that a deconv writes."""
    kernel, pad = each_axis(given["kernel"], rank), given.get("pad", 0)
    stride = each_axis(given.get("stride", 1), rank)
    dilation = each_axis(given.get("dilation", 1), rank)
    if pad in ("same", "same_lower"):
        totals = [d * (k - 1) + 1 - s for k, d, s in zip(kernel, dilation, stride, strict=True)]
        need(min(totals) >= 0)
        halves = [(total // 2, (total + 1) // 2) for total in totals]
        pad = [pair if pad == "same" else pair[::-1] for pair in halves]
    ample = (10**6,) * rank  # a transposed window always fits
    return windows_of(ample, kernel, stride, pad, dilation)


def filter_(given: Arguments, shape: Shape) -> Shape:
    """filter: a kernel with a level for each axis."""
    windows = windows_of(
        shape[1:],
        dimensions(given["kernel_values"]),
        given.get("stride", 1),
        given.get("pad", 0),
        1,
    )
    check_mirror(given.get("pad_mode"), shape[1:], windows)
    return (known(shape[0]), *slid(shape[1:], windows))


def weightedpool(given: Arguments, shape: Shape) -> Shape:
    """weightedpool: as filter, without padding."""
    kernel = dimensions(given["kernel_values"])
    windows = windows_of(shape[1:], kernel, given.get("stride"), 0, 1)
    return (known(shape[0]), *slid(shape[1:], windows))


def pool(given: Arguments, shape: Shape) -> Shape:
    """maxpool, lppool: no window sees padding only."""
    ceil, pad = given.get("ceil", False), given.get("pad", 0)
    windows = windows_of(
        shape[1:],
        given["kernel"],
        given.get("stride"),
        pad,
        given.get("dilation", 1),
        ceil=ceil,
    )
    for size, window in zip(shape[1:], windows, strict=True):
        need(max(window.before, window.after) < window.extent)
        need(not window.before or window.dilation <= value_of(size))
    return (shape[0], *slid(shape[1:], windows, ceil=ceil))


def avgpool(given: Arguments, shape: Shape) -> Shape:
    """avgpool: a dilated mean over a symbolic size has all taps of every window count."""
    rank = len(shape) - 1
    made = pool(given, shape)
    windows = windows_of(
        shape[1:], given["kernel"], given.get("stride"), given.get("pad", 0), 1, ceil=True
    )
    for size, dilation, window in zip(
        shape[1:], each_axis(given.get("dilation", 1), rank), windows, strict=True
    ):
        padded = (window.before or window.after) and not given.get("count_pad", True)
        overhang = given.get("ceil") and window.stride > 1
        need(isinstance(size, int) or dilation == 1 or not (padded or overhang))
    return made


def global_pool(given: Arguments, shape: Shape) -> Shape:
    """gap, gmp: one number for each map."""
    need(len(shape) > 1)
    return (shape[0], *(1 for _ in shape[1:]))


def adaptive_avgpool(given: Arguments, shape: Shape) -> Shape:
    """adaptive_avgpool: only 1 part of a symbolic size."""
    need(len(shape) > 1)
    sizes = each_axis(given["size"], len(shape) - 1)
    pairs = zip(shape[1:], sizes, strict=True)
    need(all(isinstance(size, int) or parts == 1 for size, parts in pairs))
    return (shape[0], *sizes)


def groupnorm(given: Arguments, shape: Shape) -> Shape:
    """groupnorm: groups divide the channels."""
    need(known(shape[0]) % given["groups"] == 0)
    return shape


def layernorm(given: Arguments, shape: Shape) -> Shape:
    """layernorm: every size from the axis on is known."""
    axis = given.get("axis", 0)
    need(-len(shape) <= axis < len(shape))
    need(all(isinstance(size, int) for size in shape[axis % len(shape) :]))
    return shape


def instancenorm(given: Arguments, shape: Shape) -> Shape:
    """instancenorm: maps."""
    need(len(shape) > 1)
    known(shape[0])
    return shape


def lrn(given: Arguments, shape: Shape) -> Shape:
    """lrn: an odd number of maps."""
    need(given["size"] % 2 == 1 and len(shape) > 1)
    return shape


def dense(given: Arguments, shape: Shape) -> Shape:
    """dense: a vector of known length."""
    need(len(shape) == 1)
    features = known(shape[0])
    need("weight" not in given or dimensions(given["weight"]) == (given["units"], features))
    return (given["units"],)


def flatten(given: Arguments, shape: Shape) -> Shape:
    """flatten: all values in a row."""
    return (product_of(shape),)


def reshape(given: Arguments, shape: Shape) -> Shape:
    """reshape: known sizes may become anything; symbolic ones stay on their axis, or all merge."""
    wanted = given["shape"]
    if -1 not in wanted:
        need(product_of(tuple(wanted)) == product_of(shape))
        return tuple(wanted)
    rest = product_of(tuple(size for size in wanted if size != -1))
    if all(isinstance(size, int) for size in (*shape, *wanted)):
        total = prod(known(size) for size in shape)
        need(total % known(rest) == 0)
        return tuple(total // known(rest) if size == -1 else size for size in wanted)
    stay = [size for size, new in zip(shape, wanted, strict=False) if size == new]
    need(len(stay) == len(wanted) - 1 and wanted[-1] == -1)
    return (*stay, product_of(shape[len(stay) :]))


def transpose(given: Arguments, shape: Shape) -> Shape:
    """transpose: each axis once."""
    need(sorted(given["order"]) == [*range(len(shape))])
    return tuple(shape[axis] for axis in given["order"])


def crop(given: Arguments, shape: Shape) -> Shape:
    """crop: inside the map, and cut off by known amounts where what stays is symbolic."""
    need(len(shape) == 3)
    for size, keep, place in ((shape[1], "h", "top"), (shape[2], "w", "left")):
        left = size - given[keep] if isinstance(size, Symbolic) else size - known(given[keep])
        if isinstance(left, Symbolic):
            need(place in given and value_of(left) - given[place] >= 0)
        else:
            need(left >= given.get(place, 0))
    return (shape[0], given["h"], given["w"])


def pad(given: Arguments, shape: Shape) -> Shape:
    """pad: a mirror needs one pixel more than it makes."""
    need(len(shape) > 1)
    windows = windows_of((10**6,) * (len(shape) - 1), 1, 1, given["amount"], 1)
    check_mirror(given.get("mode"), shape[1:], windows)
    sums = (s + (w.before + w.after) for s, w in zip(shape[1:], windows, strict=True))
    return (shape[0], *sums)


def upsample(given: Arguments, shape: Shape) -> Shape:
    """upsample: every size times its factor."""
    need(len(shape) > 1)
    scales = each_axis(given["scale"], len(shape) - 1)
    return (shape[0], *(size * scale for size, scale in zip(shape[1:], scales, strict=True)))


def resize(given: Arguments, shape: Shape) -> Shape:
    """resize: to numbers; a given scale leads from known sizes to them."""
    rank = len(shape) - 1
    need(rank >= 1 and (given.get("mode") != "cubic" or rank == 2))
    sizes = each_axis(given["size"], rank)
    if "scale" in given:
        factors = given["scale"] if isinstance(given["scale"], list) else [given["scale"]] * rank
        need(len(factors) == rank)
        triples = zip(shape[1:], sizes, factors, strict=True)
        need(all(int(known(have) * factor) == size for have, size, factor in triples))
    return (shape[0], *sizes)


def slice_(given: Arguments, shape: Shape) -> Shape:
    """slice: places inside, some step from the first to the last."""
    axis, step = given.get("axis", 0), given.get("step", 1)
    first, last = given["first"], given["last"]
    need(step != 0 and -len(shape) <= axis < len(shape))
    axis %= len(shape)
    count = (last - first) // step + 1
    need(count >= 1 and max(first, last) < value_of(shape[axis]))
    return (*shape[:axis], count, *shape[axis + 1 :])


def channels(given: Arguments, shape: Shape) -> Shape:
    """channels: a range inside."""
    need(0 <= given["first"] <= given["last"] < known(shape[0]))
    return (given["last"] - given["first"] + 1, *shape[1:])


def pad_channels(given: Arguments, shape: Shape) -> Shape:
    """pad_channels: more channels."""
    return (known(shape[0]) + given["before"] + given["after"], *shape[1:])


def channel_shuffle(given: Arguments, shape: Shape) -> Shape:
    """channel_shuffle: groups divide."""
    need(known(shape[0]) % given["groups"] == 0)
    return shape


def pixel_shuffle(given: Arguments, shape: Shape) -> Shape:
    """pixel_shuffle: r*r channels a pixel."""
    r = given["r"]
    need(len(shape) == 3 and known(shape[0]) % (r * r) == 0)
    return (known(shape[0]) // (r * r), *(size * r for size in shape[1:]))


def pixel_unshuffle(given: Arguments, shape: Shape) -> Shape:
    """pixel_unshuffle: sizes that r divides, as the asserts prove."""
    r = given["r"]
    need(len(shape) == 3)
    for size in shape[1:]:
        if isinstance(size, Symbolic):
            exact = (size.factor * size.multiple / r).denominator == 1
            need(exact and size.offset % r == 0)
        else:
            need(size % r == 0)
    return (known(shape[0]) * r * r, *(size // r for size in shape[1:]))


def stretched(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """add, mul, sub, div, max, min, mean: a size of 1 stretches."""
    need(len({len(shape) for shape in inputs}) == 1)
    shape = list(inputs[0])
    for other in inputs[1:]:
        for axis, size in enumerate(other):
            need(shape[axis] == size or shape[axis] == 1 or size == 1)
            shape[axis] = size if shape[axis] == 1 else shape[axis]
    return tuple(shape)


def sub(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """sub, div: two of them."""
    need(len(inputs) == 2)
    return stretched(given, inputs)


def concat(given: Arguments, inputs: tuple[Shape, ...]) -> Shape:
    """concat: all sizes equal but the one along the axis."""
    axis, rank = given.get("axis", 0), len(inputs[0])
    need(len({len(shape) for shape in inputs}) == 1 and -rank <= axis < rank)
    along = axis % rank
    for shape in inputs[1:]:
        need(all(shape[i] == inputs[0][i] for i in range(rank) if i != along))
    shape = list(inputs[0])
    others = [other[along] for other in inputs]
    shape[along] = sum(others[1:], others[0])
    return tuple(shape)


Rule: TypeAlias = Callable[[Arguments, Shape], Shape]
RULES: Mapping[str, Rule] = {
    "conv": conv,
    "deconv": deconv,
    "filter": filter_,
    "weightedpool": weightedpool,
    "maxpool": pool,
    "avgpool": avgpool,
    "lppool": pool,
    "gap": global_pool,
    "gmp": global_pool,
    "adaptive_avgpool": adaptive_avgpool,
    "groupnorm": groupnorm,
    "layernorm": layernorm,
    "instancenorm": instancenorm,
    "lrn": lrn,
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "transpose": transpose,
    "crop": crop,
    "pad": pad,
    "upsample": upsample,
    "resize": resize,
    "slice": slice_,
    "channels": channels,
    "pad_channels": pad_channels,
    "channel_shuffle": channel_shuffle,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
}
JOINS: Mapping[str, Callable[[Arguments, tuple[Shape, ...]], Shape]] = {
    "add": stretched,
    "mul": stretched,
    "max": stretched,
    "min": stretched,
    "mean": stretched,
    "sub": sub,
    "div": sub,
    "concat": concat,
}
