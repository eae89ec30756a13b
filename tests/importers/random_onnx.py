"""Random ONNX graphs: what exporters write, and what only an adversary would.

Initializers are used several times in several roles, constants stand in odd places and shapes,
pads, transposes, reshapes and reductions come in any order. Everything follows from the seed.
"""

from __future__ import annotations

from random import Random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.importers.onnx_drawing import ATTRIBUTES_OF_AXES, Drawing, Made, Shape
from tests.importers.random_idioms import idiom

ACTIVATIONS = [
    *("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "HardSigmoid", "Softplus", "Identity", "Abs"),
    *("Neg", "Exp", "Softsign", "HardSwish"),
]
LARGEST = 4000  # numbers of a sample
REDUCTIONS = [
    *("ReduceMean", "ReduceMean", "ReduceMax", "ReduceMax", "ReduceMin", "ReduceSum"),
    *("ReduceL1", "ReduceL2", "ReduceSumSquare"),
]


def draw(seed: int) -> onnx.ModelProto:
    """The model of a seed."""
    random = Random(seed)
    opset = random.choice([11, 13, 13, 17, 18, 21])
    drawing = Drawing(random, opset, random.choice([0, 0, 1, 2]))
    inputs = []
    for number in range(random.choice([1, 1, 1, 2])):
        rank = random.choice([1, 2, 3, 3, 3, 3])
        sample = (random.choice([2, 3, 4, 6]), 8, 6)[:rank]
        if rank == 1:
            sample = (random.choice([6, 8, 12]),)
        name = f"in{number}"
        first = drawing.batch or "N"
        inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [first, *sample]))
        drawing.live.append((name, (2, *sample)))
    for _ in range(random.randint(1, 12)):
        step(drawing)
    made = [(name, shape) for name, shape in drawing.live if not name.startswith("in")]
    outputs = made[-random.choice([1, 1, 2, 3]) :] or drawing.live[:1]
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n, _ in outputs]
    arrays = [numpy_helper.from_array(array, name) for name, array in drawing.arrays.items()]
    graph = helper.make_graph(drawing.nodes, "g", inputs, infos, arrays)
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8 if opset < 21 else 10)


def step(drawing: Drawing) -> None:
    """One more layer behind a tensor that is there; that one may stay for others to read."""
    place = drawing.random.randrange(len(drawing.live))
    name, shape = drawing.live[place]
    kinds = [pointwise, with_constant, with_constant, with_constant, joined, moved, reduced, viewed]
    kinds += [idiom] * 3
    kinds += [product] * 2 if len(shape) < 4 else [product]
    if len(shape) == 4:
        kinds += [convolved, convolved, normalised, padded, padded, pooled, resized, cut]
    elif len(shape) == 3:
        kinds += [convolved, padded, cut]
    made = drawing.random.choice(kinds)(drawing, name, shape)
    if made is None or np.prod(made[1][1:]) > LARGEST:
        return
    if drawing.random.random() < 0.6 and not name.startswith("in"):
        drawing.live[place] = made
    else:
        drawing.live.append(made)


def pointwise(d: Drawing, x: str, shape: Shape) -> Made:
    kind = d.random.choice(ACTIVATIONS)
    if kind == "HardSwish" and d.opset < 14:
        return None
    if d.random.random() < 0.15:
        axis = d.random.randrange(1, len(shape))
        return d.node(d.random.choice(["Softmax", "LogSoftmax"]), x, axis=axis), shape
    if d.random.random() < 0.15:
        low, high = d.array(()), d.array((), above=1.0)
        return d.node("Clip", x, low, high), shape
    if d.random.random() < 0.1:
        return d.node("PRelu", x, d.array((shape[1], *(1,) * (len(shape) - 2)))), shape
    return d.node(kind, x), shape


