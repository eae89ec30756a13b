"""A second, plain reading of Caffe's prototxt: each layer by its documented rule, in float64.

It shares nothing with the importer, the reading of the text included. `run` gives every blob that
nothing reads. From Caffe's layer catalogue and the sources of its layers (pooling_layer.cpp,
scale_layer.cpp, …), and those of the forks that have the layers Axpy, BN, Interp, Normalize,
ShuffleChannel and Upsample.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.importers.plain import Unsound, entering

Array = NDArray[np.float64]
Held = Mapping[str, NDArray[Any]]
Fields = dict[str, list[Any]]

TOKEN = re.compile(
    r'#[^\n]*|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[{}:\[\],;<>]|[^\s{}:\[\],;<>#"\']+'
)


def parse(text: str) -> Fields:
    """Every field of a message with its values in order."""
    tokens = [token for token in TOKEN.findall(text) if not token.startswith("#")]
    fields, end = message(tokens, 0)
    assert end == len(tokens)
    return fields


def message(tokens: list[str], at: int) -> tuple[Fields, int]:
    """The fields up to the closing brace, and the place behind it."""
    fields: Fields = {}
    while at < len(tokens) and tokens[at] not in "}>":
        name, at = tokens[at], at + 1
        if tokens[at] == ":":
            at += 1
        if tokens[at] in "{<":
            value, at = message(tokens, at + 1)
            fields.setdefault(name, []).append(value)
            at += 1
        elif tokens[at] == "[":
            end = tokens.index("]", at)
            fields.setdefault(name, []).extend(scalar(t) for t in tokens[at + 1 : end] if t != ",")
            at = end + 1
        else:
            fields.setdefault(name, []).append(scalar(tokens[at]))
            at += 1
        while at < len(tokens) and tokens[at] in ",;":
            at += 1
    return fields, at


def scalar(token: str) -> Any:
    """A number, a truth value, or a text."""
    if token[0] in "\"'":
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    try:
        return int(token)
    except ValueError:
        pass
    try:
        return float(token)
    except ValueError:
        return token


class Layer:
    """One layer and its parameters; `used` are the fields that were asked for."""

    def __init__(self, fields: Fields, used: set[str]) -> None:
        self.fields, self.used = fields, used
        self.type, self.name = fields["type"][0], fields["name"][0]
        self.bottoms, self.tops = fields.get("bottom", []), fields.get("top", [])
        self.named = [param.get("name", [""])[0] for param in fields.get("param", [])]

    def all(self, message: str, *names: str) -> list[Any]:
        """The values of the first of these fields of the parameters that is there."""
        parameters = self.fields.get(f"{message}_param", [{}])[0]
        self.used.update(names)
        return next((parameters[name] for name in names if name in parameters), [])

    def one(self, message: str, name: str, default: Any) -> Any:
        """One field of the parameters."""
        return (self.all(message, name) or [default])[0]

    def pair(self, message: str, name: str, default: Any, short: str = "") -> tuple[int, int]:
        """A number for height and width."""
        stem = short or name
        given = self.all(message, name)
        high, wide = self.all(message, f"{stem}_h"), self.all(message, f"{stem}_w")
        if high or wide:
            high, wide = high or [default], wide or [default]
            return high[0], wide[0]
        given = given or [default]
        if None in given:
            raise Unsound(f"no {name}")
        return (given * 2)[0], (given * 2)[1]


class Plain:
    """A network with its parameters: `held` are their numbers by layer and role."""

    def __init__(self, text: str, held: Held) -> None:
        self.used: set[str] = set()
        self.net = parse(text)
        self.held = held
        self.taken: set[str] = set()
        self.owners: dict[str, str] = {}
        self.normalised: dict[str, str] = {}  # of a blob the BatchNorm that made it

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, Array]:
        """What the network gives out for its inputs."""
        blobs = {name: np.asarray(value, dtype=np.float64) for name, value in feeds.items()}
        unread: dict[str, None] = {}
        for fields in self.net["layer"]:
            layer = Layer(fields, self.used)
            if layer.type == "Input":
                continue
            made = RULES[layer.type](self, layer, *(blobs[name] for name in layer.bottoms))
            for name in layer.bottoms:
                unread.pop(name, None)
            for name, value in zip(layer.tops, made, strict=True):
                blobs[name], unread[name] = value, None
                self.normalised.pop(name, None)
                if layer.type == "BatchNorm":
                    self.normalised[name] = layer.name
        return {name: blobs[name] for name in unread}

    def parameter(self, layer: Layer, place: int, role: str, owner: str = "") -> Array:
        """The numbers of a layer's blob of parameters, or those of the layer it shares with."""
        name = layer.named[place] if place < len(layer.named) else ""
        holder = self.owners.setdefault(name, layer.name) if name else layer.name
        full = f"{owner or label(holder)}.{role}"
        self.taken.add(full)
        return np.asarray(self.held[full], dtype=np.float64)


