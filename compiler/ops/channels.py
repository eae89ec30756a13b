"""Ops that move channels."""

from __future__ import annotations

from fractions import Fraction

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.domain.suggestions import asserting, suggest_equal
from compiler.ops.arguments import arg, whole
from compiler.ops.base import Axis, Op, Reach, Sampling, Shape, ShapeError, Shapes
from compiler.ops.shapes import channels_of, check_groups, check_map
from grammar.diagnostics import NewCall, Remedy
from grammar.records import dataclass


@dataclass(frozen=True)
class Channels(Op, name="channels", group="shape"):
    """The channels from `first` to `last`, both included."""

    first: int = arg(whole(0), doc="the first channel, counted from 0")
    last: int = arg(whole(0), doc="the last channel, itself included")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        count = channels_of(inputs[0], self.name)
        if not self.first <= self.last < count:
            call = f"channels({min(self.first, count - 1)}, {count - 1})"
            raise ShapeError(
                "E306",
                "a channel range lies inside the input's channels",
                argument="last" if self.first <= self.last else "first",
                label=f"{self.first} to {self.last}, but the channels are 0 to {count - 1}",
                help=Remedy(f"the first and the last are both included: {call}", (NewCall(call),)),
            )
        return (self.last - self.first + 1, *inputs[0][1:])


@dataclass(frozen=True)
class PadChannels(Op, name="pad_channels", group="shape"):
    """Adds channels of zeros before and after: the parameter-free shortcut of He et al. 2015."""

    before: int = arg(whole(0), doc="channels of zeros in front")
    after: int = arg(whole(0), doc="channels of zeros behind")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return (channels_of(inputs[0], self.name) + self.before + self.after, *inputs[0][1:])


@dataclass(frozen=True)
class ChannelShuffle(Op, name="channel_shuffle", group="shape"):
    """Deals the channels of each group out to all groups (ShuffleNet, Zhang et al. 2017)."""

    groups: int = arg(whole(1), doc="how many groups of channels")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_groups(self.groups, input=channels_of(inputs[0], self.name))
        return inputs[0]


@dataclass(frozen=True)
class PixelUnshuffle(Op, name="pixel_unshuffle", group="shape"):
    """r x r pixels of a channel become r*r channels of one pixel: pixel_shuffle undone."""

    r: int = arg(whole(1), doc="by how much height and width shrink")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_map(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        for size in inputs[0][1:]:
            if not facts.equal(size % self.r, 0):
                symbolic = isinstance(size, Dim)
                assertion = suggest_equal(facts, *((size % self.r, 0) for size in inputs[0][1:]))
                raise ShapeError(
                    "E307" if symbolic else "E306",
                    "pixel_unshuffle needs multiples of r pixels",
                    argument="r",
                    label=f"{size} is not {'proved ' if symbolic else ''}a multiple of {self.r}",
                    help=asserting(assertion, "prove") if symbolic else None,
                )
        return (channels * self.r**2, *(size // self.r for size in inputs[0][1:]))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", (Axis(self.r, self.r), Axis(self.r, self.r)))


@dataclass(frozen=True)
class PixelShuffle(Op, name="pixel_shuffle", group="shape"):
    """r*r channels become r x r pixels of one (sub-pixel convolution, Shi et al. 2016)."""

    r: int = arg(whole(1), doc="by how much height and width grow")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_map(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        if channels % self.r**2:
            raise ShapeError(
                "E303",
                "pixel_shuffle needs a multiple of r*r channels",
                argument="r",
                label=f"{channels} is no multiple of {self.r**2}",
                help=f"{-(-channels // self.r**2) * self.r**2} channels before it would do",
            )
        return (channels // self.r**2, *(size * self.r for size in inputs[0][1:]))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("sampled", samplings=(Sampling(Fraction(1, self.r)),) * 2)
