"""Groups of operators that exporters write for one: put back together before they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi, sqrt
from typing import Any

import numpy as np

from compiler.importers.from_onnx.adaptive import adaptive_pooling
from compiler.importers.from_onnx.lookups import LOOKUPS, without_idle_casts
from compiler.importers.from_onnx.operators import OnnxModel, Operator
from compiler.importers.from_onnx.patterns import (
    Bound,
    Constants,
    Idiom,
    Matcher,
    Pattern,
    first_match,
    make,
)
from compiler.rewriting import needed

SPATIAL = ("spatial",)  # in place of axes: all behind the channels


def is_now(type: str, **attributes: Any) -> Callable[..., Any]:
    """The build of an idiom of one tensor `x`."""
    return lambda bound, constants: (type, (bound["x"],), attributes)


def chosen(type: str) -> Callable[..., Any]:
    """The build of a comparison whose result chooses between what it compares."""

    def build(bound: Bound, constants: Constants) -> Any:
        for one, other in (("x", "left"), ("y", "right")):
            a, b = constants.get(bound[one]), constants.get(bound[other])
            equal = a is not None and b is not None and np.array_equal(a, b)
            if bound[one] != bound[other] and not equal:  # constants are written twice
                return None
        return type, (bound["x"], bound["y"]), {}

    return build


def norm_pooling(bound: Bound, constants: Constants) -> Any:
    """The root of the sums of powers of a window's values, nothing negative among them."""
    p, r, ones = (constants.get(bound[name]) for name in ("p", "r", "ones"))
    sums = bound["sums"].attributes
    if p is None or r is None or ones is None or p.size != 1 or r.size != 1:
        return None
    order, rank = p.item(), ones.ndim - 2
    if len(bound["sums"].inputs) > 2 or "auto_pad" in sums:
        return None
    one_each = ones.shape[:2] == (sums.get("group", 1), 1) and np.all(ones == 1)
    if not one_each or order != int(order) or abs(r.item() * order - 1) > 1e-6:
        return None
    if order % 2 and bound.get("absolute") is None:
        return None
    pads = [*(sums.get("pads") or (0,) * (2 * rank))]
    if "pad" in bound:
        around = padding_of(bound["pad"], constants, rank)
        if around is None:
            return None
        pads = [own + more for own, more in zip(pads, around, strict=True)]
    more = {name: sums[name] for name in ("strides", "dilations") if name in sums}
    attributes = {"kernel_shape": ones.shape[2:], "p": int(order), "pads": tuple(pads)} | more
    return "LpPool", (bound["x"],), attributes


def padding_of(pad: Operator, constants: Constants, rank: int) -> list[int] | None:
    """How many zeros a pad puts before and behind each spatial axis; None where it does else."""
    amounts = constants.get(pad.inputs[1]) if len(pad.inputs) > 1 else None
    value = constants.get(pad.inputs[2]) if len(pad.inputs) > 2 and pad.inputs[2] else np.zeros(1)
    if pad.attributes.get("mode", "constant") != "constant" or amounts is None or value is None:
        return None
    before, behind = np.split(amounts.ravel(), 2)
    if len(before) != rank + 2 or np.any(value) or np.any([*before[:2], *behind[:2]]):
        return None
    return [int(size) for size in (*before[2:], *behind[2:])]


def layer_norm(bound: Bound, constants: Constants) -> Any:
    """Normalisation written out: (x - mean)/sqrt(mean square + eps), times w, plus b."""
    axes = axes_of(bound["mean"], constants)
    if axes is None or axes != axes_of(bound["square"], constants):
        return None
    if "reshaped" in bound:  # the mean, along whose axes it must still have one value
        shape = constants.get(bound["reshaped"])
        if axes == SPATIAL or shape is None or any(shape[a : a + 1] != 1 for a in axes):
            return None
    eps = constants.get(bound["eps"])
    learned = [bound.get(name, "") for name in ("w", "b")]
    if eps is None or eps.size != 1 or any(name and name not in constants for name in learned):
        return None
    attributes = {"axes": axes, "epsilon": float(eps.item())}
    return "LayerNormalization", (bound["x"], *learned), attributes


