"""A second, plain reading of Darknet's cfg: each section by what Darknet's code does, in float64.

It shares nothing with the importer, the reading of the text included. `run` gives what each layer
makes. From the forward functions of Darknet's layers (convolutional_layer.c, maxpool_layer.c,
route_layer.c, shortcut_layer.c, …), pjreddie's and AlexeyAB's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.importers.plain import Unsound, entering

Array = NDArray[np.float64]
Options = dict[str, str]


def parse(text: str) -> list[tuple[str, Options]]:
    """The sections with their options; of an option given twice the first counts."""
    sections: list[tuple[str, Options]] = []
    for raw in text.splitlines():
        line = "".join(raw.split())
        if line.startswith("["):
            sections.append((line[1:-1], {}))
        elif line and line[0] not in "#;":
            key, _, value = line.partition("=")
            sections[-1][1].setdefault(key, value)
    return sections


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "revleaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "relu": lambda x: x * (x > 0),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "relie": lambda x: np.where(x > 0, x, 0.01 * x),
    "ramp": lambda x: x * (x > 0) + 0.1 * x,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "loggy": lambda x: 2 / (1 + np.exp(-x)) - 1,
    "tanh": lambda x: 2 / (1 + np.exp(-2 * x)) - 1,
    "hardtan": lambda x: np.where(x < -1, -1, np.where(x > 1, 1, x)),
    "elu": lambda x: np.where(x >= 0, x, np.exp(x) - 1),
    "selu": lambda x: np.where(x >= 0, 1.0507 * x, 1.0507 * 1.6732 * (np.exp(x) - 1)),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(0.797885 * x + 0.035677 * x**3)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "mish": lambda x: x * np.tanh(np.log(np.exp(x) + 1)),
    "hard_mish": lambda x: np.where(x > 0, x, np.where(x > -2, x * x / 2 + x, 0)),
}


TAKING = ("route", "shortcut", "scale_channels", "sam")  # sections that take other layers


class Plain:
    """A network of one sample; `held` gives the parameters of its layers, in order."""

    def __init__(self, text: str, held: Iterator[dict[str, Any]]) -> None:
        self.sections = parse(text)
        self.held = held
        self.made: list[Array] = []
        self.parameters: dict[int, list[dict[str, Any]]] = {}
        self.lender = -1  # the layer whose parameters the one at hand shares
        self.count = 0  # of the parameters that it took

    def run(self, x: Array) -> list[Array]:
        """What each layer makes of a picture."""
        needed = self.needed([len(self.sections) - 2])
        for place, (name, options) in enumerate(self.sections[1:]):
            self.lender, self.count = -1, 0
            before = self.made[-1] if self.made else x
            self.made.append(RULES[name](self, options, before) if place in needed else before)
        return self.made

    def needed(self, ends: list[int]) -> set[int]:
        """The layers that lead to some."""
        found: set[int] = set()
        left = list(ends)
        while left:
            place = left.pop()
            if place in found or place < 0:
                continue
            found.add(place)
            name, options = self.sections[place + 1]
            words = options.get("layers" if name == "route" else "from", "")
            words = words if name in TAKING else ""
            indices = [int(float(word)) for word in words.split(",") if word]
            left += [index + place if index < 0 else index for index in indices]
            if name != "route":
                left.append(place - 1)
        return found

    def take(self) -> dict[str, Any]:
        """The next parameters of the layer at hand, its own or another's.

        Those of a layer that leads to nothing are held by the first that shares them.
        """
        own = self.lender < 0
        held = self.parameters.setdefault(len(self.made) if own else self.lender, [])
        self.parameters[len(self.made)] = held
        if self.count == len(held):
            held.append(next(self.held))
        self.count += 1
        return held[self.count - 1]

    def other(self, index: int) -> Array:
        """What another layer made; a negative index counts back."""
        place = index + len(self.made) if index < 0 else index
        if not 0 <= place < len(self.made):
            raise Unsound("no such layer")
        return self.made[place]


Rule = Callable[[Plain, Options, Array], Array]
RULES: dict[str, Rule] = {}
rule = entering(RULES)


def whole(options: Options, name: str, default: int) -> int:
    """An option that is a whole number; a comment may stand behind it."""
    return int(float(str(options.get(name, default)).partition("#")[0]))


def activated(x: Array, options: Options, default: str) -> Array:
    """What the activation makes."""
    name = options.get("activation", default)
    if name not in ACTIVATIONS:
        raise Unsound("no such activation")
    return np.asarray(ACTIVATIONS[name](x))


def normalised(plain: Plain, x: Array) -> Array:
    """(x - mean)/sqrt(variance + 0.000001) times the scale of each channel, plus its bias."""
    held = {name: column(value, x) for name, value in plain.take().items()}
    root = np.sqrt(held["running_var"] + 0.000001)
    return (x - held["running_mean"]) / root * held["weight"] + held["bias"]


def column(values: Any, x: Array) -> Array:
    """One number for each channel, to be broadcast."""
    return np.asarray(values, float).reshape(-1, *[1] * (x.ndim - 1))


def with_norm_or_bias(plain: Plain, options: Options, held: dict[str, Any], y: Array) -> Array:
    """Batch normalisation where it is asked for, else the bias."""
    if whole(options, "batch_normalize", 0):
        return normalised(plain, y)
    return y + column(held["bias"], y)


@rule("convolutional")
def convolutional(plain: Plain, options: Options, x: Array) -> Array:
    """Padded by size//2 where pad=1, else by padding, times the dilation."""
    size, filters = whole(options, "size", 1), whole(options, "filters", 1)
    stride = whole(options, "stride", 1)
    high, wide = whole(options, "stride_y", stride), whole(options, "stride_x", stride)
    dilation = whole(options, "dilation", 1) if size > 1 else 1
    pad = size // 2 if whole(options, "pad", 0) else whole(options, "padding", 0)
    groups = whole(options, "groups", 1)
    share = options.get("share_index")
    if share is not None:
        index = int(float(share))
        plain.lender = index + (len(plain.made) if index < 0 else 0)
    held = plain.take()
    w = np.asarray(held["weight"], float)
    assert w.shape == (filters, x.shape[0] // groups, size, size)
    p = pad * dilation
    padded = np.pad(x, [(0, 0), (p, p), (p, p)])
    height = (x.shape[1] + 2 * p - (dilation * (size - 1) + 1)) // high + 1
    width = (x.shape[2] + 2 * p - (dilation * (size - 1) + 1)) // wide + 1
    y = np.zeros((groups, filters // groups, height * width))
    for a, b in np.ndindex(size, size):
        rows = slice(a * dilation, a * dilation + high * (height - 1) + 1, high)
        columns = slice(b * dilation, b * dilation + wide * (width - 1) + 1, wide)
        seen = padded[:, rows, columns].reshape(groups, w.shape[1], -1)
        y += w[:, :, a, b].copy().reshape(groups, -1, w.shape[1]) @ seen  # quick in one piece
    y = y.reshape(filters, height, width)
    return activated(with_norm_or_bias(plain, options, held, y), options, "logistic")


@rule("deconvolutional")
def deconvolutional(plain: Plain, options: Options, x: Array) -> Array:
    """Each pixel is spread over a window; (n - 1) stride + size - 2 pad pixels."""
    size, stride = whole(options, "size", 1), whole(options, "stride", 1)
    pad = size // 2 if whole(options, "pad", 0) else whole(options, "padding", 0)
    held = plain.take()
    w = np.asarray(held["weight"], float)
    height, width = (stride * (n - 1) + size for n in x.shape[1:])
    y = np.zeros((w.shape[1], height, width))
    for c, o, a, b in np.ndindex(w.shape):
        rows = slice(a, a + stride * (x.shape[1] - 1) + 1, stride)
        columns = slice(b, b + stride * (x.shape[2] - 1) + 1, stride)
        y[o, rows, columns] += w[c, o, a, b] * x[c]
    y = y[:, pad : height - pad, pad : width - pad]
    return activated(with_norm_or_bias(plain, options, held, y), options, "logistic")


@rule("connected")
def connected(plain: Plain, options: Options, x: Array) -> Array:
    """W x, and the bias or batch normalisation."""
    held = plain.take()
    y = np.asarray(held["weight"], float) @ x.reshape(-1)
    assert len(y) == whole(options, "output", 1)
    return activated(with_norm_or_bias(plain, options, held, y), options, "logistic")


@rule("batchnorm")
def batchnorm(plain: Plain, options: Options, x: Array) -> Array:
    """Batch normalisation."""
    return normalised(plain, x)


@rule("maxpool", "local_avgpool")
def pool(plain: Plain, options: Options, x: Array) -> Array:
    """Windows from -padding/2 on, (n + padding - size)/stride + 1 of them."""
    mean = plain.sections[len(plain.made) + 1][0] == "local_avgpool"
    stride = whole(options, "stride", 1)
    strides = whole(options, "stride_y", stride), whole(options, "stride_x", stride)
    size = whole(options, "size", stride)
    padding = whole(options, "padding", size - 1)
    sizes = [(n + padding - size) // s + 1 for n, s in zip(x.shape[1:], strides, strict=True)]
    y = np.zeros((x.shape[0], *sizes))
    for i, j in np.ndindex(*sizes):
        top, left = (place * s - padding // 2 for place, s in zip((i, j), strides, strict=True))
        window = x[:, max(top, 0) : top + size, max(left, 0) : left + size]
        if not window.size:
            raise Unsound("an empty window")
        y[:, i, j] = window.mean((1, 2)) if mean else window.max((1, 2))
    return y


@rule("avgpool")
def avgpool(plain: Plain, options: Options, x: Array) -> Array:
    """The mean of each map."""
    return x.mean((1, 2), keepdims=True)


@rule("dropout", "cost")
def nothing(plain: Plain, options: Options, x: Array) -> Array:
    """Nothing, when tested."""
    return x


@rule("normalization")
def normalization(plain: Plain, options: Options, x: Array) -> Array:
    """Divided by (kappa + alpha sum of squares)^beta, the sum over `size` channels."""
    size, y = whole(options, "size", 5), np.zeros_like(x)
    alpha, beta, kappa = (
        float(options.get(name, default))
        for name, default in (("alpha", 1e-4), ("beta", 0.75), ("kappa", 1))
    )
    for c in range(len(x)):
        near = x[max(c - size // 2, 0) : c + size // 2 + 1]
        y[c] = x[c] * (kappa + alpha * np.square(near).sum(0)) ** -beta
    return y


@rule("softmax")
def softmax(plain: Plain, options: Options, x: Array) -> Array:
    """e^(x/temperature) over its sum over all values, or over the channels of each pixel."""
    raised = np.exp(x / float(options.get("temperature", 1)))
    axis = 0 if float(options.get("spatial", 0)) else None
    found = raised / raised.sum(axis, keepdims=True)
    return found if axis == 0 or found.size == len(found) else found.reshape(-1)


@rule("activation")
def activation(plain: Plain, options: Options, x: Array) -> Array:
    """An activation by itself."""
    return activated(x, options, "linear")


@rule("logistic")
def logistic(plain: Plain, options: Options, x: Array) -> Array:
    """The sigmoid."""
    return 1 / (1 + np.exp(-x))


@rule("route")
def route(plain: Plain, options: Options, x: Array) -> Array:
    """Layers one behind the other; of each the own part of its channels where there are groups."""
    groups, group = whole(options, "groups", 1), whole(options, "group_id", 0)
    parts = []
    for word in options["layers"].split(","):
        other = plain.other(int(float(word)))
        each = len(other) // groups
        if each * groups != len(other) or not 0 <= group < groups:
            raise Unsound("groups that do not divide")
        parts.append(other[group * each : (group + 1) * each])
    return np.concatenate(parts)


@rule("shortcut")
def shortcut(plain: Plain, options: Options, x: Array) -> Array:
    """Others added: of a larger map every nth pixel, and the channels that both have."""
    y = x.copy()
    for word in options["from"].split(","):
        other = plain.other(int(float(word)))
        step = other.shape[1] // x.shape[1]
        if step < 1 or other.shape[2] // x.shape[2] != step:
            raise Unsound("a smaller map")
        channels, (height, width) = min(len(x), len(other)), x.shape[1:]
        y[:channels] += other[:channels, ::step, ::step][:, :height, :width]
    return activated(y, options, "linear")


@rule("upsample")
def upsample(plain: Plain, options: Options, x: Array) -> Array:
    """Pixels repeated and scaled."""
    s, scale = whole(options, "stride", 2), float(options.get("scale", 1))
    y = np.zeros((len(x), x.shape[1] * s, x.shape[2] * s))
    for i, j in np.ndindex(y.shape[1:]):
        y[:, i, j] = scale * x[:, i // s, j // s]
    return y


@rule("reorg")
def reorg(plain: Plain, options: Options, x: Array) -> Array:
    """The memory read as a map s times as large, whose places are dealt out to channels."""
    s = whole(options, "stride", 1)
    c, h, w = x.shape
    each = c // (s * s)
    if each * s * s != c or h % s or w % s:
        raise Unsound("a stride that does not divide")
    flat, y = x.reshape(-1), np.zeros(x.size)
    for k, j, i in np.ndindex(c, h, w):
        place, channel = k // each, k % each
        row, column_ = j * s + place // s, i * s + place % s
        y[i + w * (j + h * k)] = flat[column_ + w * s * (row + h * s * channel)]
    return y.reshape(c * s * s, h // s, w // s)


@rule("reorg3d")
def reorg3d(plain: Plain, options: Options, x: Array) -> Array:
    """Pixels to channels, the place counting more than the channel."""
    s = whole(options, "stride", 1)
    if x.shape[1] % s or x.shape[2] % s:
        raise Unsound("a stride that does not divide")
    return np.concatenate([x[:, a::s, b::s] for a in range(s) for b in range(s)])


@rule("crop")
def crop(plain: Plain, options: Options, x: Array) -> Array:
    """The centre, and 0..1 to -1..1."""
    height, width = whole(options, "crop_height", 1), whole(options, "crop_width", 1)
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    y = x[:, top : top + height, left : left + width]
    return y if whole(options, "noadjust", 0) else 2 * y - 1


@rule("scale_channels", "sam")
def scale_channels(plain: Plain, options: Options, x: Array) -> Array:
    """Another layer times this one's factors."""
    return activated(plain.other(whole(options, "from", -1)) * x, options, "linear")
