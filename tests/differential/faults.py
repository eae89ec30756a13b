"""Faults to plant, one at a time: each has to come out as a difference.

A fault is one function got wrong in the way that such functions are. `shows` is a pattern of the
definitions in which it may be seen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from compiler import receptive_field
from compiler.domain import Domain
from compiler.elaborate import flow, layers
from compiler.graph import Node
from compiler.onnx import LOWERINGS
from compiler.ops import shapes, windows
from compiler.ops.activate import LogSoftmax, PRelu
from compiler.ops.base import Axis
from compiler.ops.channels import ChannelShuffle
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.filtering import WeightedPool
from compiler.ops.joins import Concat, Mean
from compiler.ops.normalise import GroupNorm, InstanceNorm, LocalResponseNorm
from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from compiler.ops.scale import Shift
from compiler.ops.spatial import Pad, Upsample
from compiler.rewriting import Rewriting
from runtime.kernels import KERNELS, convolution, pooling

# The modules, which the functions of the same names hide.
batch_norms, identities = (
    importlib.import_module(f"compiler.passes.{name}")
    for name in ("fold_batch_norm", "remove_identity")
)

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """What is got wrong, how, and where it shows: by a text, and soonest from which seed on."""

    name: str
    plant: Plant
    shows: str = ""
    soonest: int = 2


def instead(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """A function or method that is given the right one, then its arguments."""
    right = getattr(owner, name)

    def wrong(*given: Any, **named: Any) -> Any:
        return change(right, *given, **named)

    return lambda patch: patch.setattr(owner, name, wrong)


def kernel(op: type, change: Callable[..., Any]) -> Plant:
    """A kernel that is given the right one, then the op, its inputs and its arrays."""
    right = KERNELS[op]

    def wrong(*given: Any) -> Any:
        return change(right, *given)

    return lambda patch: patch.setitem(KERNELS, op, wrong)


def lowering(op: type, **values: Any) -> Plant:
    """A lowering that does not look at some parameters."""
    right = LOWERINGS[op]

    def wrong(op: Any, *given: Any) -> str:
        return right(replace(op, **values), *given)

    return lambda patch: patch.setitem(LOWERINGS, op, wrong)


def as_if(op: type, **values: Any) -> Plant:
    """A kernel that does not look at some parameters."""
    return kernel(op, lambda right, op, xs, arrays: right(replace(op, **values), xs, arrays))


def forget_windows() -> None:
    """Windows are kept from net to net; a faulty one must not be, nor hide the fault."""
    windows.known_axes.cache_clear()


# Kernels


def wrong_sides(right: Any, x: Any, axes: tuple[Axis, ...], *given: Any) -> Any:
    """The padding after before, and the reverse."""
    return right(x, tuple(replace(a, before=a.after, after=a.before) for a in axes), *given)


def zeros_around(right: Any, x: Any, axes: tuple[Axis, ...], *given: Any, **named: Any) -> Any:
    """Zeros, whatever the padding was to hold."""
    return right(x, axes)


def undilated(right: Any, x: Any, axes: tuple[Axis, ...]) -> Any:
    """Windows without their dilation, as many as there should be."""
    view = right(x, tuple(replace(a, dilation=1) for a in axes))
    counts = [(w - a.extent) // a.stride + 1 for w, a in zip(x.shape[2:], axes, strict=True)]
    return view[(slice(None), slice(None), *map(slice, counts))]


def without_output_pad(right: Any, op: Deconv, xs: Any, arrays: Any) -> Any:
    """A transposed convolution with zeros where `output_pad` goes on."""
    made = right(op, xs, arrays).copy()
    extra = shapes.per_axis(op.output_pad, made.ndim - 2, "output_pad")
    for axis, more in enumerate(extra, start=2):
        np.moveaxis(made, axis, 0)[made.shape[axis] - more :] = 0
    return made


def one_axis_on(right: Any, op: Concat, xs: Any, arrays: Any) -> Any:
    """The axis counted with the batch."""
    axis = op.axis % xs[0].ndim
    alike = len({x.shape for x in xs}) == 1
    return np.concatenate(xs, axis=axis) if alike else right(op, xs, arrays)


def turned(right: Any, op: PRelu, xs: Any, arrays: Any) -> Any:
    """The slopes of the channels from the last to the first."""
    return right(op, xs, {"weight": arrays["weight"][::-1]})


def undivided(right: Any, op: LocalResponseNorm, xs: Any, arrays: Any) -> Any:
    """alpha as it stands in the paper."""
    return right(replace(op, alpha=op.alpha * op.size), xs, arrays)


def unshuffled(right: Any, op: ChannelShuffle, xs: Any, arrays: Any) -> Any:
    """The channels as they came."""
    return xs[0]


def never_mirrored(right: Any, op: Pad, xs: Any, arrays: Any) -> Any:
    """The edge repeated where the inside is to be mirrored."""
    return right(replace(op, mode=op.mode.replace("reflect", "replicate")), xs, arrays)


def of_two(right: Any, op: Mean, xs: Any, arrays: Any) -> Any:
    """The sum of the branches by two, however many they are."""
    return right(op, xs, arrays) * xs[0].dtype.type(len(xs) / 2)


def not_normalised(right: Any, op: WeightedPool, xs: Any, arrays: Any) -> Any:
    """The weights as they stand."""
    return right(op, xs, arrays) * np.sum(op.kernel_values, dtype=xs[0].dtype)


# Passes


def folded_without_bias(right: Any, rewriting: Rewriting, layer: Node, norm: Node) -> Any:
    """A batch norm folded as if its layer had no bias."""
    rewriting.values.pop(f"{layer.name}.bias", None)
    return right(rewriting, layer, norm)


def folded_without_eps(right: Any, rewriting: Rewriting, layer: Node, norm: Node) -> Any:
    """A batch norm folded as if eps were its default."""
    return right(rewriting, layer, replace(norm, op=replace(norm.op, eps=1e-5)))  # type: ignore[call-arg]


def with_shifts(right: Any, rewriting: Rewriting, node: Node) -> bool:
    """Any shift taken for one by 0."""
    return right(rewriting, node) or isinstance(node.op, Shift)


# Shapes and analysis


def with_every_window(right: Any, size: Any, axis: Axis) -> Axis:
    """The ceiling, also where a last window starts in the padding after."""
    if not isinstance(size, int):
        return right(size, axis)
    rest = (axis.extent - size - axis.before - axis.after) % axis.stride
    return replace(axis, overhang=rest)


def half_rounded_up(
    right: Any, pad: Any, spatial: Any, extents: Any, *given: Any, **named: Any
) -> Any:
    """ "half" as K // 2."""
    pairs = tuple((k // 2, k // 2) for k in extents)
    return right(pairs if pad == "half" else pad, spatial, extents, *given, **named)


def odd_pixel_before(right: Any, pad: Any, *given: Any, **named: Any) -> Any:
    """ "same" as "same_lower"."""
    return right("same_lower" if pad == "same" else pad, *given, **named)


def moved(first: int, last: int) -> Callable[..., Any]:
    """A receptive field whose ends are elsewhere."""

    def change(right: Any, *given: Any) -> Any:
        axis = right(*given)
        ends = tuple(end + last if isinstance(end, int) else end for end in axis.last)
        return replace(axis, first=tuple(start + first for start in axis.first), last=ends)

    return change


def of_the_first(right: Any, axes: Any, *given: Any) -> Any:
    """What the first branch of a join sees."""
    return axes[0]


def ungrouped(right: Any, op: Conv, inputs: Any, output: Any) -> Any:
    """The MACs as if there were one group."""
    return right(op, inputs, output) * op.groups


def one_more(right: Any, domain: Domain, values: Any) -> Any:
    """A domain that begins one later."""
    return right(domain, {name: value - 1 for name, value in values.items()})


def backwards(right: Any, *given: Any) -> Any:
    """From the last to the first."""
    return list(right(*given))[::-1]


FAULTS = (
    Fault("conv: padding on the wrong sides", instead(convolution, "padded", wrong_sides), "conv"),
    Fault(
        "conv: zeros for any pad_mode",
        instead(convolution, "padded", zeros_around),
        "pad_mode",
        soonest=9,
    ),
    Fault(
        "conv: dilation ignored", instead(convolution, "windows", undilated), "dilation", soonest=4
    ),
    Fault(
        "deconv: output_pad ignored", kernel(Deconv, without_output_pad), "output_pad", soonest=6
    ),
    Fault(
        "maxpool: padded with zeros", instead(pooling, "padded", zeros_around), "maxpool", soonest=5
    ),
    Fault("avgpool: count_pad ignored", as_if(AvgPool, count_pad=True), "count_pad"),
    Fault("lppool: p ignored", as_if(LpPool, p=2), "lppool"),
    Fault("concat: axis counted with the batch", kernel(Concat, one_axis_on), "concat", soonest=3),
    Fault("mean: divided by two", kernel(Mean, of_two), "mean"),
    Fault("log_softmax: over the last axis", as_if(LogSoftmax, axis=-1), "log_softmax", soonest=4),
    Fault("prelu: slopes in reverse", kernel(PRelu, turned), "prelu", soonest=11),
    Fault("lrn: alpha not divided", kernel(LocalResponseNorm, undivided), "lrn"),
    Fault("groupnorm: one group", as_if(GroupNorm, groups=1), "groupnorm", soonest=9),
    Fault("instancenorm: an eps of its own", as_if(InstanceNorm, eps=0.5), "instancenorm"),
    Fault("channel_shuffle: none", kernel(ChannelShuffle, unshuffled), "channel_shuffle"),
    Fault("upsample: always nearest", as_if(Upsample, mode="nearest"), "bilinear", soonest=5),
    Fault("pad: never mirrored", kernel(Pad, never_mirrored), "reflect", soonest=5),
    Fault("weightedpool: not normalised", kernel(WeightedPool, not_normalised), "weightedpool"),
    Fault("lowering: dilation", lowering(MaxPool, dilation=1), "dilation", soonest=5),
    Fault("lowering: output_pad", lowering(Deconv, output_pad=0), "output_pad", soonest=6),
    Fault("lowering: pad_mode", lowering(Conv, pad_mode="zero"), "pad_mode", soonest=9),
    Fault(
        "pass: a bias is lost", instead(batch_norms, "folded", folded_without_bias), "bn", soonest=3
    ),
    Fault(
        "pass: eps is lost", instead(batch_norms, "folded", folded_without_eps), "bn", soonest=12
    ),
    Fault("pass: a shift is lost", instead(identities, "is_identity", with_shifts), "shift"),
    Fault("shape: ceil", instead(windows, "with_overhang", with_every_window), "ceil", soonest=10),
    Fault("shape: half", instead(windows, "resolve_padding", half_rounded_up), "half", soonest=3),
    Fault("shape: same", instead(windows, "resolve_padding", odd_pixel_before), '"same"'),
    Fault("field: windows begin late", instead(receptive_field, "windowed", moved(1, 0))),
    Fault("field: windows end late", instead(receptive_field, "windowed", moved(0, 1))),
    Fault(
        "field: deconv ends early", instead(receptive_field, "transposed", moved(0, -1)), soonest=10
    ),
    Fault("field: upsample begins late", instead(receptive_field, "sampled", moved(1, 0))),
    Fault("field: joins see one branch", instead(receptive_field, "union", of_the_first)),
    Fault("costs: groups forgotten", instead(Conv, "macs", ungrouped), "groups", soonest=4),
    Fault("domain: begins late", instead(Domain, "contains", one_more)),
    Fault("wiring: branches in reverse", instead(flow, "run_branches", backwards)),
    Fault("wiring: turns in reverse", instead(flow, "turns", backwards), "for ", soonest=4),
    Fault("wiring: like without effect", instead(layers, "owner_of", lambda *_: ""), "like"),
)