def axes_of(operator: Operator, constants: Constants) -> tuple[Any, ...] | None:
    """The axes of a reduction that keeps them; `SPATIAL` where it is a global pooling."""
    if operator.type == "GlobalAveragePool":
        return SPATIAL
    if operator.attributes.get("keepdims", 1) != 1:
        return None
    if len(operator.inputs) > 1 and operator.inputs[1]:
        axes = constants.get(operator.inputs[1])
        return None if axes is None else tuple(int(a) for a in axes)
    return operator.attributes.get("axes")


def unit_length(bound: Bound, constants: Constants) -> Any:
    """Division by the 2-norm along an axis, which is at least eps."""
    axes, eps = axes_of(bound["norm"], constants), constants.get(bound["eps"])
    if axes is None or len(axes) != 1 or eps is None or eps.size != 1 or not eps.item() > 0:
        return None
    attributes = {"axis": axes[0], "p": 2, "epsilon": float(eps.item())}
    return "LpNormalization", (bound["x"],), attributes


def group_norm(bound: Bound, constants: Constants) -> Any:
    """Instance normalisation of the groups of a tensor, which comes back in its own shape."""
    inner = bound["norm"]
    apart, scale = constants.get(bound["s"]), constants.get(inner.inputs[1])
    if apart is None or apart.size != 3 or apart[0] != 0 or scale is None:
        return None  # [0, G, -1]: each sample by itself
    attributes = {"num_groups": scale.size, "epsilon": inner.attributes.get("epsilon", 1e-5)}
    return "GroupNormalization", (bound["x"], *inner.inputs[1:3]), attributes


def learned_group_norm(bound: Bound, constants: Constants) -> Any:
    """One that has groups of ones and zeros, and then a factor and offset for each channel."""
    plain = group_norm(bound, constants)
    w, b = (constants.get(bound[name]) for name in "wb")
    ones, zeros = (constants.get(name) for name in bound["norm"].inputs[1:3])
    if plain is None or w is None or b is None or zeros is None:
        return None
    if np.any(ones != 1) or np.any(zeros != 0) or not w.shape == b.shape != () or w.size != len(w):
        return None
    type, _, attributes = plain
    return type, (bound["x"], bound["w"], bound["b"]), attributes | {"given": w.shape}


def whole_norm(bound: Bound, constants: Constants) -> Any:
    """Instance normalisation of a sample as one group, and a factor and offset for each value."""
    inner = bound["norm"]
    scale, shift, w = (constants.get(n) for n in (*inner.inputs[1:3], bound["w"]))
    if scale is None or shift is None or w is None or np.any(scale != 1) or np.any(shift != 0):
        return None
    if scale.size != 1 or w.ndim < 2 or w.size == max(w.shape):
        return None
    eps = inner.attributes.get("epsilon", 1e-5)
    return "LayerNormalization", (bound["x"], bound["w"], bound["b"]), {"axis": 1, "epsilon": eps}


def nearest(align: str, rounding: str) -> Callable[[Bound, Constants], Any]:
    """The nearest pixels along one axis, picked by their numbers (`compiler.onnx.nearest`)."""
    attributes = {
        "mode": "nearest",
        "coordinate_transformation_mode": align,
        "nearest_mode": rounding,
    }

    def build(bound: Bound, constants: Constants) -> Any:
        axis = bound["gather"].attributes.get("axis", 0)
        return "Resize", (bound["x"], "", "", bound["count"]), attributes | {"axes": (axis,)}

    return build


def gated(bound: Bound, constants: Constants) -> Any:
    """x * hardsigmoid(x) with PyTorch's numbers."""
    gate = bound["gate"].attributes
    fits = np.isclose(gate.get("alpha", 0.2), 1 / 6, 1e-5) and gate.get("beta", 0.5) == 0.5
    return ("HardSwish", (bound["x"],), {}) if fits else None