def with_constant(d: Drawing, x: str, shape: Shape) -> Made:
    kind = d.random.choice(["Add", "Add", "Sub", "Mul", "Mul", "Div", "Max", "Min", "Pow"])
    if kind == "Pow":
        if d.random.random() < 0.2:  # of a negative number NaN, in which runtimes differ
            return d.node("Pow", d.node("Abs", x), d.array((), above=1.0)), shape
        return d.node("Pow", x, two(d)), shape
    constant = d.constant(shape, above=0.2 if kind == "Div" else None)
    ordered = (constant, x) if kind != "Div" and d.random.random() < 0.3 else (x, constant)
    return d.node(kind, *ordered), shape


def two(d: Drawing) -> str:
    """The constant 2."""
    d.arrays.setdefault("two", np.array(2, dtype=np.float32))
    return "two"


def joined(d: Drawing, x: str, shape: Shape) -> Made:
    same = [n for n, s in d.live if s == shape]
    if d.random.random() < 0.4:
        axis = d.random.randrange(1, len(shape))
        rest = [
            (n, s)
            for n, s in d.live
            if len(s) == len(shape) and s[:axis] + s[axis + 1 :] == shape[:axis] + shape[axis + 1 :]
        ]
        others = d.random.choices(rest, k=d.random.randint(1, 2))
        size = shape[axis] + sum(s[axis] for _, s in others)
        names = [x, *(n for n, _ in others)]
        return d.node("Concat", *names, axis=axis), (*shape[:axis], size, *shape[axis + 1 :])
    kind = d.random.choice(["Add", "Mul", "Sub", "Max", "Min", "Sum", "Mean"])
    return d.node(kind, x, d.random.choice(same)), shape


def moved(d: Drawing, x: str, shape: Shape) -> Made:
    order = list(range(1, len(shape)))
    d.random.shuffle(order)
    return d.node("Transpose", x, perm=[0, *order]), (shape[0], *(shape[a] for a in order))


def reduced(d: Drawing, x: str, shape: Shape) -> Made:
    axes = sorted(d.random.sample(range(1, len(shape)), d.random.randint(1, len(shape) - 1)))
    kept = d.random.random() < 0.6
    kind = d.random.choice(REDUCTIONS)
    given = [a - len(shape) if d.random.random() < 0.2 else a for a in axes]
    made = d.reduced(kind, x, given, kept=kept)
    if kept:
        return made, tuple(1 if a in axes else s for a, s in enumerate(shape))
    left = tuple(s for a, s in enumerate(shape) if a not in axes)
    return (made, left) if len(left) > 1 else None


