"""Places of a table in PyTorch."""

from __future__ import annotations

from compiler.ops.gathering import Gather, Take
from compiler.torch import writes
from compiler.torch.layer import Layer, dimension
from compiler.torch.statements import is_reference


@writes(Gather)
def gather(op: Gather, layer: Layer, x: str) -> str:
    """nn.Embedding."""
    made = layer.module(
        "nn.Embedding", op.rows, op.channels, kinds=("num_embeddings", "embedding_dim")
    )
    return f"{made}({x}.long())" if layer.bare(0) else f"{made}({x})"


@writes(Take)
def take(op: Take, layer: Layer, table: str, index: str) -> str:
    """Places that are the same for every sample are an index; else a helper."""
    if is_reference(index):
        axis = dimension(op.axis, len(layer.shape))
        return f"{table}[{':, ' * axis}{index}.long()]"
    return f"{layer.helper('take')}({table}, {index}, {dimension(op.axis, len(layer.shape))})"
