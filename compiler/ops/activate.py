"""Activation functions, element by element (softmax: along an axis)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, NUMBER, arg
from compiler.ops.base import (
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    Weight,
    along_axis,
)
from compiler.ops.checks import channels_of, per_sample_axis
from compiler.ops.sizes import AXIS


@dataclass(frozen=True)
class Activation(Op):
    """What they share: the shape stays; most are one ONNX node of the same meaning."""

    group: ClassVar[str] = "activate"
    onnx_type: ClassVar[str] = ""

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node(self.onnx_type, inputs[0])


@dataclass(frozen=True)
class Relu(Activation):
    """max(x, 0)."""

    name: ClassVar[str] = "relu"
    onnx_type: ClassVar[str] = "Relu"


@dataclass(frozen=True)
class Relu6(Activation):
    """min(max(x, 0), 6)."""

    name: ClassVar[str] = "relu6"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Clip", inputs[0], emit.floats(0.0), emit.floats(6.0))


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """x where positive, else slope * x (Maas et al. 2013)."""

    name: ClassVar[str] = "leaky_relu"

    slope: float = arg(NUMBER, 0.01, "factor of negative values")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("LeakyRelu", inputs[0], alpha=self.slope)


@dataclass(frozen=True)
class PRelu(Activation):
    """x where positive, else a learnable slope times x (He et al. 2015)."""

    name: ClassVar[str] = "prelu"

    channelwise: bool = arg(FLAG, False, "one slope for each channel instead of one for all")

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        count = channels_of(inputs[0], self.name) if self.channelwise else 1
        return (Weight("weight", (count,), "constant(0.25)"),)

    def lower(self, emit: Emitter, *inputs: str) -> str:
        rank = len(emit.inputs[0]) - 1
        slope = emit.node("Reshape", emit.weight("weight"), emit.ints([-1, *([1] * rank)]))
        return emit.node("PRelu", inputs[0], slope)


@dataclass(frozen=True)
class Elu(Activation):
    """x where positive, else alpha * (e^x - 1) (Clevert et al. 2015)."""

    name: ClassVar[str] = "elu"

    alpha: float = arg(NUMBER, 1.0, "size of the negative plateau")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Elu", inputs[0], alpha=self.alpha)


@dataclass(frozen=True)
class Celu(Elu):
    """x where positive, else alpha * (e^(x/alpha) - 1), smooth at 0 (Barron 2017)."""

    name: ClassVar[str] = "celu"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Celu", inputs[0], alpha=self.alpha)


@dataclass(frozen=True)
class ThresholdedRelu(Activation):
    """x where above a threshold, else 0 (Konda et al. 2015)."""

    name: ClassVar[str] = "thresholded_relu"

    threshold: float = arg(NUMBER, 1.0, "what a value must exceed to stay")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("ThresholdedRelu", inputs[0], alpha=self.threshold)


@dataclass(frozen=True)
class Selu(Activation):
    """The self-normalising ELU with its two fixed constants (Klambauer et al. 2017)."""

    name: ClassVar[str] = "selu"
    onnx_type: ClassVar[str] = "Selu"


@dataclass(frozen=True)
class Gelu(Activation):
    """x * Phi(x) with the normal distribution's Phi (Hendrycks and Gimpel 2016).

    Approximately x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), their equation 2.
    """

    name: ClassVar[str] = "gelu"

    approximate: bool = arg(FLAG, False, "the approximation by tanh in place of the exact Phi")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        if self.approximate:
            return self.lower_tanh(emit, inputs[0])
        erf = emit.node("Erf", emit.node("Mul", inputs[0], emit.floats(math.sqrt(0.5))))
        phi = emit.node("Mul", emit.node("Add", erf, emit.floats(1.0)), emit.floats(0.5))
        return emit.node("Mul", inputs[0], phi)

    @staticmethod
    def lower_tanh(emit: Emitter, x: str) -> str:
        """The approximation, written out."""
        cube = emit.node("Mul", emit.node("Mul", emit.node("Mul", x, x), x), emit.floats(0.044715))
        inner = emit.node("Mul", emit.node("Add", x, cube), emit.floats(math.sqrt(2 / math.pi)))
        rest = emit.node("Add", emit.node("Tanh", inner), emit.floats(1.0))
        return emit.node("Mul", emit.node("Mul", x, rest), emit.floats(0.5))


@dataclass(frozen=True)
class Silu(Activation):
    """x * sigmoid(x), also called swish."""

    name: ClassVar[str] = "silu"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Mul", inputs[0], emit.node("Sigmoid", inputs[0]))


@dataclass(frozen=True)
class Mish(Activation):
    """x * tanh(softplus(x)) (Misra 2019)."""

    name: ClassVar[str] = "mish"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        gate = emit.node("Tanh", emit.node("Softplus", inputs[0]))
        return emit.node("Mul", inputs[0], gate)


@dataclass(frozen=True)
class HardSigmoid(Activation):
    """min(max(x + 3, 0), 6)/6."""

    name: ClassVar[str] = "hardsigmoid"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("HardSigmoid", inputs[0], alpha=1 / 6, beta=0.5)


@dataclass(frozen=True)
class HardSwish(HardSigmoid):
    """x * min(max(x + 3, 0), 6)/6 (Howard et al. 2019)."""

    name: ClassVar[str] = "hardswish"

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Mul", inputs[0], super().lower(emit, *inputs))


@dataclass(frozen=True)
class Sigmoid(Activation):
    """1/(1 + e^-x)."""

    name: ClassVar[str] = "sigmoid"
    onnx_type: ClassVar[str] = "Sigmoid"


@dataclass(frozen=True)
class Tanh(Activation):
    """The hyperbolic tangent."""

    name: ClassVar[str] = "tanh"
    onnx_type: ClassVar[str] = "Tanh"


@dataclass(frozen=True)
class Softsign(Activation):
    """x/(1 + |x|)."""

    name: ClassVar[str] = "softsign"
    onnx_type: ClassVar[str] = "Softsign"


@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + e^x), a smooth relu."""

    name: ClassVar[str] = "softplus"
    onnx_type: ClassVar[str] = "Softplus"


@dataclass(frozen=True)
class Softmax(Activation):
    """e^x divided by the sum of e^x along an axis: numbers that sum to 1."""

    name: ClassVar[str] = "softmax"
    onnx_type: ClassVar[str] = "Softmax"

    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        per_sample_axis(self.axis, inputs[0], self.name)
        return inputs[0]

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return along_axis(self.axis, output)

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node(self.onnx_type, inputs[0], axis=self.axis % len(emit.output) + 1)


@dataclass(frozen=True)
class LogSoftmax(Softmax):
    """The logarithm of softmax."""

    name: ClassVar[str] = "log_softmax"
    onnx_type: ClassVar[str] = "LogSoftmax"


@dataclass(frozen=True)
class Clip(Activation):
    """min(max(x, lo), hi)."""

    name: ClassVar[str] = "clip"

    lo: float = arg(NUMBER, doc="the least value")
    hi: float = arg(NUMBER, doc="the largest value")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if self.lo >= self.hi:
            raise ShapeError(
                "E306",
                "clip needs lo below hi",
                argument="hi",
                label=f"{self.hi:g} is not above {self.lo:g}",
            )
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Clip", inputs[0], emit.floats(self.lo), emit.floats(self.hi))
