"""A lowering in progress: what the emitters of the layers write into."""

from __future__ import annotations

from typing import Any

import onnx
from numpy.typing import NDArray

from compiler.graph import Graph, Input, Node
from compiler.ops.connect import Dense
from compiler.ops.gathering import Take
from compiler.ops.joins import Join
from compiler.ops.normalise import LayerNorm
from compiler.ops.reshape import Transpose


class Lowering:
    """The nodes and initializers so far, each tensor's type and name, and the casts of tensors.

    `dtype` is what the layers compute in, `io` the type of the model's inputs and outputs. Arrays
    named in `fed` are inputs of the model. `differentiated` layers keep what their gradients need.
    With `spread` every tensor has a batch, also those that are the same for all samples.
    """

    def __init__(self, graph: Graph, opset: int, batch: int | None, dtype: str, io: str) -> None:
        self.graph = graph
        self.opset = opset
        self.batch: int | str = "N" if batch is None else batch
        self.dtype = dtype
        self.io = io
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, NDArray[Any]] = {}
        self.fed: frozenset[str] = frozenset()
        self.differentiated = False
        self.spread = False
        self.kinds: dict[str, str] = {}
        self.casts: dict[tuple[str, str], str] = {}
        self.tensor_of = tensor_names(graph)
        self.interface = {*graph.outputs, *(node.name for node in graph.inputs())}
        self.stretched = stretched_tensors(graph)
        self.transposes = any(is_turned(node) for node in graph.nodes())

    def add_initializer(self, name: str, array: NDArray[Any], kind: str) -> str:
        """Put an array into the model once for each type; returns what it is called there."""
        if self.kinds.setdefault(name, kind) != kind:
            name = f"{name}/{kind}"
            self.kinds[name] = kind
        self.initializers.setdefault(name, array)
        return name

    def outside(self, name: str) -> str:
        """The tensor of a layer, or of an input, in the type of the model's outputs."""
        tensor = self.tensor_of[name]
        return self.casts.get((tensor, self.io), tensor)


def is_turned(node: Node) -> bool:
    """Whether a layer is written with a Transpose."""
    match node.op:
        case Dense():
            return len(node.shape) > 2 and node.op.along(node.shape) < len(node.shape) - 2
        case LayerNorm():
            return node.op.places(node.shape)[-1] != len(node.shape) - 1
    return isinstance(node.op, Transpose)


def stretched_tensors(graph: Graph) -> frozenset[str]:
    """The tensors without an input that all who take them stretch over the samples."""
    bare = {node.name for node in graph.nodes() if node.op.most_inputs == 0}
    users = graph.users() if bare else {}
    return frozenset(
        name
        for name in bare - {*graph.outputs.values()}
        if all(is_stretching(user, name, bare) for user in users[name])
    )


def is_stretching(user: Node, name: str, bare: set[str]) -> bool:
    """Whether a layer takes a tensor that is the same for all samples without a batch."""
    if isinstance(user.op, Take):
        table, index = user.inputs
        return name == index != table or index not in bare
    return isinstance(user.op, Join) and not bare.issuperset(user.inputs)


def tensor_names(graph: Graph) -> dict[str, str]:
    """The ONNX tensor of each node: its own name, or that of the first output it serves."""
    names = {node.name: node.name for node in graph.nodes()}
    parameters = graph.parameters()  # which labels such as "conv1.bias" may be called like
    for name in names:
        if name in parameters or graph.outputs.get(name, name) != name:
            names[name] = f"{name}/value"  # that name is another tensor's
    for output, name in graph.outputs.items():
        if not isinstance(graph[name].op, Input) and names[name] not in graph.outputs:
            names[name] = output
    return names
