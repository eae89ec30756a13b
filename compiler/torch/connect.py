"""Dense layers, matrix products, and layers that hand on what they get, in PyTorch."""

from __future__ import annotations

from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul
from compiler.torch import writes
from compiler.torch.layer import Call, Layer

DEFAULTS = {"bias": True}


@writes(Dense)
def dense(op: Dense, layer: Layer, x: str) -> str:
    """nn.Linear along the last axis, to which another is moved."""
    axis, last = op.along(layer.shape), len(layer.shape)
    has_class = layer.has_channel_classes and axis == 0 != last - 1
    made = layer.module(
        layer.helper("ChannelLinear") if has_class else "nn.Linear",
        layer.shape[axis],
        op.units,
        kinds=("in_features", "out_features"),
        defaults=DEFAULTS,
        bias=op.bias,
    )
    if axis == last - 1 or has_class:
        return f"{made}({x})"
    return f"{made}({x}.movedim({axis + 1}, {last})).movedim({last}, {axis + 1})"


@writes(MatMul)
def matmul(op: MatMul, layer: Layer, a: str, b: str) -> str:
    """a @ b."""
    return f"({a} @ {b})"


@writes(Identity)
def identity(op: Identity, layer: Layer, x: str) -> str:
    """x itself."""
    layer.plain = Call("nn.Identity")
    return x


@writes(Dropout)
def dropout(op: Dropout, layer: Layer, x: str) -> str:
    """nn.Dropout."""
    layer.plain = Call("nn.Dropout", (op.p,))
    return f"F.dropout({x}, {op.p}, self.training)"


@writes(DropPath)
def drop_path(op: DropPath, layer: Layer, x: str) -> str:
    """A module of its own, so that calls of a block may differ in how much they drop."""
    return f"{layer.module(layer.helper('DropPath'), op.p, kinds=('p',))}({x})"