def label(name: str) -> str:
    """A layer's name as that of its parameters."""
    return re.sub(r"[\s\"{}\\\\:;,()\[\]=]+", "_", name.replace("/", "."))


Rule = Callable[..., list[Array]]
RULES: dict[str, Rule] = {}
rule = entering(RULES)


@rule("Convolution", "ConvolutionDepthwise")
def convolution(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """y[o, i, j] = b[o] + sum of w[o, c, a, b] x[c, i s - p + a d, j s - p + b d]."""
    (kh, kw), (sh, sw) = kernel_and_stride(layer)
    (ph, pw), (dh, dw) = layer.pair("convolution", "pad", 0), dilation(layer)
    groups = layer.one("convolution", "group", 1)
    if layer.type == "ConvolutionDepthwise":
        groups = x.shape[1]
    outputs = layer.one("convolution", "num_output", None)
    w = plain.parameter(layer, 0, "weight").reshape(outputs, x.shape[1] // groups, kh, kw)
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    height = (padded.shape[2] - (dh * (kh - 1) + 1)) // sh + 1
    width = (padded.shape[3] - (dw * (kw - 1) + 1)) // sw + 1
    y = np.zeros((len(x), groups, outputs // groups, height * width))
    for a, b in np.ndindex(kh, kw):
        rows = slice(a * dh, a * dh + sh * (height - 1) + 1, sh)
        columns = slice(b * dw, b * dw + sw * (width - 1) + 1, sw)
        seen = padded[:, :, rows, columns].reshape(len(x), groups, w.shape[1], -1)
        y += w[:, :, a, b].copy().reshape(groups, -1, w.shape[1]) @ seen  # quick in one piece
    return [with_bias(plain, layer, y.reshape(len(x), outputs, height, width))]


@rule("Deconvolution")
def deconvolution(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """The transpose: each pixel is spread over a window, s (n - 1) + d (k - 1) + 1 - 2 p wide."""
    (kh, kw), (sh, sw) = kernel_and_stride(layer)
    (ph, pw), (dh, dw) = layer.pair("convolution", "pad", 0), dilation(layer)
    groups, outputs = (
        layer.one("convolution", "group", 1),
        layer.one("convolution", "num_output", 0),
    )
    each = outputs // groups
    w = plain.parameter(layer, 0, "weight").reshape(x.shape[1], each, kh, kw)
    height = sh * (x.shape[2] - 1) + dh * (kh - 1) + 1
    width = sw * (x.shape[3] - 1) + dw * (kw - 1) + 1
    y = np.zeros((len(x), outputs, height, width))
    flat = x.reshape(len(x), groups, x.shape[1] // groups, -1)
    for a, b in np.ndindex(kh, kw):
        rows = slice(a * dh, a * dh + sh * (x.shape[2] - 1) + 1, sh)
        columns = slice(b * dw, b * dw + sw * (x.shape[3] - 1) + 1, sw)
        tap = w[:, :, a, b].reshape(groups, -1, each).swapaxes(1, 2).copy()
        spread = tap @ flat
        y[:, :, rows, columns] += spread.reshape(len(x), outputs, *x.shape[2:])
    y = y[:, :, ph : height - ph, pw : width - pw]
    return [with_bias(plain, layer, y)]


def kernel_and_stride(layer: Layer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Both of a convolution."""
    kernel = layer.pair("convolution", "kernel_size", None, "kernel")
    return kernel, layer.pair("convolution", "stride", 1)


def dilation(layer: Layer) -> tuple[int, int]:
    """That of a convolution."""
    return layer.pair("convolution", "dilation", 1)


def with_bias(plain: Plain, layer: Layer, y: Array) -> Array:
    """The bias of each channel added where there is one."""
    if not layer.one("convolution", "bias_term", True):
        return y
    return y + plain.parameter(layer, 1, "bias").reshape(1, -1, 1, 1)


@rule("InnerProduct")
def inner_product(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """y = W x + b on everything from the axis on."""
    axis = layer.one("inner_product", "axis", 1) % x.ndim
    if axis != 1:
        raise Unsound("another axis")
    outputs = layer.one("inner_product", "num_output", 0)
    layer.one("inner_product", "transpose", False)
    flat = x.reshape(len(x), -1)
    y = flat @ plain.parameter(layer, 0, "weight").reshape(outputs, -1).T
    if layer.one("inner_product", "bias_term", True):
        y = y + plain.parameter(layer, 1, "bias")
    return [y]


@rule("Pooling")
def pooling(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Caffe's: rounded up unless told, the last window in the image, the area cut at the pad."""
    method = layer.one("pooling", "pool", "MAX")
    mode = layer.one("pooling", "round_mode", "CEIL")
    up = layer.one("pooling", "ceil_mode", mode != "FLOOR")
    strides, pads = layer.pair("pooling", "stride", 1), layer.pair("pooling", "pad", 0)
    if layer.one("pooling", "global_pooling", False):
        over = x.max if method == "MAX" else x.mean
        return [over(axis=(2, 3), keepdims=True)]
    kernels = layer.pair("pooling", "kernel_size", None, "kernel")
    counts = []
    for n, k, s, p in zip(x.shape[2:], kernels, strides, pads, strict=True):
        exact = (n + 2 * p - k) / s
        count = (math.ceil(exact) if up else math.floor(exact)) + 1
        if any(pads) and (count - 1) * s >= n + p:
            count -= 1
        counts.append(count)
    y = np.zeros((*x.shape[:2], *counts))
    for i, j in np.ndindex(*counts):
        spans = []
        area = 1
        for place, n, k, s, p in zip((i, j), x.shape[2:], kernels, strides, pads, strict=True):
            start, end = place * s - p, min(place * s - p + k, n + p)
            area *= end - start
            spans.append(slice(max(start, 0), min(end, n)))
        window = x[:, :, spans[0], spans[1]]
        if not window.size:
            raise Unsound("an empty window")
        y[:, :, i, j] = window.max((2, 3)) if method == "MAX" else window.sum((2, 3)) / area
    return [y]


@rule("LRN")
def lrn(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Divided by (k + alpha/n sum of squares)^beta over n channels, or n x n pixels of one."""
    size = layer.one("lrn", "local_size", 5)
    alpha, beta = layer.one("lrn", "alpha", 1.0), layer.one("lrn", "beta", 0.75)
    region, k = layer.one("lrn", "norm_region", "ACROSS_CHANNELS"), layer.one("lrn", "k", 1.0)
    half, y = size // 2, np.zeros_like(x)
    if region == "ACROSS_CHANNELS":
        for c in range(x.shape[1]):
            total = np.square(x[:, max(c - half, 0) : c + half + 1]).sum(1)
            y[:, c] = x[:, c] * (k + alpha / size * total) ** -beta
        return [y]
    for i, j in np.ndindex(x.shape[2:]):
        near = x[:, :, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
        mean = np.square(near).sum((2, 3)) / size**2
        y[:, :, i, j] = x[:, :, i, j] * (1 + alpha * mean) ** -beta
    return [y]


def column(values: Array, x: Array) -> Array:
    """One number for each channel, to be broadcast."""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


@rule("BatchNorm")
def batch_norm(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """(x - mean)/sqrt(variance + eps) with the running statistics."""
    if not layer.one("batch_norm", "use_global_stats", True):
        raise Unsound("the statistics of the batch")
    mean = column(plain.parameter(layer, 0, "running_mean"), x)
    variance = column(plain.parameter(layer, 1, "running_var"), x)
    y = (x - mean) / np.sqrt(variance + layer.one("batch_norm", "eps", 1e-5))
    if layer.one("batch_norm", "scale_bias", False):  # NVIDIA's, which holds the Scale
        y = y * column(plain.parameter(layer, 3, "weight"), x)
        y = y + column(plain.parameter(layer, 4, "bias"), x)
    return [y]


@rule("Scale")
def scale(plain: Plain, layer: Layer, x: Array, factor: Array | None = None) -> list[Array]:
    """x times a factor of each channel, learned or given, plus a learned offset."""
    axis, count = layer.one("scale", "axis", 1) % x.ndim, layer.one("scale", "num_axes", 1)
    bias = layer.one("scale", "bias_term", False)
    if factor is not None:
        if factor.shape != x.shape[axis : axis + factor.ndim] or bias:
            raise Unsound("another shape, or an offset for each sample")
        return [x * factor.reshape(*factor.shape, *[1] * (x.ndim - axis - factor.ndim))]
    if axis != 1 or count not in (1, -1) or (count == -1 and x.ndim > 2):
        raise Unsound("other axes")
    own = label(layer.name)
    if f"{own}.weight" not in plain.held and not any(
        layer.named
    ):  # the batch norm before it holds them
        own = label(plain.normalised[layer.bottoms[0]])
        plain.taken.update((f"{own}.weight", f"{own}.bias"))
        assert bias
        weights = [np.asarray(plain.held[f"{own}.{role}"], float) for role in ("weight", "bias")]
        return [x * column(weights[0], x) + column(weights[1], x)]
    y = x * column(plain.parameter(layer, 0, "weight"), x)
    return [y + column(plain.parameter(layer, 1, "bias"), x) if bias else y]


@rule("BN")
def bn(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """PSPNet's slope (x - mean)/sqrt(variance + eps) + bias; SegNet's scale x + shift."""
    mode = layer.one("bn", "bn_mode", "")
    weight = column(plain.parameter(layer, 0, "weight"), x)
    bias = column(plain.parameter(layer, 1, "bias"), x)
    if mode:
        if mode == "LEARN":
            raise Unsound("the statistics of the batch")
        return [x * weight + bias]
    mean = column(plain.parameter(layer, 2, "running_mean"), x)
    variance = column(plain.parameter(layer, 3, "running_var"), x)
    return [(x - mean) / np.sqrt(variance + layer.one("bn", "eps", 1e-5)) * weight + bias]


@rule("Normalize")
def normalize(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """x/sqrt(sum of squares + eps), over the channels or all, times a factor of each channel."""
    if layer.one("norm", "channel_shared", True):
        raise Unsound("one factor for all")
    axes = (1, 2, 3) if layer.one("norm", "across_spatial", True) else (1,)
    total = np.square(x).sum(axes, keepdims=True) + layer.one("norm", "eps", 1e-10)
    return [x / np.sqrt(total) * column(plain.parameter(layer, 0, "weight"), x)]


@rule("Eltwise")
def eltwise(plain: Plain, layer: Layer, *inputs: Array) -> list[Array]:
    """A product, a maximum, or a sum with coefficients."""
    if any(x.shape != inputs[0].shape for x in inputs) or len(inputs) < 2:
        raise Unsound("different shapes")
    operation = layer.one("eltwise", "operation", "SUM")
    if operation in ("PROD", 0):
        return [np.prod(inputs, axis=0)]
    if operation in ("MAX", 2):
        return [np.max(inputs, axis=0)]
    factors = layer.all("eltwise", "coeff") or [1] * len(inputs)
    return [sum(f * x for f, x in zip(factors, inputs, strict=True))]


@rule("Axpy")
def axpy(plain: Plain, layer: Layer, a: Array, x: Array, y: Array) -> list[Array]:
    """a x + y."""
    return [a.reshape(*a.shape[:2], 1, 1) * x + y]


@rule("Concat")
def concat(plain: Plain, layer: Layer, *inputs: Array) -> list[Array]:
    """One behind the other."""
    axis = layer.one("concat", "axis", layer.one("concat", "concat_dim", 1))
    if not -inputs[0].ndim <= axis < inputs[0].ndim or axis % inputs[0].ndim == 0:
        raise Unsound("another axis")
    return [np.concatenate(inputs, axis)]


@rule("Slice")
def slice_(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Parts of an axis."""
    axis = layer.one("slice", "axis", layer.one("slice", "slice_dim", 1))
    points = layer.all("slice", "slice_point")
    return np.split(x, points or len(layer.tops), axis)


@rule("Split")
def split(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """The same again."""
    return [x] * len(layer.tops)


@rule("ShuffleChannel")
def shuffle_channel(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Channel i of group g becomes channel g of group i."""
    groups = layer.one("shuffle_channel", "group", 1)
    each, y = x.shape[1] // groups, np.zeros_like(x)
    for g, i in np.ndindex(groups, each):
        y[:, i * groups + g] = x[:, g * each + i]
    return [y]


@rule("Flatten")
def flatten(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Axes from the first to the last as one."""
    first, last = (layer.one("flatten", n, d) % x.ndim for n, d in (("axis", 1), ("end_axis", -1)))
    if first == 0:
        raise Unsound("the batch")
    return [x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])]


@rule("Reshape")
def reshape(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Axes from one on in another shape; 0 keeps a size, -1 takes the rest."""
    (shape,) = layer.all("reshape", "shape")
    layer.used.add("dim")
    axis, count = layer.one("reshape", "axis", 0), layer.one("reshape", "num_axes", -1)
    first = axis if axis >= 0 else x.ndim + 1 + axis
    last = x.ndim if count == -1 else first + count
    sizes = [x.shape[first + i] if size == 0 else size for i, size in enumerate(shape["dim"])]
    y = x.reshape(*x.shape[:first], *sizes, *x.shape[last:])
    if len(y) != len(x):
        raise Unsound("another batch")
    return [y]


@rule("Permute")
def permute(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """The axes in another order."""
    order = layer.all("permute", "order")
    return [x.transpose(order + [axis for axis in range(x.ndim) if axis not in order])]


@rule("Crop")
def crop(plain: Plain, layer: Layer, x: Array, like: Array) -> list[Array]:
    """Height and width cut to those of another."""
    offsets = (layer.all("crop", "offset") or [0]) * 2
    layer.one("crop", "axis", 2)
    (top, left), (height, width) = offsets[:2], like.shape[2:]
    return [x[:, :, top : top + height, left : left + width]]


@rule("Upsample")
def upsample(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """y[h, w] = x[h // scale, w // scale]."""
    s = layer.one("upsample", "scale", None)
    y = np.zeros((*x.shape[:2], x.shape[2] * s, x.shape[3] * s))
    for h, w in np.ndindex(y.shape[2:]):
        y[:, :, h, w] = x[:, :, h // s, w // s]
    return [y]


@rule("Interp")
def interp(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Bilinear with the corners of both maps meeting."""
    shrink, zoom = layer.one("interp", "shrink_factor", 1), layer.one("interp", "zoom_factor", 1)
    if layer.one("interp", "pad_beg", 0) or layer.one("interp", "pad_end", 0):
        raise Unsound("a cropped map")
    sizes = []
    for name, n in zip(("height", "width"), x.shape[2:], strict=True):
        shrunk = (n - 1) // shrink + 1
        sizes.append(layer.one("interp", name, shrunk + (shrunk - 1) * (zoom - 1)))
    y = np.zeros((*x.shape[:2], *sizes))
    for i, j in np.ndindex(*sizes):
        (t, u, a), (le, r, b) = (
            between(place, n, m) for place, n, m in zip((i, j), x.shape[2:], sizes, strict=True)
        )
        above = x[:, :, t, le] * (1 - b) + x[:, :, t, r] * b
        below = x[:, :, u, le] * (1 - b) + x[:, :, u, r] * b
        y[:, :, i, j] = above * (1 - a) + below * a
    return [y]


def between(place: int, n: int, m: int) -> tuple[int, int, float]:
    """The pixels of n that a pixel of m lies between, and how far from the first."""
    at = place * (n - 1) / (m - 1) if m > 1 else 0.0
    return int(at), min(int(at) + 1, n - 1), at - int(at)


@rule("Softmax")
def softmax(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """e^x over its sum along an axis."""
    axis = layer.one("softmax", "axis", 1)
    if not -x.ndim <= axis < x.ndim or axis % x.ndim == 0:
        raise Unsound("another axis")
    raised = np.exp(x - x.max(axis, keepdims=True))
    return [raised / raised.sum(axis, keepdims=True)]


@rule("ReLU")
def relu(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """max(x, 0) + slope min(x, 0)."""
    slope = layer.one("relu", "negative_slope", 0)
    return [np.maximum(x, 0) + slope * np.minimum(x, 0)]


@rule("PReLU")
def prelu(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """max(x, 0) + slope min(x, 0), a learned slope for each channel or for all."""
    slope = plain.parameter(layer, 0, "weight")
    if not layer.one("prelu", "channel_shared", False):
        slope = column(slope, x)
    return [np.maximum(x, 0) + slope * np.minimum(x, 0)]


@rule("ELU")
def elu(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """x, below zero alpha (e^x - 1)."""
    return [np.where(x > 0, x, layer.one("elu", "alpha", 1) * np.expm1(np.minimum(x, 0)))]


@rule("Power")
def power(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """(shift + scale x)^power."""
    return [linear(layer, "power", x) ** layer.one("power", "power", 1)]


def linear(layer: Layer, message: str, x: Array) -> Array:
    """shift + scale x."""
    return layer.one(message, "shift", 0) + layer.one(message, "scale", 1) * x


@rule("Exp")
def exp(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """base^(shift + scale x), the base -1 for e."""
    base = layer.one("exp", "base", -1)
    return [(math.e if base == -1 else base) ** linear(layer, "exp", x)]


@rule("Log")
def log(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """The logarithm of shift + scale x to a base, -1 for e."""
    base = layer.one("log", "base", -1)
    return [np.log(linear(layer, "log", x)) / (1 if base == -1 else math.log(base))]


@rule("Swish")
def swish(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """x/(1 + e^(-beta x))."""
    return [x / (1 + np.exp(-layer.one("swish", "beta", 1) * x))]


@rule("Dropout")
def dropout(plain: Plain, layer: Layer, x: Array) -> list[Array]:
    """Nothing, when tested."""
    return [x]


def without_parameters(function: Callable[[Array], Array]) -> Rule:
    """The rule of a layer that is one function of each number."""
    return lambda plain, layer, x: [function(x)]


RULES |= {
    "Sigmoid": without_parameters(lambda x: 1 / (1 + np.exp(-x))),
    "TanH": without_parameters(np.tanh),
    "AbsVal": without_parameters(np.abs),
    "BNLL": without_parameters(lambda x: np.log1p(np.exp(x))),
    "ReLU6": without_parameters(lambda x: np.clip(x, 0, 6)),
    "SeLu": without_parameters(
        lambda x: (
            1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
        )
    ),
}
