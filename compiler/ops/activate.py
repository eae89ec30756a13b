"""Activation functions, element by element (softmax: along an axis)."""

from __future__ import annotations

from typing import ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, NUMBER, arg
from compiler.ops.base import Op, Reach, Shape, ShapeError, Shapes, Weight, along_axis
from compiler.ops.shapes import channels_of, per_sample_axis
from compiler.ops.sizes import AXIS
from grammar.records import dataclass


@dataclass(frozen=True)
class Activation(Op, group="activate"):
    """What they share: the shape stays; most are one ONNX node of the same meaning."""

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class Relu(Activation, name="relu"):
    """max(x, 0)."""


@dataclass(frozen=True)
class Relu6(Activation, name="relu6"):
    """min(max(x, 0), 6)."""


@dataclass(frozen=True)
class LeakyRelu(Activation, name="leaky_relu"):
    """x where positive, else slope * x (Maas et al. 2013)."""

    slope: float = arg(NUMBER, 0.01, "factor of negative values")


@dataclass(frozen=True)
class PRelu(Activation, name="prelu"):
    """x where positive, else a learnable slope times x (He et al. 2015)."""

    channelwise: bool = arg(FLAG, False, "one slope for each channel instead of one for all")

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        count = channels_of(inputs[0], self.name) if self.channelwise else 1
        return (Weight("weight", (count,), "constant(0.25)"),)


@dataclass(frozen=True)
class Elu(Activation, name="elu"):
    """x where positive, else alpha * (e^x - 1) (Clevert et al. 2015)."""

    alpha: float = arg(NUMBER, 1.0, "size of the negative plateau")


@dataclass(frozen=True)
class Celu(Elu, name="celu"):
    """x where positive, else alpha * (e^(x/alpha) - 1), smooth at 0 (Barron 2017)."""


@dataclass(frozen=True)
class ThresholdedRelu(Activation, name="thresholded_relu"):
    """x where above a threshold, else 0 (Konda et al. 2015)."""

    threshold: float = arg(NUMBER, 1.0, "what a value must exceed to stay")


@dataclass(frozen=True)
class Selu(Activation, name="selu"):
    """The self-normalising ELU with its two fixed constants (Klambauer et al. 2017)."""


@dataclass(frozen=True)
class Gelu(Activation, name="gelu"):
    """x * Phi(x) with the normal distribution's Phi (Hendrycks and Gimpel 2016).

    Approximately x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), their equation 2.
    """

    approximate: bool = arg(FLAG, False, "the approximation by tanh in place of the exact Phi")


@dataclass(frozen=True)
class Silu(Activation, name="silu"):
    """x * sigmoid(x), also called swish."""


@dataclass(frozen=True)
class Mish(Activation, name="mish"):
    """x * tanh(softplus(x)) (Misra 2019)."""


@dataclass(frozen=True)
class HardSigmoid(Activation, name="hardsigmoid"):
    """min(max(x + 3, 0), 6)/6."""


@dataclass(frozen=True)
class HardSwish(HardSigmoid, name="hardswish"):
    """x * min(max(x + 3, 0), 6)/6 (Howard et al. 2019)."""


@dataclass(frozen=True)
class Sigmoid(Activation, name="sigmoid"):
    """1/(1 + e^-x)."""


@dataclass(frozen=True)
class LogSigmoid(Activation, name="log_sigmoid"):
    """log(1/(1 + e^-x)), the logarithm of sigmoid without its rounding to 0."""


@dataclass(frozen=True)
class Tanh(Activation, name="tanh"):
    """The hyperbolic tangent."""


@dataclass(frozen=True)
class Softsign(Activation, name="softsign"):
    """x/(1 + |x|)."""


@dataclass(frozen=True)
class Softplus(Activation, name="softplus"):
    """log(1 + e^x), a smooth relu."""


@dataclass(frozen=True)
class Softmax(Activation, name="softmax"):
    """e^x divided by the sum of e^x along an axis: numbers that sum to 1."""

    in_float32: ClassVar[bool] = True

    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        per_sample_axis(self.axis, inputs[0], self.name)
        return inputs[0]

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return along_axis(self.axis, output)


@dataclass(frozen=True)
class LogSoftmax(Softmax, name="log_softmax"):
    """The logarithm of softmax."""


@dataclass(frozen=True)
class Clip(Activation, name="clip"):
    """min(max(x, lo), hi)."""

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