def viewed(d: Drawing, x: str, shape: Shape) -> Made:
    total = int(np.prod(shape[1:]))
    match d.random.randrange(5):
        case 0:
            return d.node("Flatten", x, axis=1), (shape[0], total)
        case 1 if len(shape) < 4:
            axis = d.random.randrange(1, len(shape) + 1)
            wide = (*shape[:axis], 1, *shape[axis:])
            if d.opset < ATTRIBUTES_OF_AXES:
                return d.node("Unsqueeze", x, axes=[axis]), wide
            return d.node("Unsqueeze", x, d.integers([axis])), wide
        case 2 if len(shape) > 2 and 1 in shape[1:]:
            axis = shape.index(1, 1)
            narrow = shape[:axis] + shape[axis + 1 :]
            if d.opset < ATTRIBUTES_OF_AXES:
                return d.node("Squeeze", x, axes=[axis]), narrow
            return d.node("Squeeze", x, d.integers([axis])), narrow
    factors = [f for f in (2, 3, 4, 6) if total % f == 0] or [1]
    first = d.random.choice(factors)
    sample = d.random.choice([(first, total // first), (total,), (first, 1, total // first)])
    asked = [-1 if not d.batch else d.batch, *sample]
    if d.random.random() < 0.5:
        asked[0] = 0
        asked[d.random.randrange(1, len(asked))] = -1
    return d.node("Reshape", x, d.integers(asked)), (shape[0], *sample)


def product(d: Drawing, x: str, shape: Shape) -> Made:
    inner, columns = shape[-1], d.random.choice([2, 4, shape[-1]])
    if len(shape) == 2 and d.random.random() < 0.6:
        transposed = d.random.random() < 0.5
        weight = d.array((columns, inner) if transposed else (inner, columns), spread=0.5)
        bias = [d.array(d.random.choice([(columns,), (1, columns), (1,)]))]
        factors = {"alpha": 0.5} if d.random.random() < 0.3 else {}
        factors |= {"beta": 2.0} if d.random.random() < 0.3 else {}
        bias = bias if d.random.random() < 0.7 else []
        made = d.node("Gemm", x, weight, *bias, transB=int(transposed), **factors)
        return made, (shape[0], columns)
    if d.random.random() < 0.2 and len(shape) > 2:
        rows = shape[-2]
        return d.node("MatMul", d.array((columns, rows), spread=0.5), x), (
            *shape[:-2],
            columns,
            inner,
        )
    return d.node("MatMul", x, d.array((inner, columns), spread=0.5)), (*shape[:-1], columns)


def convolved(d: Drawing, x: str, shape: Shape) -> Made:
    channels, spatial = shape[1], shape[2:]
    kernel = [d.random.choice([1, 1, 3, 2]) for _ in spatial]
    group = d.random.choice([1, 1, channels])
    out = channels * d.random.choice([1, 2]) if group > 1 else d.random.choice([channels, 4, 3])
    pads = [d.random.choice([0, 0, 1]) for _ in range(2 * len(spatial))]
    stride = [d.random.choice([1, 1, 2]) for _ in spatial]
    if d.random.random() < 0.5:
        pads, stride = [k // 2 for k in kernel] * 2, [1] * len(spatial)
    half = len(spatial)
    if d.random.random() < 0.15:
        weight = d.array((channels, out // group, *kernel), spread=0.5)
        sizes = [(s - 1) * t + k for s, k, t in zip(spatial, kernel, stride, strict=True)]
        made = d.node("ConvTranspose", x, weight, group=group, strides=stride)
        return made, (shape[0], out, *sizes)
    weight = d.array((out, channels // group, *kernel), spread=0.5)
    bias = [d.array((out,))] if d.random.random() < 0.5 else []
    sizes = [
        (s + a + b - k) // t + 1
        for s, a, b, k, t in zip(spatial, pads[:half], pads[half:], kernel, stride, strict=True)
    ]
    if min(sizes) < 1:
        return None
    made = d.node("Conv", x, weight, *bias, pads=pads, strides=stride, group=group)
    return made, (shape[0], out, *sizes)


def normalised(d: Drawing, x: str, shape: Shape) -> Made:
    channels = (shape[1],)
    if d.random.random() < 0.2:
        return d.node("InstanceNormalization", x, d.array(channels), d.array(channels)), shape
    if d.random.random() < 0.15:
        return d.node("LRN", x, size=d.random.choice([1, 3, 5]), alpha=0.1), shape
    parts = [d.array(channels) for _ in range(3)]
    return d.node("BatchNormalization", x, *parts, d.array(channels, above=0.3)), shape


def padded(d: Drawing, x: str, shape: Shape) -> Made:
    mode = d.random.choice(["constant", "constant", "constant", "edge", "reflect"])
    before = [0] * len(shape)
    after = [0] * len(shape)
    for axis in range(2, len(shape)):
        most = min(2, shape[axis] - 1)
        before[axis], after[axis] = d.random.randint(0, most), d.random.randint(0, most)
    if mode == "constant" and d.random.random() < 0.2:
        before[1] = 1
    value = [d.array(())] if mode == "constant" and d.random.random() < 0.3 else []
    made = d.node("Pad", x, d.integers([*before, *after]), *value, mode=mode)
    return made, tuple(b + s + a for b, s, a in zip(before, shape, after, strict=True))


def pooled(d: Drawing, x: str, shape: Shape) -> Made:
    if d.random.random() < 0.25:
        kind = d.random.choice(["GlobalAveragePool", "GlobalMaxPool"])
        return d.node(kind, x), (*shape[:2], 1, 1)
    kernel = [d.random.choice([2, 3]) for _ in range(2)]
    stride = [d.random.choice([1, 2]) for _ in range(2)]
    pads = [d.random.choice([0, 0, 1]) for _ in range(4)]
    sizes = [
        (s + a + b - k) // t + 1
        for s, a, b, k, t in zip(shape[2:], pads[:2], pads[2:], kernel, stride, strict=True)
    ]
    if min(sizes) < 1:
        return None
    kind = d.random.choice(["MaxPool", "AveragePool"])
    counted = {"count_include_pad": d.random.randrange(2)} if kind == "AveragePool" else {}
    made = d.node(kind, x, kernel_shape=kernel, strides=stride, pads=pads, **counted)
    return made, (*shape[:2], *sizes)


def resized(d: Drawing, x: str, shape: Shape) -> Made:
    if d.random.random() < 0.3:
        return stretched(d, x, shape)
    if d.random.random() < 0.3 and shape[1] % 4 == 0:
        mode = d.random.choice(["DCR", "CRD"])
        made = d.node("DepthToSpace", x, blocksize=2, mode=mode)
        return made, (shape[0], shape[1] // 4, 2 * shape[2], 2 * shape[3])
    d.arrays.setdefault("scales", np.array([1, 1, 2, 2], dtype=np.float32))
    mode = d.random.choice(["nearest", "linear"])
    words = {"coordinate_transformation_mode": d.random.choice(["asymmetric", "half_pixel"])}
    d.arrays.setdefault("roi", np.zeros(0, dtype=np.float32))
    made = d.node(
        "Resize",
        x,
        "roi" if d.opset < 13 else "",
        "scales",
        mode=mode,
        nearest_mode="floor",
        **words,
    )
    return made, (*shape[:2], 2 * shape[2], 2 * shape[3])


def stretched(d: Drawing, x: str, shape: Shape) -> Made:
    """To the sizes of some map, which are read while the model runs."""
    other, wanted = d.random.choice([(name, s) for name, s in d.live if len(s) == 4])
    zero, two, four = (d.integers([place]) for place in (0, 2, 4))
    own = d.node("Slice", d.node("Shape", x), zero, two)
    asked = d.node("Slice", d.node("Shape", other), two, four)
    empty = "roi" if d.opset < 13 else ""
    d.arrays.setdefault("roi", np.zeros(0, dtype=np.float32))
    made = d.node(
        "Resize",
        x,
        empty,
        empty,
        d.node("Concat", own, asked, axis=0),
        mode="linear",  # the nearest pixel may be another in float32
        coordinate_transformation_mode=d.random.choice(["asymmetric", "half_pixel"]),
    )
    return made, (*shape[:2], *wanted[2:])


def cut(d: Drawing, x: str, shape: Shape) -> Made:
    axis = d.random.randrange(1, len(shape))
    if d.random.random() < 0.25:
        index = d.random.randrange(-shape[axis], shape[axis])
        d.arrays.setdefault(f"index{index}", np.array(index, dtype=np.int64))
        made = d.node("Gather", x, f"index{index}", axis=axis)
        return made, shape[:axis] + shape[axis + 1 :]
    start = d.random.randrange(shape[axis])
    end = d.random.randint(start + 1, shape[axis])
    stride = d.random.choice([1, 1, 2])
    parts = [d.integers([value]) for value in (start, end, axis, stride)]
    size = len(range(start, end, stride))
    return d.node("Slice", x, *parts), (*shape[:axis], size, *shape[axis + 1 :])
