"""What exporters write by several operators for one layer, drawn beside everything else.

Norms, adaptive poolings, pixels dealt out, lengths, products of many axes: each with its axes, its
constants and the order of its operands drawn, and now and then with something else that reads what
lies in between.
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.importers.onnx_drawing import Drawing, Made, Shape

LETTERS = "nabcdefgh"
FIRST_EINSUM = 12
EPSILONS = [1e-2, 0.1, 0.5]


def commuted(d: Drawing, kind: str, left: str, right: str) -> str:
    """A sum or product, its operands in either order."""
    return d.node(kind, *((left, right) if d.random.random() < 0.7 else (right, left)))


def kept(d: Drawing, tensor: str, shape: Shape) -> str:
    """A tensor in the middle of an idiom, which now and then others read too."""
    if d.random.random() < 0.15:
        d.live.append((tensor, shape))
    return tensor


def over(shape: Shape, axes: list[int]) -> Shape:
    """A shape whose axes are reduced to one value."""
    return tuple(1 if a in axes else s for a, s in enumerate(shape))


def learned(d: Drawing, shape: Shape, axes: list[int]) -> str:
    """A factor or offset: along the axes of a norm, for each channel, or one for all."""
    along = tuple(s if a in axes else 1 for a, s in enumerate(shape))
    channels = tuple(s if a == 1 else 1 for a, s in enumerate(shape))
    return d.array(d.random.choice([along, along, along[1:], channels[1:], channels[1:], (1,)]))


def norm_axes(d: Drawing, shape: Shape) -> list[int]:
    """The axes of a norm: the last ones, the channels, all, or any."""
    rank = len(shape)
    if d.random.random() < 0.2:
        return sorted(d.random.sample(range(1, rank), d.random.randint(1, rank - 1)))
    return d.random.choice([[rank - 1], [1], [*range(1, rank)], [*range(2, rank)] or [1]])


def norm(d: Drawing, x: str, shape: Shape) -> Made:
    """A normalisation in primitive operators, as PyTorch, tf2onnx and people write them."""
    axes = norm_axes(d, shape)
    if prod(s for a, s in enumerate(shape) if a in axes) == 1:
        return None
    less, eps = over(shape, axes), d.fixed(d.random.choice(EPSILONS))
    given = [a - len(shape) if d.random.random() < 0.2 else a for a in axes]

    def mean(tensor: str) -> str:
        if axes == [2, 3] and len(shape) == 4 and d.random.random() < 0.3:
            return d.node("GlobalAveragePool", tensor)
        return d.reduced("ReduceMean", tensor, given)

    middle = kept(d, mean(x), less)
    centred = kept(d, d.node("Sub", x, middle), shape)
    power = ("Pow", centred, d.fixed(2.0))
    square = d.node(*d.random.choice([power, ("Mul", centred, centred)]))
    moment = commuted(d, "Add", kept(d, mean(square), less), eps)
    deviation = kept(d, d.node("Sqrt", moment), less)
    if d.random.random() < 0.4:
        made = d.node("Div", centred, deviation)
        if d.random.random() < 0.7:
            made = commuted(d, "Mul", kept(d, made, shape), learned(d, shape, axes))
        if d.random.random() < 0.7:
            made = commuted(d, "Add", made, learned(d, shape, axes))
        return made, shape
    inverses: list[tuple[str, ...]] = [("Reciprocal", deviation), ("Div", d.fixed(1.0), deviation)]
    factor = d.node(*d.random.choice([*inverses, ("Pow", moment, d.fixed(-0.5))]))
    if d.random.random() < 0.6:
        factor = commuted(d, "Mul", factor, learned(d, less, []))
    if d.random.random() < 0.4:
        return commuted(d, "Mul", centred, factor), shape
    scaled = commuted(d, "Mul", x, factor)
    offset = learned(d, less, [])
    match d.random.randrange(4):
        case 0:
            negative = commuted(d, "Mul", d.node("Neg", middle), factor)
            made = commuted(d, "Add", scaled, commuted(d, "Add", negative, offset))
        case 1:
            shift = d.node("Sub", offset, commuted(d, "Mul", middle, factor))
            made = commuted(d, "Add", scaled, shift)
        case 2:
            made = commuted(d, "Add", scaled, commuted(d, "Mul", d.node("Neg", middle), factor))
        case _:
            made = d.node("Sub", scaled, commuted(d, "Mul", middle, factor))
    return made, shape


def grouped_norm(d: Drawing, x: str, shape: Shape) -> Made:
    """Groups of channels as instances of a norm, as PyTorch writes them."""
    groups = d.random.choice([g for g in (1, 2, 3, 4) if shape[1] % g == 0])
    apart = d.node("Reshape", x, d.integers([0, groups, -1]))
    scale = d.array((groups,)) if d.random.random() < 0.3 else d.fixed(np.ones(groups))
    shift = d.array((groups,)) if d.random.random() < 0.3 else d.fixed(np.zeros(groups))
    eps = d.random.choice(EPSILONS)
    made = d.node("InstanceNormalization", apart, scale, shift, epsilon=eps)
    if d.random.random() < 0.5:
        made = d.node("Reshape", made, d.node("Shape", x))
    else:
        made = d.reshaped(made, shape[1:])
    if d.random.random() < 0.7:
        made = commuted(d, "Mul", kept(d, made, shape), learned(d, shape, []))
        made = commuted(d, "Add", made, learned(d, shape, []))
    return made, shape


def layer_norm(d: Drawing, x: str, shape: Shape) -> Made:
    """The operator, over the last axes."""
    if d.opset < 17:
        return None
    axis = d.random.randrange(1, len(shape))
    if prod(shape[axis:]) == 1:
        return None
    bias = [d.array(shape[axis:])] if d.random.random() < 0.7 else []
    given = axis - len(shape) if d.random.random() < 0.5 else axis
    scale = d.array(shape[axis:])
    return d.node("LayerNormalization", x, scale, *bias, axis=given, epsilon=0.1), shape


def unit_length(d: Drawing, x: str, shape: Shape) -> Made:
    """Divided by the length along an axis: the operator, or what stands for it."""
    axis = d.random.randrange(1, len(shape))
    if d.random.random() < 0.4:
        return d.node("LpNormalization", x, axis=axis, p=d.random.choice([1, 2])), shape
    length = d.reduced(d.random.choice(["ReduceL2", "ReduceL2", "ReduceL1"]), x, [axis])
    least = d.fixed(d.random.choice(EPSILONS))
    bounds = [("Clip", length, least), ("Max", length, least), ("Add", length, least)]
    bounded = kept(d, d.node(*d.random.choice(bounds)), over(shape, [axis]))
    if d.random.random() < 0.4:
        bounded = d.node("Expand", bounded, d.node("Shape", x))
    return d.node("Div", x, bounded), shape


def expanded(d: Drawing, x: str, shape: Shape) -> Made:
    """A gate stretched to the size of what it gates, before it is multiplied."""
    axes = [a for a in range(1, len(shape)) if d.random.random() < 0.6] or [len(shape) - 1]
    gate = d.reduced(d.random.choice(["ReduceMean", "ReduceMax"]), x, axes)
    if d.random.random() < 0.5:
        gate = d.node("Sigmoid", gate)
    size = [shape[a] if d.random.random() < 0.7 else 1 for a in range(1, len(shape))]
    stretched = [
        d.node("Shape", x),
        d.integers([d.batch or 1, *shape[1:]]),
        d.integers([1, *size]),
        d.integers(list(shape[1:])),
    ]
    gate = d.node("Expand", gate, d.random.choice(stretched))
    return commuted(d, d.random.choice(["Mul", "Mul", "Add"]), x, gate), shape


def tiled(d: Drawing, x: str, shape: Shape) -> Made:
    """Copies one behind the other."""
    counts = [d.random.choice([1, 1, 2, 3]) for _ in shape[1:]]
    made = tuple(s * c for s, c in zip(shape[1:], counts, strict=True))
    return d.node("Tile", x, d.integers([1, *counts])), (shape[0], *made)


def with_channels_of_a_constant(d: Drawing, x: str, shape: Shape) -> Made:
    """Channels that the network does not compute: coordinates, or zeros, for each sample."""
    axis = d.random.choice([1, 1, len(shape) - 1])
    more = tuple(d.random.choice([1, 2, 3]) if a == axis else s for a, s in enumerate(shape))[1:]
    whole = (*shape[:axis], shape[axis] + more[axis - 1], *shape[axis + 1 :])
    if d.batch == 1 and d.random.random() < 0.5:
        constant = d.array((1, *more))
    elif d.batch:
        constant = d.node("Expand", d.array(more), d.integers([d.batch, *more]))
    else:
        first, after = d.integers([0]), d.integers([1])
        count = d.node("Slice", d.node("Shape", x), first, after)
        size = d.node("Concat", count, d.integers(list(more)), axis=0)
        if d.random.random() < 0.4:
            constant = d.node("ConstantOfShape", size)
        else:
            constant = d.node("Expand", d.array((1, *more)), size)
    parts = [x, constant] if d.random.random() < 0.6 else [constant, x]
    return d.node("Concat", *parts, axis=axis), whole


def dealt_out(d: Drawing, x: str, shape: Shape) -> Made:
    """Pixels to channels, channels to pixels, or channels shuffled: split, moved, joined."""
    channels, height, width = shape[1:]
    r = d.random.choice([2, 3])
    match d.random.randrange(4):
        case 0 if height % r == 0 and width % r == 0:
            split: Shape = (channels, height // r, r, width // r, r)
            orders: list[Shape] = [(0, 1, 3, 5, 2, 4), (0, 3, 5, 1, 2, 4), (0, 5, 3, 1, 2, 4)]
            whole: Shape = (channels * r * r, height // r, width // r)
        case 1 if channels % (r * r) == 0:
            split = (channels // (r * r), r, r, height, width)
            if d.random.random() < 0.4:
                split = (r, r, channels // (r * r), height, width)
            orders = [(0, 1, 4, 2, 5, 3)] if split[0] != r else [(0, 3, 4, 1, 5, 2)]
            whole = (channels // (r * r), height * r, width * r)
        case 2 if channels % r == 0:
            split = (r, channels // r, height, width)
            orders, whole = [(0, 2, 1, 3, 4)], (channels, height, width)
        case _:
            split = (channels, height, width, 1)
            orders, whole = [(0, 2, 3, 1, 4), (0, 3, 2, 4, 1)], (height, width, channels)
    apart = d.reshaped(x, split)
    order = d.random.choice(orders)
    if d.random.random() < 0.1:
        inner = [*order[1:]]
        d.random.shuffle(inner)
        order = (0, *inner)
    moved = d.node("Transpose", apart, perm=list(order))
    return d.reshaped(moved, whole), (shape[0], *whole)


def adaptive(d: Drawing, x: str, shape: Shape) -> Made:
    """Adaptive pooling by the places of every window, as PyTorch's newer exporter writes it."""
    sizes = [(size, d.random.randint(1, size + 1)) for size in shape[2:]]
    (rows, no_rows), (columns, no_columns) = (windows(*pair) for pair in sizes)
    both = np.broadcast_arrays(rows[:, :, None, None], columns[None, None])
    places = np.stack(both, axis=-1)
    if d.random.random() < 0.1:
        places = places[::-1].copy()  # no windows of an adaptive pooling
    before = d.node("Transpose", x, perm=[2, 3, 0, 1])
    picked = d.node("GatherND", before, d.fixed(places))
    inside = d.node("Transpose", picked, perm=[4, 5, 0, 1, 2, 3])
    made = (*shape[:2], sizes[0][1], sizes[1][1])
    if not no_rows.any() and not no_columns.any():
        return d.reduced("ReduceMean", inside, [-3, -1], kept=False), made
    zero = d.fixed(0.0)
    inside = d.node("Where", d.fixed(no_rows[:, :, None, None]), zero, inside)
    inside = d.node("Where", d.fixed(no_columns), zero, inside)
    total = ""
    for row in range(rows.shape[1]):
        line = d.node("Gather", inside, d.fixed(np.array(row)), axis=3)
        for column in range(columns.shape[1]):
            value = d.node("Gather", line, d.fixed(np.array(column)), axis=4)
            total = d.node("Add", total, value) if total else value
    count = (~no_rows).sum(1)[:, None] * (~no_columns).sum(1)[None]
    return d.node("Div", total, d.fixed(count.astype(np.float32))), made


