"""Poolings whose output size is given, in PyTorch."""

from __future__ import annotations

from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)
from compiler.torch import writes
from compiler.torch.layer import Layer, one_or_all


@writes(GlobalAveragePool, GlobalMaxPool, AdaptiveAvgPool, AdaptiveMaxPool)
def adaptive(op: GlobalAveragePool | AdaptiveAvgPool, layer: Layer, x: str) -> str:
    """nn.AdaptiveAvgPool and nn.AdaptiveMaxPool; a mean over more than three axes by itself."""
    kind = "max" if isinstance(op, GlobalMaxPool | AdaptiveMaxPool) else "avg"
    size = one_or_all(op.parts(layer.rank)) if isinstance(op, AdaptiveAvgPool) else 1
    if layer.rank > 3:
        axes = tuple(range(2, layer.rank + 2))
        return f"({x}).{'amax' if kind == 'max' else 'mean'}({axes}, keepdim=True)"
    module = f"nn.Adaptive{kind.title()}Pool{layer.rank}d"
    return layer.function(f"F.adaptive_{kind}_pool{layer.rank}d", x, module, output_size=size)
