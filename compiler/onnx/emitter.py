"""A model in progress, and what writes its nodes, each in its precision; one for each layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from compiler.domain import Facts
from compiler.graph import Graph, Input, Node
from compiler.onnx.precision import WORDS, PrecisionError, takes_bfloat16
from compiler.ops.base import Shape, Shapes
from compiler.ops.connect import Dense
from compiler.ops.gathering import Take
from compiler.ops.joins import Join
from compiler.ops.normalise import LayerNorm
from compiler.ops.reshape import Transpose
from compiler.verify import fault
from grammar.diagnostics import DefinitionError

Attribute: TypeAlias = int | float | str | Sequence[int] | Sequence[float]

ONNX_TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
ONNX_TYPES |= {"i64": TensorProto.INT64}
NUMPY_TYPES: dict[str, Any] = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
INTEGER = "i64"
EXACT = (np.int64, np.float64)  # constants that go in as they are
LARGEST_CONSTANT = 2**24  # numbers that a layer repeats over its channels
ALWAYS_FLOAT32 = {("Resize", 1), ("Resize", 2)}  # the inputs roi and scales
MAKES_INTEGERS = {("Shape", 0), ("Size", 0), ("ArgMax", 0), ("MaxPool", 1)}  # whatever they take
MAKES_FLOATS = {"OneHot", "Cast", "ConstantOfShape"}  # of whole numbers


class Writer:
    """Where ONNX nodes are written, each in its precision, with names that begin with `prefix`.

    Arrays stay outside the model until a node takes them, and go in in that node's type; tensors
    of another type are cast on the way, once for all who take them.
    """

    def __init__(self, lowering: Lowering, prefix: str, dtype: str) -> None:
        self.opset = lowering.opset
        self.nodes: list[onnx.NodeProto] = []
        self._lowering = lowering
        self._prefix = prefix
        self._dtype = dtype
        self._arrays: dict[str, NDArray[Any]] = {}
        self._constants = 0

    def node(self, op_type: str, *inputs: str, **attributes: Attribute) -> str:
        """Add one ONNX node with a single output; returns the output's name."""
        return self.outputs(1, op_type, *inputs, **attributes)[0]

    def outputs(
        self, count: int, op_type: str, *inputs: str, **attributes: Attribute
    ) -> tuple[str, ...]:
        """Add one ONNX node with so many outputs; returns their names."""
        name = f"{self._prefix}/{op_type}"
        if name in self._lowering.interface or any(n.name == name for n in self.nodes):
            name = f"{name}_{len(self.nodes)}"
        narrow = self._dtype != "bf16" or takes_bfloat16(op_type, self.opset)
        dtype = self._dtype if narrow else "f32"
        taken = [
            self._take(tensor, "f32" if (op_type, place) in ALWAYS_FLOAT32 else dtype)
            for place, tensor in enumerate(inputs)
        ]
        names = (name, *(f"{name}/{place}" for place in range(1, count)))
        self._append(op_type, taken, [*names], **attributes)
        whole = self._lowering.kinds.get(taken[0]) == INTEGER and op_type not in MAKES_FLOATS
        for place, output in enumerate(names):
            kind = INTEGER if whole or (op_type, place) in MAKES_INTEGERS else dtype
            self._lowering.kinds[output] = kind
        return names

    def floats(self, values: Any, shape: Sequence[int] | None = None) -> str:
        """A constant from (nested) floats, repeated to fill `shape` where that is larger."""
        array = np.asarray(values, dtype=np.float32)
        return self._constant(array if shape is None else np.broadcast_to(array, tuple(shape)))

    def doubles(self, values: Any) -> str:
        """A constant in float64, for the few numbers that need it."""
        return self._constant(np.asarray(values, dtype=np.float64))

    def ints(self, values: Sequence[int] | int) -> str:
        """A constant of 64-bit integers, one-dimensional (a bare int gives a scalar)."""
        return self._constant(np.asarray(values, dtype=np.int64))

    def cast(self, tensor: str, dtype: str, name: str) -> str:
        """Add a Cast of `tensor` whose output is called `name`."""
        self._append("Cast", [tensor], [name], to=ONNX_TYPES[dtype])
        self.nodes[-1].name = f"{name}/Cast"
        self._lowering.kinds[name] = dtype
        return name

    def _append(
        self, op_type: str, inputs: list[str], outputs: list[str], **attributes: Attribute
    ) -> None:
        self.nodes.append(
            helper.make_node(op_type, inputs, outputs, name=outputs[0], **cast(Any, attributes))
        )

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"{self._prefix}/constant_{self._constants}"
        self._constants += 1
        self._arrays[name] = array
        return name

    def _take(self, tensor: str, dtype: str) -> str:
        """A tensor or array as a node of type `dtype` takes it; the empty name stays empty."""
        array = self._arrays.get(tensor)
        if array is not None and array.dtype in EXACT:
            return self._lowering.add_initializer(tensor, array, INTEGER)
        if array is not None:
            # Kernels are stored in the layer's type even where a node computes in float32.
            stored = self._dtype if array.ndim > 1 else dtype
            tensor = self._lowering.add_initializer(tensor, narrowed(tensor, array, stored), stored)
        held = self._lowering.kinds.get(tensor, INTEGER)
        if not tensor or held in (dtype, INTEGER):
            return tensor
        done = self._lowering.casts.get((tensor, dtype))
        if done is None:
            done = self.cast(tensor, dtype, f"{tensor}/{dtype}")
            self._lowering.casts[tensor, dtype] = done
        return done


