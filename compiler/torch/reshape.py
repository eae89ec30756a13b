"""Other shapes in PyTorch."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.ops.reshape import Flatten, Reshape, Transpose
from compiler.torch import writes
from compiler.torch.layer import Call, Layer


@writes(Flatten)
def flatten(op: Flatten, layer: Layer, x: str) -> str:
    """A tensor's own `flatten` behind the batch, or nn.Flatten, which begins there unless told."""
    start = op.kept(layer.shape) + 1
    given = (("start_dim", start, 1),)
    layer.plain = Call("nn.Flatten", (), given)
    return f"{x}.flatten({start})"


@writes(Reshape)
def reshape(op: Reshape, layer: Layer, x: str) -> str:
    """A reshape of each sample, or nn.Unflatten of a vector."""
    if len(layer.shape) == 1 and not any(isinstance(size, Dim) for size in layer.output):
        layer.plain = Call("nn.Unflatten", (1, tuple(layer.output)))
    sizes = [str(size) if isinstance(size, int) else layer.size(size, x) for size in op.shape]
    batch = f"{layer.batch}.shape[0]" if "-1" in sizes else "-1"
    return f"{x}.reshape({', '.join([batch, *sizes])})"


@writes(Transpose)
def transpose(op: Transpose, layer: Layer, x: str) -> str:
    """A permutation that leaves the batch in front."""
    return f"{x}.permute({', '.join(map(str, (0, *(axis + 1 for axis in op.order))))})"
