"""ONNX activation functions."""

from __future__ import annotations

import math

import numpy as np

from compiler.dims import Dim
from compiler.importers.affine import align, single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.values import Tensor

SAME = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "HardSwish": "hardswish",
    "Swish": "silu",
    "Mish": "mish",
    "LogSigmoid": "log_sigmoid",
    "Softsign": "softsign",
    "Abs": "abs",
    "Exp": "exp",
    "Log": "log",
}
LARGEST = float(np.finfo(np.float32).max)


@converts(*SAME)
def plain(reading: Reading) -> Tensor:
    """Those that have no attribute of ours."""
    if reading.operator.type == "Swish" and reading.get("alpha", 1.0) != 1:
        raise Refused("Swish with an alpha")
    return reading.add(SAME[reading.operator.type], reading.tensor(0))


@converts("Gelu")
def gelu(reading: Reading) -> Tensor:
    """The exact form, or its approximation by tanh."""
    approximate = reading.get("approximate", "none") == "tanh"
    return reading.add("gelu", reading.tensor(0), approximate=approximate)


@converts("LeakyRelu")
def leaky_relu(reading: Reading) -> Tensor:
    """x where positive, else slope * x."""
    slope = single(reading.get("alpha", 0.01))
    return reading.add("leaky_relu", reading.tensor(0), slope=slope)


@converts("Elu", "Celu")
def elu(reading: Reading) -> Tensor:
    """Exponential linear units."""
    name = reading.operator.type.lower()
    return reading.add(name, reading.tensor(0), alpha=single(reading.get("alpha", 1.0)))


@converts("ThresholdedRelu")
def thresholded_relu(reading: Reading) -> Tensor:
    """x where above a threshold."""
    threshold = single(reading.get("alpha", 1.0))
    return reading.add("thresholded_relu", reading.tensor(0), threshold=threshold)


@converts("Neg", "Sqrt", "Reciprocal", "Pow")
def power(reading: Reading) -> Tensor:
    """Fixed powers, and the sign changed."""
    x, kind = reading.tensor(0), reading.operator.type
    if kind == "Neg":
        return reading.add("scale", x, factor=-1.0)
    exponent = {"Sqrt": 0.5, "Reciprocal": -1.0}.get(kind, 0.0)
    if kind == "Pow":
        if reading.array(1).size != 1 or reading.array(1).ndim > len(x.shape) + reading.batch:
            raise Refused("its exponent differs from value to value, or adds axes")
        exponent = single(reading.array(1).item())
    return reading.add("power", x, exponent=exponent)


@converts("Selu")
def selu(reading: Reading) -> Tensor:
    """The self-normalising constants are `selu`; others are a scaled `elu`."""
    alpha, gamma = reading.get("alpha", 1.67326324), reading.get("gamma", 1.05070098)
    if math.isclose(alpha, 1.67326324, rel_tol=1e-6) and math.isclose(
        gamma, 1.05070098, rel_tol=1e-6
    ):
        return reading.add("selu", reading.tensor(0))
    y = reading.add("elu", reading.tensor(0), alpha=single(alpha))
    return reading.add("scale", y, factor=single(gamma))


@converts("HardSigmoid")
def hard_sigmoid(reading: Reading) -> Tensor:
    """clip(alpha x + beta, 0, 1); PyTorch's numbers are `hardsigmoid`."""
    alpha, beta = reading.get("alpha", 0.2), reading.get("beta", 0.5)
    x = reading.tensor(0)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return reading.add("hardsigmoid", x)
    y = reading.add("scale", x, factor=single(alpha))
    return reading.add("clip", reading.add("shift", y, offset=single(beta)), lo=0, hi=1)


@converts("Clip")
def clip(reading: Reading) -> Tensor:
    """min(max(x, lo), hi): relu6 and relu where the bounds are theirs."""
    x = reading.tensor(0)
    bounds = [reading.get("min"), reading.get("max")]
    for index in (1, 2):
        if reading.has(index):
            bounds[index - 1] = float(reading.array(index).reshape(-1)[0])
    lo = -LARGEST if bounds[0] is None else max(single(bounds[0]), -LARGEST)
    hi = LARGEST if bounds[1] is None else min(single(bounds[1]), LARGEST)
    if (lo, hi) == (-LARGEST, LARGEST):
        return x
    if lo == 0 and hi in (6, LARGEST):
        return reading.add("relu6" if hi == 6 else "relu", x)
    if lo >= hi:
        return reading.add("shift", reading.add("scale", x, factor=0.0), offset=hi)
    return reading.add("clip", x, lo=lo, hi=hi)


@converts("PRelu")
def prelu(reading: Reading) -> Tensor:
    """A learned slope: one for all, one a channel, or one for each value of the sample."""
    x, slope = reading.tensor(0), reading.array(1)
    if slope.size == 1:
        return reading.add("prelu", x, weights={"weight": slope.reshape(1)}, known_by=(1,))
    if slope.ndim == 1 and slope.size == x.shape[0] and len(x.shape) > 1 and reading.opset < 9:
        slope = slope.reshape(-1, *([1] * (len(x.shape) - 1)))
    slope = align(slope, x.shape)
    if slope.shape[0] == x.shape[0] and slope.size == x.shape[0]:
        weights = {"weight": slope.reshape(-1)}
        return reading.add("prelu", x, weights=weights, known_by=(1,), channelwise=True)
    sizes = tuple(size for size in x.shape if not isinstance(size, Dim))
    if len(sizes) != len(x.shape):
        raise Refused("a slope for each pixel needs an input of known size")
    weights = {"weight": np.broadcast_to(slope, sizes).reshape(-1)}
    flat = reading.add("flatten", x) if len(sizes) > 1 else x
    y = reading.add("prelu", flat, weights=weights, known_by=(1,), channelwise=True)
    return reading.add("reshape", y, shape=list(sizes)) if len(sizes) > 1 else y


@converts("Softmax", "LogSoftmax")
def softmax(reading: Reading) -> Tensor:
    """Along one axis; before opset 13 over that axis and all behind it together."""
    x = reading.tensor(0)
    name = "softmax" if reading.operator.type == "Softmax" else "log_softmax"
    old = reading.opset < 13
    axis = reading.axis(int(reading.get("axis", 1 if old else -1)), x)
    if old and any(size != 1 for size in x.shape[axis + 1 :]):
        if axis:
            raise Refused(f"before opset 13 it sums over all axes from {axis + 1} on")
        sizes = list(x.shape)
        return reading.add("reshape", reading.add(name, reading.add("flatten", x)), shape=sizes)
    return reading.add(name, x, axis=axis)