class Emitter(Writer):
    """Where one layer, or its gradient, writes its ONNX nodes.

    `inputs` and `output` are the per-sample shapes; ONNX tensors have the batch in front of them.
    `result` is the tensor of the layer once that is written, `kept` what its lowering kept for its
    gradient, which it need not do unless the layer is `differentiated`.
    """

    def __init__(self, lowering: Lowering, node: Node, prefix: str = "") -> None:
        dtype = "f32" if node.op.in_float32 else lowering.dtype
        super().__init__(lowering, f"{prefix}{node.name}", dtype)
        graph = lowering.graph
        self.graph = graph
        self.facts: Facts = graph.facts
        self.inputs: Shapes = graph.input_shapes(node)
        self.output: Shape = node.shape
        self.layer = node
        self.transposes = lowering.transposes
        self.result = lowering.tensor_of[node.name]
        self.differentiated = lowering.differentiated
        self.kept: dict[str, str] = {}
        self._held = {weight.name for weight in graph.weights(node)}

    def weight(self, name: str) -> str:
        """The tensor that holds this layer's array `name`: an initializer, unless it is fed."""
        full = self.layer.array(name)
        if full not in self._lowering.fed:
            self._arrays[full] = self._lowering.graph.values[full]
        return full

    def has_weight(self, name: str) -> bool:
        """Whether this layer holds an array `name`."""
        return name in self._held

    def floats(self, values: Any, shape: Sequence[int] | None = None) -> str:
        """A constant from (nested) floats, repeated to fill `shape` where that is larger."""
        if shape is not None and math.prod(shape) > LARGEST_CONSTANT:
            message = f"{self.layer.op.name} takes more than {LARGEST_CONSTANT:_} fixed numbers"
            raise DefinitionError([fault(self.layer, "E209", message)])
        return super().floats(values, shape)

    def whole(self, tensor: str) -> str:
        """A tensor as 64-bit integers."""
        if self._lowering.kinds.get(tensor) == INTEGER:
            return tensor
        made = self.node("Cast", tensor, to=TensorProto.INT64)
        self._lowering.kinds[made] = INTEGER
        return made

    def is_stretched(self, place: int) -> bool:
        """Whether an input is the same for all samples and comes without a batch."""
        lowering = self._lowering
        return self.layer.inputs[place] in lowering.stretched and not lowering.spread

    def for_samples(self, tensor: str) -> str:
        """A tensor without a batch once for each sample, or as it is where all stretch it."""
        lowering, rank = self._lowering, len(self.output)
        if self.layer.name in lowering.stretched and not lowering.spread:
            return tensor
        if isinstance(lowering.batch, int):
            return self.node("Expand", tensor, self.ints([lowering.batch] + [1] * rank))
        fed = self.fed(self.graph.inputs()[0].name)
        batch = self.node("Gather", self.node("Shape", fed), self.ints([0]))
        return self.node(
            "Expand", tensor, self.node("Concat", batch, self.ints([1] * rank), axis=0)
        )

    def fed(self, name: str) -> str:
        """The tensor of an input of the model."""
        return self._lowering.tensor_of[name]

    def is_initializer(self, tensor: str) -> bool:
        """Whether a tensor is one of the model's initializers."""
        return tensor in self._lowering.initializers

    def held(self, tensor: str) -> str:
        """An array as an initializer of the model, in this layer's type."""
        return self._take(tensor, self._dtype)

    def keep(self, **tensors: str) -> None:
        """Tensors that the gradient of this layer can use again, by name."""
        self.kept |= tensors


def narrowed(name: str, array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """An array in another type; raises `PrecisionError` when its numbers do not fit."""
    if dtype == "f32":
        return np.asarray(array, dtype=np.float32)
    with np.errstate(over="ignore"):
        narrow = array.astype(NUMPY_TYPES[dtype])
    if not np.isfinite(narrow.astype(np.float32)).all() and np.isfinite(array).all():
        raise PrecisionError(
            f"{name} holds {np.abs(array).max():.4g}, more than {WORDS[dtype]} can; "
            "bfloat16 has the range of float32 (--dtype bf16)"
        )
    return narrow


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
