"""A Caffe network being read: its layers in order, the tensors by the names of their blobs.

A layer may write the blob that it reads (in place): the name then stands for the later tensor.
Layers of another phase are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from compiler.importers.builder import GraphBuilder, Poisoned, Refused, clean_label, make_op
from compiler.importers.from_caffe.layer import CaffeLayer
from compiler.importers.from_caffe.plan import TestPhase
from compiler.registry import Registry
from compiler.values import POISON, Tensor
from grammar.records import dataclass

# The ops that are a Caffe layer itself, whose name they keep; others only help to express it.
KEPT = {
    "Convolution": ("conv",),
    "ConvolutionDepthwise": ("conv",),
    "DepthwiseConvolution": ("conv",),
    "Deconvolution": ("deconv",),
    "InnerProduct": ("dense",),
    "Pooling": ("maxpool", "avgpool", "gap", "gmp"),
    "LRN": ("lrn",),
    "BatchNorm": ("bn",),
    "BN": ("bn", "conv"),
    "Scale": ("conv",),
    "Normalize": ("conv",),
    "PReLU": ("prelu",),
}
SHARED = ("conv", "deconv", "dense", "bn", "prelu")  # the ops that hold parameters


class CaffeNetwork:
    """One network being read; `layer` is the one at hand."""

    def __init__(self, builder: GraphBuilder, plan: TestPhase) -> None:
        self.builder = builder
        self.plan = plan
        self.blobs: dict[str, Tensor] = {}
        self.unused: dict[str, None] = {}
        self.batches: set[int] = set()  # the sizes of batch that the inputs declare
        self.shared: dict[str, SharedLayer] = {}  # blobs of parameters by their names
        self.joined: set[int] = set()  # Scales that the BatchNorm before them has taken in
        self.decoded: dict[str, Tensor] = {}  # what layers that were cut off read
        self.idle: list[str] = []  # fields that say nothing about what is computed
        self.layer: CaffeLayer

    def outputs(self) -> dict[str, Tensor]:
        """What nothing reads, and what layers that were cut off read."""
        return self.decoded | {blob: self.blobs[blob] for blob in self.unused}

    def bottoms(self) -> tuple[Tensor, ...]:
        """The tensors that the layer reads."""
        return tuple(map(self.blob, self.layer.bottoms))

    def bottom(self) -> Tensor:
        """The one tensor that the layer reads."""
        if len(self.layer.bottoms) != 1:
            raise Refused(f"it takes one input, not {len(self.layer.bottoms)}")
        return self.blob(self.layer.bottoms[0])

    def result(self) -> Tensor:
        """Of what a loss compares what the network makes."""
        if not self.layer.bottoms:
            raise Refused("it takes an input")
        return self.blob(self.layer.bottoms[0])

    def blob(self, name: str) -> Tensor:
        """The tensor that a blob stands for."""
        if name not in self.blobs:
            raise Refused(f"nothing makes its input {name}")
        tensor = self.blobs[name]
        if tensor.node is None:
            raise Poisoned
        return tensor

    def batch(self) -> int | None:
        """The size of the batch, if the inputs declare one."""
        return next(iter(self.batches)) if len(self.batches) == 1 else None

    def write(self, blob: str, tensor: Tensor) -> None:
        """Let a blob stand for a tensor that nothing has read yet."""
        self.blobs[blob] = tensor
        self.unused.pop(blob, None)
        self.unused[blob] = None

    def add(
        self, op: str, *inputs: Tensor, names: tuple[str, ...] | None = None, **arguments: Any
    ) -> Tensor:
        """Add a layer, called as Caffe calls it where that matters to its parameters.

        `names` are those of its blobs of parameters, by default as many as the op has.
        """
        layer = self.layer
        holds = op in KEPT.get(layer.type, ())
        label = clean_label(layer.name) if holds else ""
        shapes = tuple(tensor.shape for tensor in inputs)
        made = make_op(op, arguments)
        weights = made.weights(shapes) if holds and op in SHARED else ()
        named = layer.named(len(weights)) if names is None else names
        owner = self.owner(op, named) if weights else ""
        tensor = self.builder.layer(
            op,
            inputs,
            layer.span,
            name=label or op,
            kept=bool(label) and not owner,
            owner=owner,
            **arguments,
        )
        if weights and not owner and tensor.node is not None:
            held = SharedLayer(tensor.node, op, named)
            self.shared.update((name, held) for name in named if name)
        return tensor

    def owner(self, op: str, named: tuple[str, ...]) -> str:
        """The layer whose parameters these are; raises `Refused` where it shares but some."""
        known = {self.shared[name].node for name in named if name in self.shared}
        if not known:
            return ""
        held = self.shared[next(name for name in named if name in self.shared)]
        if len(known) > 1 or held.names != named or "" in named or held.op != op:
            raise Refused(f"it shares some of the parameters of {held.node}, or in another role")
        return held.node


@dataclass(frozen=True)
class SharedLayer:
    """A layer that holds parameters with names, by which others may share them."""

    node: str
    op: str
    names: tuple[str, ...]


Reader: TypeAlias = Callable[[CaffeNetwork], "Tensor | list[Tensor]"]
READERS: Registry[str, Reader] = Registry(
    "compiler.importers.from_caffe", ("windows", "connect", "normalise", "reshape", "activate")
)
reads = READERS.register


__all__ = ["POISON", "READERS", "CaffeNetwork", "reads"]
