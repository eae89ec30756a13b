"""Normalisation in PyTorch."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from compiler.ops.shapes import channels_of
from compiler.torch import writes
from compiler.torch.layer import Layer, text_of

DEFAULTS = {"eps": 1e-5, "momentum": 0.1, "affine": True, "elementwise_affine": True}


@writes(BatchNorm)
def bn(op: BatchNorm, layer: Layer, x: str) -> str:
    """nn.BatchNorm; maps of more than three axes are long ones for it."""
    rank = layer.rank if 1 <= layer.rank <= 3 else 1
    made = layer.module(
        f"nn.BatchNorm{rank}d",
        channels_of(layer.shape, op.name),
        kinds=("num_features",),
        defaults=DEFAULTS,
        eps=op.eps,
        momentum=op.momentum,
        affine=op.affine,
    )
    return f"{made}({x})" if layer.rank <= 3 else f"{made}(({x}).flatten(2)).view_as({x})"


@writes(LocalResponseNorm)
def lrn(op: LocalResponseNorm, layer: Layer, x: str) -> str:
    """nn.LocalResponseNorm, which divides alpha by the size too."""
    return layer.function(
        "F.local_response_norm", x, "nn.LocalResponseNorm", size=op.size, alpha=op.alpha,
        beta=op.beta, k=op.k,
    )  # fmt: skip


@writes(GroupNorm)
def groupnorm(op: GroupNorm, layer: Layer, x: str) -> str:
    """nn.GroupNorm."""
    made = layer.module(
        "nn.GroupNorm",
        op.groups,
        channels_of(layer.shape, op.name),
        kinds=("num_groups", "num_channels"),
        defaults=DEFAULTS,
        eps=op.eps,
        affine=op.affine,
    )
    return f"{made}({x})"


@writes(LayerNorm)
def layernorm(op: LayerNorm, layer: Layer, x: str) -> str:
    """nn.LayerNorm of the last axes, to which others are moved."""
    places, rank = op.places(layer.shape), len(layer.shape)
    sizes = op.normalised(layer.shape)
    last = tuple(range(rank - len(places), rank))
    has_class = layer.has_channel_classes and places == (0,) != last
    made = layer.module(
        layer.helper("ChannelNorm") if has_class else "nn.LayerNorm",
        sizes[0] if len(sizes) == 1 else sizes,
        kinds=("normalized_shape",),
        defaults=DEFAULTS,
        eps=op.eps,
        elementwise_affine=op.affine,
    )
    if places == last or has_class:
        return f"{made}({x})"
    here, there = (
        text_of(a[0] + 1) if len(a) == 1 else text_of(tuple(axis + 1 for axis in a))
        for a in (places, last)
    )
    return f"{made}({x}.movedim({here}, {there})).movedim({there}, {here})"


@writes(InstanceNorm)
def instancenorm(op: InstanceNorm, layer: Layer, x: str) -> str:
    """nn.InstanceNorm, or a GroupNorm of a channel a group where that refuses the map."""
    channels = channels_of(layer.shape, op.name)
    several = any(not isinstance(size, Dim) and size > 1 for size in layer.shape[1:])
    if several and layer.rank <= 3:
        made = layer.module(
            f"nn.InstanceNorm{layer.rank}d",
            channels,
            kinds=("num_features",),
            defaults=DEFAULTS | {"affine": False},
            eps=op.eps,
            affine=op.affine,
        )
    else:
        made = layer.module(
            "nn.GroupNorm", channels, channels, kinds=("num_groups", "num_channels"),
            defaults=DEFAULTS, eps=op.eps, affine=op.affine,
        )  # fmt: skip
    return f"{made}({x})"
