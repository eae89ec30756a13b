"""Reductions and division by a norm in PyTorch."""

from __future__ import annotations

from compiler.ops.reducing import L2Norm, Reduce, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from compiler.torch import writes
from compiler.torch.layer import Layer, dimension, text_of

METHODS: dict[type[Reduce], str] = {
    ReduceMean: "mean",
    ReduceSum: "sum",
    ReduceMax: "amax",
    ReduceMin: "amin",
}


@writes(*METHODS)
def reduce(op: Reduce, layer: Layer, x: str) -> str:
    """The method; along one axis `max` and `min`, which follow one of equal values."""
    axes = tuple(place + 1 for place in op.places(layer.shape))
    keep = ", keepdim=True" if op.keep else ""
    method = METHODS[type(op)]
    if len(axes) > 1:
        return f"{x}.{method}({text_of(axes)}{keep})"
    if method in ("amax", "amin"):
        return f"{x}.{method[1:]}({axes[0]}{keep}).values"
    return f"{x}.{method}({axes[0]}{keep})"


@writes(L2Norm)
def l2norm(op: L2Norm, layer: Layer, x: str) -> str:
    """F.normalize."""
    eps = "" if op.eps == 1e-12 else f", eps={op.eps}"
    return f"F.normalize({x}, dim={dimension(op.axis, len(layer.shape))}{eps})"