def shuffled(bound: Bound, constants: Constants) -> Any:
    """Channels to pixels or back by way of six axes."""
    apart, together = (constants.get(bound[name]) for name in ("s", "t"))
    order = bound["moved"].attributes.get("perm")
    if apart is None or together is None or apart.size != 6 or together.size != 4:
        return None
    n, *sizes = (int(s) for s in apart)
    if min(sizes) < 1:
        return None
    if order == (0, 1, 4, 2, 5, 3):
        c, r, q, h, w = sizes
        fits = r == q and tuple(together) == (n, c, h * r, w * r)
        attributes = {"blocksize": r, "mode": "CRD", "given": (c * r * q, h, w)}
        return ("DepthToSpace", (bound["x"],), attributes) if fits else None
    if order == (0, 1, 3, 5, 2, 4):
        c, h, r, w, q = sizes
        fits = r == q and tuple(together) == (n, c * r * r, h, w)
        attributes = {"blocksize": r, "mode": "CRD", "given": (c, h * r, w * q)}
        return ("SpaceToDepth", (bound["x"],), attributes) if fits else None
    return None


def linear(bound: Bound, constants: Constants) -> Any:
    """A matrix product and the bias of each column."""
    w, b = constants.get(bound["w"]), constants.get(bound["b"])
    if w is None or b is None or w.ndim != 2 or b.shape != w.shape[1:]:
        return None
    return "MatMul", (bound["x"], bound["w"], bound["b"]), {}


def softplus(bound: Bound, constants: Constants) -> Any:
    """log(1 + e^x), by x itself beyond a threshold where the two do not differ."""
    threshold = constants.get(bound["t"])
    if threshold is None or threshold.size != 1 or threshold.item() < LEAST_THRESHOLD:
        return None
    return "Identity", (bound["made"].outputs[0],), {}


def strided(bound: Bound, constants: Constants) -> Any:
    """Every value of a tensor at the place in memory where it lies: a new shape, no more."""
    offsets = [constants.get(bound[name]) for name in "abc" if name in bound]
    row, apart = constants.get(bound["row"]), constants.get(bound.get("apart", ""))
    if any(o is None for o in offsets) or row is None or row.tolist() != [-1]:
        return None
    places = np.asarray(sum(offset for offset in offsets if offset is not None))
    in_order = np.array_equal(places.ravel(), np.arange(places.size))
    if bound["gather"].attributes.get("axis", 0) != 0 or not in_order:
        return None
    if "apart" not in bound:
        return "Reshape", (bound["x"],), {"shape": places.shape}
    if apart is None or apart.tolist() != places.size or places.shape[0] != 1:
        return None
    return "Reshape", (bound["x"],), {"shape": (-1, *places.shape[1:])}


LEAST_THRESHOLD = 15  # log(1 + e^15) - 15 is 3e-7

PIXELS = make("Range", 0.0, make("Reshape", "count", "scalar"), 1.0)
TWICE = make("Mul", make("Mul", PIXELS, 2.0), "size")
DOUBLE = make("Add", "count", "count")
PLACED = {"asymmetric": TWICE, "half_pixel": make("Sub", make("Add", TWICE, "size"), "count")}
RESTS: dict[str, Pattern] = {
    "round_prefer_ceil": "count",
    "round_prefer_floor": make("Sub", "count", 1.0),
    "ceil": make("Sub", DOUBLE, 1.0),
}
PICKED: dict[tuple[str, str], Pattern] = {
    **{(align, "floor"): place for align, place in PLACED.items()},
    **{
        (a, r): make("Add", place, rest) for a, place in PLACED.items() for r, rest in RESTS.items()
    },
}