def windows(size: int, parts: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pixels of near-equal parts, [parts, the widest], and which of them are none."""
    found = [range(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    widest = max(map(len, found))
    places = np.array([[min(part[0] + k, size - 1) for k in range(widest)] for part in found])
    return places, np.array([[k >= len(part) for k in range(widest)] for part in found])


def einsum(d: Drawing, x: str, shape: Shape) -> Made:
    """A product of a tensor with a constant or another one, or of itself alone, over any axes."""
    if d.opset < FIRST_EINSUM:
        return None
    own = LETTERS[: len(shape)]
    sizes = dict(zip(own, shape, strict=True))
    operands, letters = [x], [own]
    others = [(n, s) for n, s in d.live if len(s) <= len(shape)]
    match d.random.randrange(3):
        case 0:
            fresh = d.random.choice(["", "x"])
            sizes["x"] = d.random.choice([2, 3])
            chosen = [c for c in own[1:] if d.random.random() < 0.6] + list(fresh)
            d.random.shuffle(chosen)
            if chosen:
                letters.append("".join(chosen))
                operands.append(d.array(tuple(sizes[c] for c in chosen), spread=0.5))
        case 1:
            name, other = d.random.choice(others)
            given, free = "n", list(own[1:])
            for place, size in enumerate(other[1:]):
                fit = [c for c in free if sizes[c] == size]
                letter = d.random.choice(fit) if fit and d.random.random() < 0.8 else "pqrs"[place]
                free = [c for c in free if c != letter]
                sizes[letter] = size
                given += letter
            letters.append(given)
            operands.append(name)
    there = sorted({c for part in letters for c in part} - {"n"})
    result = [c for c in there if d.random.random() < 0.6] or there[:1]
    d.random.shuffle(result)
    if len(result) > 3:
        return None
    equation = ",".join(letters) + "->n" + "".join(result)
    if d.random.random() < 0.3 and len(operands) == 2:
        letters.reverse()
        operands.reverse()
        equation = ",".join(letters) + "->n" + "".join(result)
    made = (shape[0], *(sizes[c] for c in result))
    return d.node("Einsum", *operands, equation=equation), made


def activation(d: Drawing, x: str, shape: Shape) -> Made:
    """An activation written out."""
    match d.random.randrange(4):
        case 0:
            root = d.fixed(sqrt(2))
            gate = commuted(d, "Add", d.node("Erf", d.node("Div", x, root)), d.fixed(1.0))
            return commuted(d, "Mul", commuted(d, "Mul", x, gate), d.fixed(0.5)), shape
        case 1:
            plus = commuted(d, "Add", x, d.fixed(3.0))
            gate = d.node("Clip", plus, d.fixed(0.0), d.fixed(6.0))
            return d.node("Div", commuted(d, "Mul", x, gate), d.fixed(6.0)), shape
        case 2:
            return commuted(d, "Mul", x, d.node("Sigmoid", x)), shape
        case _:
            return commuted(d, "Mul", x, d.node("Tanh", d.node("Softplus", x))), shape


ANY = [norm, norm, norm, layer_norm, unit_length, expanded, tiled, with_channels_of_a_constant]
ANY += [einsum, einsum, activation]
MAPS = [grouped_norm, dealt_out, dealt_out, adaptive]


def idiom(d: Drawing, x: str, shape: Shape) -> Made:
    """One of those that a tensor of this shape takes."""
    kinds = ANY + (MAPS if len(shape) == 4 else [])
    return d.random.choice(kinds)(d, x, shape)
