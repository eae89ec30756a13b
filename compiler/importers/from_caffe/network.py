"""A Caffe network being read: its layers in order, the tensors by the names of their blobs.

A layer may write the blob that it reads (in place): the name then stands for the later tensor.
Layers of another phase are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from compiler.importers.builder import Builder, Poisoned, Refused, clean_label
from compiler.importers.from_caffe.prototxt import Message
from compiler.registry import Registry
from compiler.values import POISON, Tensor
from grammar.source import Span

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
    "Scale": ("conv",),
    "PReLU": ("prelu",),
}

# Names of layer types and parameters before 2014-09 ("V1"), as Caffe upgrades them.
OLD_TYPES = {
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "INNER_PRODUCT": "InnerProduct",
    "RELU": "ReLU",
    "TANH": "TanH",
    "SIGMOID": "Sigmoid",
    "ABSVAL": "AbsVal",
    "BNLL": "BNLL",
    "POWER": "Power",
    "EXP": "Exp",
    "POOLING": "Pooling",
    "LRN": "LRN",
    "DROPOUT": "Dropout",
    "CONCAT": "Concat",
    "ELTWISE": "Eltwise",
    "SLICE": "Slice",
    "SPLIT": "Split",
    "FLATTEN": "Flatten",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "ACCURACY": "Accuracy",
    "SILENCE": "Silence",
    "DATA": "Data",
    "IMAGE_DATA": "ImageData",
    "HDF5_DATA": "HDF5Data",
    "MEMORY_DATA": "MemoryData",
    "DUMMY_DATA": "DummyData",
    "WINDOW_DATA": "WindowData",
}


@dataclass(frozen=True)
class Layer:
    """One layer: its type in the current spelling, the blobs it reads and writes, its fields."""

    type: str
    name: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    fields: Message
    span: Span

    def parameters(self, name: str) -> Message:
        """The message `<name>_param`."""
        return self.fields.message(f"{name}_param")

    @property
    def shared(self) -> tuple[str, ...]:
        """The names of its parameter blobs, by which layers share them."""
        named = [
            p.one("name", "") if isinstance(p, Message) else p for p in self.fields.all("param")
        ]
        return tuple(str(n) for n in named if n)


class Network:
    """One network being read; `layer` is the one at hand."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.blobs: dict[str, Tensor] = {}
        self.labels: set[str] = set()
        self.unused: dict[str, None] = {}
        self.owners: dict[tuple[str, ...], str] = {}
        self.layer: Layer

    def bottoms(self) -> tuple[Tensor, ...]:
        """The tensors that the layer reads, the labels of a data set left out."""
        found = []
        for blob in self.layer.bottoms:
            if blob in self.labels:
                continue
            if blob not in self.blobs:
                raise Refused(f"nothing makes its input {blob}")
            tensor = self.blobs[blob]
            if tensor.node is None:
                raise Poisoned
            found.append(tensor)
        return tuple(found)

    def bottom(self) -> Tensor:
        """The one tensor that the layer reads."""
        tensors = self.bottoms()
        if len(tensors) != 1:
            raise Refused(f"it takes one input, not {len(tensors)}")
        return tensors[0]

    def write(self, blob: str, tensor: Tensor) -> None:
        """Let a blob stand for a tensor that nothing has read yet."""
        self.blobs[blob] = tensor
        self.unused.pop(blob, None)
        self.unused[blob] = None

    def add(self, op: str, *inputs: Tensor, **arguments: Any) -> Tensor:
        """Add a layer, called as Caffe calls it where that matters to its parameters."""
        layer = self.layer
        key = (op, *layer.shared)
        owner = self.owners.get(key, "") if layer.shared else ""
        label = clean_label(layer.name) if op in KEPT.get(layer.type, ()) else ""
        made = self.builder.layer(
            op,
            inputs,
            layer.span,
            name=label or op,
            kept=bool(label) and not owner,
            owner=owner,
            **arguments,
        )
        if layer.shared and made.node is not None:
            self.owners.setdefault(key, made.node)
        return made


Reader: TypeAlias = Callable[[Network], "Tensor | list[Tensor]"]
READERS: Registry[str, Reader] = Registry(
    "compiler.importers.from_caffe", ("windows", "connect", "activate")
)
reads = READERS.register


def layer_of(fields: Message, span: Span) -> Layer:
    """A layer of either spelling."""
    kind = str(fields.one("type", ""))
    return Layer(
        OLD_TYPES.get(kind, kind),
        str(fields.one("name", "")),
        tuple(map(str, fields.all("bottom"))),
        tuple(map(str, fields.all("top"))),
        fields,
        span,
    )


def in_phase(layer: Layer, phase: str) -> bool:
    """Whether `include` and `exclude` leave a layer in the network of a phase."""
    included, excluded = layer.fields.all("include"), layer.fields.all("exclude")
    if included:
        return any(matches(rule, phase) for rule in included)
    return not any(matches(rule, phase) for rule in excluded)


def matches(rule: Any, phase: str) -> bool:
    """Whether a rule speaks of this phase; one of a stage is for calls that name it."""
    if not isinstance(rule, Message):
        return False
    return rule.one("phase", phase) == phase and not rule.all("stage")


__all__ = ["POISON", "READERS", "Layer", "Network", "in_phase", "layer_of", "reads"]