MEAN = (make("ReduceMean", "x", name="mean"), make("GlobalAveragePool", "x", name="mean"))
CENTRED = make("Sub", "x", (*MEAN, make("Reshape", MEAN, "reshaped")))
SQUARE = (make("Pow", CENTRED, 2.0), make("Mul", CENTRED, CENTRED))
SQUARES = (
    make("ReduceMean", SQUARE, name="square"),
    make("GlobalAveragePool", SQUARE, name="square"),
)
PLUS_3 = make("Clip", make("Add", "x", 3.0), 0.0, 6.0)
ERF = make("Add", make("Erf", (make("Div", "x", sqrt(2)), make("Mul", "x", sqrt(0.5)))), 1.0)
CUBE = (make("Mul", "x", make("Mul", "x", "x")), make("Pow", "x", 3.0))
CURVED = make("Add", "x", make("Mul", CUBE, 0.044715))
TANH = make("Add", make("Tanh", make("Mul", CURVED, sqrt(2 / pi))), 1.0)
ROW = make("Reshape", "x", "row")  # all values of all samples
SAMPLES = make("Unsqueeze", make("Mul", make("Range", 0.0, "n", 1.0), "apart"), "axes")
PLACES = (
    "a",
    make("Add", SAMPLES, "a"),
    make("Add", make("Add", SAMPLES, "a"), "b"),
    make("Add", make("Add", make("Add", SAMPLES, "a"), "b"), "c"),
)
NORM = make("InstanceNormalization", make("Reshape", "x", "s"), "one", "zero", name="norm")
GROUPED = make("Reshape", NORM, make("Shape", "x"))

LENGTH = make("ReduceL2", "x", name="norm")


MOMENT = make("Add", SQUARES, "eps")
DEVIATION = make("Sqrt", MOMENT)
INVERSE = (
    make("Reciprocal", DEVIATION),
    make("Div", 1.0, DEVIATION),
    make("Pow", MOMENT, -0.5),
)
STANDARD = (make("Div", CENTRED, DEVIATION), make("Mul", CENTRED, INVERSE))
LEARNED = make("Mul", INVERSE, "w")
FACTOR = (LEARNED, *INVERSE)
NEGATIVE = make("Mul", make("Neg", MEAN), FACTOR)
# A normalisation as frameworks write it out, the longest forms first: PyTorch divides what is
# centred and scales it then; TensorFlow multiplies x by w/deviation, and adds b - mean*w/deviation.
NORMALISED = (
    make("Add", make("Mul", STANDARD, "w"), "b"),
    make("Add", make("Mul", CENTRED, LEARNED), "b"),
    make("Add", make("Mul", "x", FACTOR), make("Add", NEGATIVE, "b")),
    make("Add", make("Mul", "x", FACTOR), make("Sub", "b", make("Mul", MEAN, FACTOR))),
    make("Add", make("Mul", "x", FACTOR), NEGATIVE),
    make("Add", STANDARD, "b"),
    make("Sub", make("Mul", "x", FACTOR), make("Mul", MEAN, FACTOR)),
    make("Mul", STANDARD, "w"),
    make("Mul", CENTRED, LEARNED),
    *STANDARD,
)

# The larger of two tensors as people choose it, where their derivative is to be one's alone.
CHOSEN = [
    (kind, make("Where", make(f"{compared}{equal}", *compares), "left", "right"))
    for kind, larger, smaller in (("Max", "Greater", "Less"), ("Min", "Less", "Greater"))
    for compared, compares in ((larger, ("x", "y")), (smaller, ("y", "x")))
    for equal in ("OrEqual", "")
]

POWERS = make("Pow", (make("Abs", "x", name="absolute"), "x"), "p")
ROOTED = make(
    "Pow", make("Conv", (make("Pad", POWERS, name="pad"), POWERS), "ones", name="sums"), "r"
)

