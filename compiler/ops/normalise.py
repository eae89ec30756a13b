"""Normalisation layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, POSITIVE, SMALL, arg, whole
from compiler.ops.base import (
    EVERYWHERE,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    Weight,
)
from compiler.ops.checks import (
    channels_of,
    check_groups,
    known,
    per_sample_axis,
    spatial_of,
)
from compiler.ops.sizes import AXIS

WIDEST_BAND = 256  # channels; beyond, a band of weights is more work than the operator itself


def affine_weights(shape: tuple[int, ...]) -> tuple[Weight, ...]:
    """A learnable factor, at first 1, and offset, at first 0."""
    return (Weight("weight", shape, "constant(1)"), Weight("bias", shape, "zero"))


def emit_affine(emit: Emitter, x: str, rank: int) -> str:
    """x * weight + bias with one number for each channel."""
    shape = emit.ints([-1, *([1] * rank)])
    scaled = emit.node("Mul", x, emit.node("Reshape", emit.weight("weight"), shape))
    return emit.node("Add", scaled, emit.node("Reshape", emit.weight("bias"), shape))


@dataclass(frozen=True)
class BatchNorm(Op):
    """Batch normalisation with running statistics, each channel by itself.

    y = (x - running_mean)/sqrt(running_var + eps) * weight + bias (Ioffe and Szegedy 2015).
    """

    name: ClassVar[str] = "bn"
    group: ClassVar[str] = "normalise"

    eps: float = arg(SMALL, 1e-5, "added to the variance")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        channels_of(inputs[0], self.name)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        shape = (channels_of(inputs[0], self.name),)
        return (
            *affine_weights(shape),
            Weight("running_mean", shape, "zero", buffer=True),
            Weight("running_var", shape, "constant(1)", buffer=True),
        )

    def lower(self, emit: Emitter, *inputs: str) -> str:
        held = [emit.weight(n) for n in ("weight", "bias", "running_mean", "running_var")]
        return emit.node("BatchNormalization", inputs[0], *held, epsilon=self.eps)


@dataclass(frozen=True)
class LocalResponseNorm(Op):
    """Local response normalisation across `size` neighbouring channels (Krizhevsky et al. 2012).

    y = x/(k + alpha/size * sum of squares)^beta. Alpha is divided by the size, as in ONNX and
    Caffe; the AlexNet paper's 1e-4, undivided over 5 maps, is `alpha=5e-4, k=2`.
    """

    name: ClassVar[str] = "lrn"
    group: ClassVar[str] = "normalise"

    size: int = arg(whole(1), doc="how many channels, an odd number")
    alpha: float = arg(POSITIVE, 1e-4, "weight of the squares, divided by the size")
    beta: float = arg(POSITIVE, 0.75, "exponent")
    k: float = arg(POSITIVE, 1.0, "added to the sum")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if self.size % 2 == 0:
            raise ShapeError(
                "E306",
                "the size of lrn must be odd: as many channels before as after",
                argument="size",
                label=f"{self.size} is even",
                help=f"use {self.size - 1} or {self.size + 1}",
            )
        spatial_of(inputs[0], self.name)
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        x = inputs[0]
        channels = emit.inputs[0][0]
        if isinstance(channels, int) and channels <= WIDEST_BAND:
            return self.lower_as_convolution(emit, x, channels)
        planar = len(emit.inputs[0]) == 3  # ONNX Runtime takes [N, C, H, W] only
        if not planar:
            x = emit.node("Reshape", x, emit.ints([0, 0, 1, -1]))
        y = emit.node("LRN", x, size=self.size, alpha=self.alpha, beta=self.beta, bias=self.k)
        return y if planar else emit.node("Reshape", y, emit.node("Shape", inputs[0]))

    def lower_as_convolution(self, emit: Emitter, x: str, channels: int) -> str:
        """The sum over neighbours as a 1x1 convolution of the squares with a band of weights.

        ONNX Runtime's own LRN takes 4 to 8 times as long on a CPU, most of it for the power:
        beta = 0.75 is sqrt(s) * sqrt(sqrt(s)).
        """
        ones = (1,) * (len(emit.inputs[0]) - 1)
        share, reach = self.alpha / self.size, self.size // 2
        # [channels, channels, 1, …]: brackets around each weight, one pair an axis.
        weight: Any = share
        zero: Any = 0.0
        for _ in ones:
            weight, zero = (weight,), (zero,)
        band = tuple(
            tuple(weight if abs(i - j) <= reach else zero for j in range(channels))
            for i in range(channels)
        )
        sums = emit.node(
            "Conv",
            emit.node("Mul", x, x),
            emit.floats(band),
            emit.floats(self.k, (channels,)),
            kernel_shape=ones,
        )
        if self.beta == 0.75:
            root = emit.node("Sqrt", sums)
            return emit.node("Div", x, emit.node("Mul", root, emit.node("Sqrt", root)))
        return emit.node("Div", x, emit.node("Pow", sums, emit.floats(self.beta)))


@dataclass(frozen=True)
class GroupNorm(Op):
    """Normalisation over each group of channels and all pixels (Wu and He 2018)."""

    name: ClassVar[str] = "groupnorm"
    group: ClassVar[str] = "normalise"

    groups: int = arg(whole(1), doc="how many groups of channels")
    eps: float = arg(SMALL, 1e-5, "added to the variance")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_groups(self.groups, input=channels_of(inputs[0], self.name))
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return affine_weights((channels_of(inputs[0], self.name),))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        grouped = emit.node("Reshape", inputs[0], emit.ints([0, self.groups, -1]))
        normal = emit.node(
            "InstanceNormalization",
            grouped,
            emit.floats(1.0, (self.groups,)),
            emit.floats(0.0, (self.groups,)),
            epsilon=self.eps,
        )
        back = emit.node("Reshape", normal, emit.node("Shape", inputs[0]))
        return emit_affine(emit, back, len(emit.inputs[0]) - 1)


@dataclass(frozen=True)
class LayerNorm(Op):
    """Normalisation over the last axes of a sample, by default all, with a factor and offset each.

    PyTorch's LayerNorm over the sizes from `axis` on (Ba, Kiros and Hinton 2016).
    """

    name: ClassVar[str] = "layernorm"
    group: ClassVar[str] = "normalise"

    eps: float = arg(SMALL, 1e-5, "added to the variance")
    axis: int = arg(AXIS, 0, "the first axis; 0 is the channels, negative counts from the end")

    def normalised(self, shape: Shape) -> Shape:
        """The sizes that are normalised together."""
        return shape[per_sample_axis(self.axis, shape, self.name) :]

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        known(self.normalised(inputs[0]), self.name)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return affine_weights(known(self.normalised(inputs[0]), self.name))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axis = per_sample_axis(self.axis, emit.output, self.name)
        if axis:
            return self.lower_partly(emit, inputs[0], [*range(axis + 1, len(emit.output) + 1)])
        flat = emit.node("Reshape", inputs[0], emit.ints([0, 1, -1]))
        normal = emit.node(
            "InstanceNormalization",
            flat,
            emit.floats(1.0, (1,)),
            emit.floats(0.0, (1,)),
            epsilon=self.eps,
        )
        back = emit.node("Reshape", normal, emit.node("Shape", inputs[0]))
        scaled = emit.node("Mul", back, emit.weight("weight"))
        return emit.node("Add", scaled, emit.weight("bias"))

    def lower_partly(self, emit: Emitter, x: str, axes: list[int]) -> str:
        """Over some of the axes; written out before opset 17, which brought the operator."""
        if emit.opset >= 17:
            weight, bias = emit.weight("weight"), emit.weight("bias")
            return emit.node("LayerNormalization", x, weight, bias, axis=axes[0], epsilon=self.eps)
        centred = emit.node("Sub", x, emit.node("ReduceMean", x, axes=axes))
        variance = emit.node("ReduceMean", emit.node("Mul", centred, centred), axes=axes)
        deviation = emit.node("Sqrt", emit.node("Add", variance, emit.floats(self.eps)))
        scaled = emit.node("Mul", emit.node("Div", centred, deviation), emit.weight("weight"))
        return emit.node("Add", scaled, emit.weight("bias"))


@dataclass(frozen=True)
class InstanceNorm(Op):
    """Normalisation of each feature map over its own pixels (Ulyanov et al. 2016)."""

    name: ClassVar[str] = "instancenorm"
    group: ClassVar[str] = "normalise"

    eps: float = arg(SMALL, 1e-5, "added to the variance")
    affine: bool = arg(FLAG, False, "a learnable factor and offset for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial_of(inputs[0], self.name)
        channels_of(inputs[0], self.name)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return affine_weights((channels_of(inputs[0], self.name),)) if self.affine else ()

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        channels = (channels_of(emit.inputs[0], self.name),)
        factor = emit.weight("weight") if self.affine else emit.floats(1.0, channels)
        offset = emit.weight("bias") if self.affine else emit.floats(0.0, channels)
        return emit.node("InstanceNormalization", inputs[0], factor, offset, epsilon=self.eps)
