"""What shape is made by putting values elsewhere: other shapes, parts, other resolutions."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from tests.differential.asked import Arguments, Rule, known, need
from tests.differential.rules_of_windows import check_mirror
from tests.differential.sizes import Shape, Size, Symbolic, product_of, value_of
from tests.differential.windows import each_axis, windows_of


def flatten(given: Arguments, shape: Shape) -> Shape:
    """flatten: the values of the last axes in a row."""
    first = given.get("first", 0)
    need(-len(shape) <= first < len(shape))
    return (*shape[: first % len(shape)], product_of(shape[first % len(shape) :]))


def reshape(given: Arguments, shape: Shape) -> Shape:
    """reshape: known sizes may become anything; symbolic ones stay on their axis, or all merge."""
    wanted = given["shape"]
    if -1 not in wanted:
        need(product_of(tuple(wanted)) == product_of(shape))
        return tuple(wanted)
    rest = product_of(tuple(size for size in wanted if size != -1))
    if all(isinstance(size, int) for size in (*shape, *wanted)):
        total = prod(known(size) for size in shape)
        need(known(rest) > 0 and total % known(rest) == 0)
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
    if "like" in given:
        need("size" not in given and "scale" not in given and len(given["like"]) == rank)
        return (shape[0], *given["like"])
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


def split(given: Arguments, shape: Shape) -> Shape:
    """split: equal parts of a multiple, or parts that are the whole axis; one of them."""
    axis, parts = given.get("axis", 0), given["parts"]
    need("part" in given and -len(shape) <= axis < len(shape))
    axis %= len(shape)
    size = shape[axis]
    if isinstance(parts, list):
        need(known(size) == sum(parts) and given["part"] < len(parts))
        part: Size = parts[given["part"]]
    else:
        need(given["part"] < parts)
        if isinstance(size, Symbolic):
            exact = (size.factor * size.multiple / parts).denominator == 1
            need(exact and size.offset % parts == 0)
        else:
            need(size % parts == 0)
        part = size // parts
    return (*shape[:axis], part, *shape[axis + 1 :])


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


PARTS: Mapping[str, Rule] = {
    "flatten": flatten,
    "reshape": reshape,
    "transpose": transpose,
    "crop": crop,
    "pad": pad,
    "upsample": upsample,
    "resize": resize,
    "slice": slice_,
    "split": split,
    "channels": channels,
    "pad_channels": pad_channels,
    "channel_shuffle": channel_shuffle,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
}
