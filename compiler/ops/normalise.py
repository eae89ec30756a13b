"""Normalisation layers."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, FRACTION, POSITIVE, SMALL, arg, whole
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes, Weight
from compiler.ops.shapes import channels_of, check_groups, known, per_sample_axes, spatial_of
from compiler.ops.sizes import AXES
from grammar.diagnostics import NewArgument, Remedy
from grammar.records import dataclass


def affine_weights(shape: tuple[int, ...]) -> tuple[Weight, ...]:
    """A learnable factor, at first 1, and offset, at first 0."""
    return (Weight("weight", shape, "constant(1)"), Weight("bias", shape, "zero"))


@dataclass(frozen=True)
class BatchNorm(Op, name="bn", group="normalise"):
    """Batch normalisation with running statistics, each channel by itself.

    y = (x - running_mean)/sqrt(running_var + eps) * weight + bias (Ioffe and Szegedy 2015).
    """

    in_float32: ClassVar[bool] = True

    eps: float = arg(FRACTION, 1e-5, "added to the variance")
    momentum: float = arg(SMALL, 0.1, "the batch's share in the running statistics when training")
    affine: bool = arg(FLAG, True, "a learnable factor and offset for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        channels_of(inputs[0], self.name)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        shape = (channels_of(inputs[0], self.name),)
        return (
            *(affine_weights(shape) if self.affine else ()),
            Weight("running_mean", shape, "zero", buffer=True),
            Weight("running_var", shape, "constant(1)", buffer=True),
        )


@dataclass(frozen=True)
class LocalResponseNorm(Op, name="lrn", group="normalise"):
    """Local response normalisation across `size` neighbouring channels (Krizhevsky et al. 2012).

    y = x/(k + alpha/size * sum of squares)^beta. Alpha is divided by the size, as in ONNX and
    Caffe; the AlexNet paper's 1e-4, undivided over 5 maps, is `alpha=5e-4, k=2`.
    """

    in_float32: ClassVar[bool] = True

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
                help=Remedy(
                    f"use {self.size - 1} or {self.size + 1}",
                    (NewArgument("size", self.size - 1), NewArgument("size", self.size + 1)),
                ),
            )
        spatial_of(inputs[0], self.name)
        return inputs[0]


@dataclass(frozen=True)
class GroupNorm(Op, name="groupnorm", group="normalise"):
    """Normalisation over each group of channels and all pixels (Wu and He 2018)."""

    in_float32: ClassVar[bool] = True

    groups: int = arg(whole(1), doc="how many groups of channels")
    eps: float = arg(SMALL, 1e-5, "added to the variance")
    affine: bool = arg(FLAG, True, "a learnable factor and offset for each channel")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_groups(self.groups, input=channels_of(inputs[0], self.name))
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return affine_weights((channels_of(inputs[0], self.name),)) if self.affine else ()

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class LayerNorm(Op, name="layernorm", group="normalise"):
    """Normalisation over some axes of a sample together, by default all, with a factor and offset
    for each value of them (Ba, Kiros and Hinton 2016).

    `axis=-1` is PyTorch's LayerNorm of tokens [T, C]; `axis=0` that of the channels of each pixel
    of a map, as in ConvNeXt; `axis=[-2, -1]` the last two axes.
    """

    in_float32: ClassVar[bool] = True

    eps: float = arg(SMALL, 1e-5, "added to the variance")
    axis: Any = arg(AXES, None, "one axis, or several; 0 is the channels", default_text="all axes")
    affine: bool = arg(FLAG, True, "a learnable factor and offset for each value")

    def places(self, shape: Shape) -> tuple[int, ...]:
        """The axes that are normalised together, in order; raises E305."""
        return per_sample_axes(self.axis, shape, self.name)

    def normalised(self, shape: Shape) -> Shape:
        """The sizes that are normalised together."""
        return tuple(shape[axis] for axis in self.places(shape))

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        known(self.normalised(inputs[0]), self.name)
        return inputs[0]

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        shape = known(self.normalised(inputs[0]), self.name)
        return affine_weights(shape) if self.affine else ()

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        spatial = tuple(axis - 1 for axis in self.places(inputs[0]) if axis)
        return Reach("everywhere", along=spatial)


@dataclass(frozen=True)
class InstanceNorm(Op, name="instancenorm", group="normalise"):
    """Normalisation of each feature map over its own pixels (Ulyanov et al. 2016)."""

    in_float32: ClassVar[bool] = True

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
