"""Activation functions in PyTorch."""

from __future__ import annotations

from compiler.ops.activate import (
    Activation,
    Celu,
    Clip,
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PRelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu,
)
from compiler.torch import writes
from compiler.torch.layer import Layer, dimension

PLAIN: dict[type[Activation], tuple[str, str]] = {
    Relu: ("F.relu", "nn.ReLU"),
    Relu6: ("F.relu6", "nn.ReLU6"),
    Selu: ("F.selu", "nn.SELU"),
    Silu: ("F.silu", "nn.SiLU"),
    Mish: ("F.mish", "nn.Mish"),
    HardSigmoid: ("F.hardsigmoid", "nn.Hardsigmoid"),
    HardSwish: ("F.hardswish", "nn.Hardswish"),
    Sigmoid: ("torch.sigmoid", "nn.Sigmoid"),
    LogSigmoid: ("F.logsigmoid", "nn.LogSigmoid"),
    Tanh: ("torch.tanh", "nn.Tanh"),
    Softsign: ("F.softsign", "nn.Softsign"),
    Softplus: ("F.softplus", "nn.Softplus"),
}


@writes(*PLAIN)
def plain(op: Activation, layer: Layer, x: str) -> str:
    """A function of the same name."""
    function, module = PLAIN[type(op)]
    return layer.function(function, x, module)


@writes(LeakyRelu)
def leaky_relu(op: LeakyRelu, layer: Layer, x: str) -> str:
    """nn.LeakyReLU."""
    return layer.function("F.leaky_relu", x, "nn.LeakyReLU", negative_slope=op.slope)


@writes(Elu, Celu)
def elu(op: Elu, layer: Layer, x: str) -> str:
    """nn.ELU and nn.CELU."""
    function, module = ("F.celu", "nn.CELU") if isinstance(op, Celu) else ("F.elu", "nn.ELU")
    return layer.function(function, x, module, alpha=op.alpha)


@writes(PRelu)
def prelu(op: PRelu, layer: Layer, x: str) -> str:
    """nn.PReLU, whose slopes start at 0.25 too."""
    made = layer.module("nn.PReLU", layer.weights[0].size, kinds=("num_parameters",))
    return f"{made}({x})"


@writes(ThresholdedRelu)
def thresholded_relu(op: ThresholdedRelu, layer: Layer, x: str) -> str:
    """nn.Threshold with 0 below."""
    return layer.function("F.threshold", x, "nn.Threshold", threshold=op.threshold, value=0.0)


@writes(Gelu)
def gelu(op: Gelu, layer: Layer, x: str) -> str:
    """nn.GELU."""
    given = {"approximate": "tanh"} if op.approximate else {}
    return layer.function("F.gelu", x, "nn.GELU", **given)


@writes(Softmax, LogSoftmax)
def softmax(op: Softmax, layer: Layer, x: str) -> str:
    """nn.Softmax along an axis behind the batch."""
    log = isinstance(op, LogSoftmax)
    function, module = ("F.log_softmax", "nn.LogSoftmax") if log else ("F.softmax", "nn.Softmax")
    return layer.function(function, x, module, dim=dimension(op.axis, len(layer.shape)))


@writes(Clip)
def clip(op: Clip, layer: Layer, x: str) -> str:
    """nn.Hardtanh, the function of these two bounds."""
    return layer.function("F.hardtanh", x, "nn.Hardtanh", min_val=op.lo, max_val=op.hi)