IDIOMS = (
    Idiom(make("Mul", "x", make("Sigmoid", "x")), is_now("Swish")),
    Idiom(make("Mul", "x", make("Tanh", make("Softplus", "x"))), is_now("Mish")),
    Idiom(make("Log", make("Sigmoid", "x")), is_now("LogSigmoid")),
    Idiom(make("Div", "x", make("Add", make("Abs", "x"), 1.0)), is_now("Softsign")),
    Idiom(ROOTED, norm_pooling),
    Idiom(make("Mul", "x", make("HardSigmoid", "x", name="gate")), gated),
    Idiom(make("Mul", make("Sign", "x"), make("Relu", make("Abs", "x"))), is_now("Identity")),
    Idiom(
        make("Where", make("Greater", "x", "t"), "x", make("Softplus", "x", name="made")), softplus
    ),
    *(Idiom(pattern, chosen(kind)) for kind, pattern in CHOSEN),
    *LOOKUPS,
    *(
        Idiom(
            make(
                "Gather",
                "x",
                make("Min", make("Div", picked, DOUBLE), make("Sub", "size", 1.0)),
                name="gather",
            ),
            nearest(*said),
        )
        for said, picked in PICKED.items()
    ),
    *(Idiom(make("Gather", ROW, places, name="gather"), strided) for places in PLACES),
    *(
        Idiom(pattern, is_now("HardSwish"))
        for pattern in (
            make("Div", make("Mul", "x", PLUS_3), 6.0),
            make("Mul", "x", make("Div", PLUS_3, 6.0)),
            make("Mul", "x", make("Mul", PLUS_3, 1 / 6)),
            make("Mul", make("Mul", "x", PLUS_3), 1 / 6),
        )
    ),
    *(
        Idiom(pattern, is_now("HardSigmoid", alpha=1 / 6, beta=0.5))
        for pattern in (make("Div", PLUS_3, 6.0), make("Mul", PLUS_3, 1 / 6))
    ),
    *(
        Idiom(pattern, is_now("Gelu", **said))
        for part, said in ((ERF, {}), (TANH, {"approximate": "tanh"}))
        for pattern in (
            make("Mul", make("Mul", "x", part), 0.5),
            make("Mul", make("Mul", "x", 0.5), part),
            make("Mul", "x", make("Mul", part, 0.5)),
        )
    ),
    *(Idiom(pattern, layer_norm) for pattern in NORMALISED),
    Idiom(
        make("Reshape", make("Transpose", make("Reshape", "x", "s"), name="moved"), "t"), shuffled
    ),
    Idiom(make("Add", make("MatMul", "x", "w"), "b"), linear),
    *(
        Idiom(make("Div", "x", length), unit_length)
        for bounded in (make("Clip", LENGTH, "eps"), make("Max", LENGTH, "eps"))
        for length in (bounded, make("Expand", bounded, "shape"))
    ),
    Idiom(make("Add", make("Mul", make("Reshape", NORM, "t"), "w"), "b"), whole_norm),
    Idiom(make("Add", make("Mul", GROUPED, "w"), "b"), learned_group_norm),
    Idiom(GROUPED, group_norm),
)


def recognise(model: OnnxModel) -> OnnxModel:
    """The model with every idiom as the one operator that it is, and nothing unused."""
    model = without_idle_casts(model)
    worked_on = recognised(replace(model, operators=model.worked_on))
    return without_unused(replace(model, operators=recognised(model), worked_on=worked_on))


def recognised(model: OnnxModel) -> tuple[Operator, ...]:
    """The operators, in the place of each that ends an idiom the one that the idiom is."""
    matcher = Matcher(model)
    operators = []
    for operator in model.operators:
        built = first_match(matcher, IDIOMS, operator) or adaptive_pooling(matcher, operator)
        if built is not None:
            type, inputs, attributes = built
            operator = replace(operator, type=type, inputs=inputs, attributes=attributes)
        operators.append(operator)
    return tuple(operators)


def without_unused(model: OnnxModel) -> OnnxModel:
    """The model without operators whose results nothing takes."""
    outputs = [declared.name for declared in model.outputs]
    kept = needed(outputs, model.operators, lambda op: op.outputs, lambda op: op.takes)
    return replace(model, operators=tuple(kept))
