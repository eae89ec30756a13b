"""How much memory a training step takes, read off its model.

The nodes run in the order in which they stand (`runtime.settings.Settings.in_order`); a tensor
lives from the node that makes it to the last that takes it. What the step takes, parameters and the
optimiser's arrays, stays for the whole of it, and what it gives is kept from where it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import onnx
from onnx import TensorProto, helper

from compiler.training.layout import StepLayout
from grammar.records import dataclass

PASSED_ON = frozenset({"Reshape", "Identity", "Squeeze", "Unsqueeze", "Flatten"})  # no copy
BACKWARD = "gradient/"  # what the names of its nodes begin with


@dataclass(frozen=True)
class StepMemory:
    """Bytes of one step: what it takes, what it works with, and where it needs the most.

    `kept` are the layers' tensors alive when the backward pass begins, `working` all that lives
    at the node `peak_at` besides the parameters, the optimiser's arrays and the batch.
    """

    parameters: int
    states: int
    batch: int
    kept: int
    gradients: int
    working: int
    peak_at: str

    @property
    def total(self) -> int:
        """All of it."""
        return self.parameters + self.states + self.batch + self.working


def step_memory(model: onnx.ModelProto, layout: StepLayout, batch: int) -> StepMemory:
    """What a step of so many samples takes."""
    sizes = tensor_bytes(model, batch)
    fixed = {info.name for info in (*model.graph.input, *model.graph.initializer)}
    nodes = [*model.graph.node]
    source, last_use = storage(nodes, fixed, {info.name for info in model.graph.output})
    alive: dict[str, int] = {}
    held = kept = most = 0
    peak_at = ""
    begun = False
    for place, node in enumerate(nodes):
        if not begun and node.name.startswith(BACKWARD) and len(alive) > 1:
            begun, kept = True, held
        ends = {source.get(name, name) for name in node.input}
        ends = {name for name in ends if name in alive and last_use[name] <= place}
        made = [name for name in node.output if name and source.get(name, name) == name]
        for name in made:
            alive[name] = sizes.get(name, 0)
            held += alive[name]
        if held > most:
            most, peak_at = held, node.name
        ends |= {name for name in made if last_use.get(name, place) <= place}
        for name in ends:
            held -= alive.pop(name)
    shapes = {name: 4 * prod(shape) for name, shape in layout.arrays.items()}
    return StepMemory(
        sum(shapes.values()),
        sum(4 * prod(state.shape) for state in layout.states.values()),
        sum(sizes[name] for name in (*layout.batch, *layout.masks)),
        kept,
        sum(shapes[name] for name in layout.learned),
        most,
        peak_at,
    )


def storage(
    nodes: list[onnx.NodeProto], fixed: set[str], outputs: set[str]
) -> tuple[dict[str, str], dict[str, int]]:
    """The tensor whose memory each one has that is only passed on, and where each is last used."""
    source: dict[str, str] = {}
    last_use: dict[str, int] = {}
    for place, node in enumerate(nodes):
        for name in node.input:
            last_use[source.get(name, name)] = place
        if node.op_type in PASSED_ON and node.output[0] not in outputs:
            source[node.output[0]] = source.get(node.input[0], node.input[0])
    for name in outputs:
        last_use[source.get(name, name)] = len(nodes)
    return source, last_use


def tensor_bytes(model: onnx.ModelProto, batch: int) -> Mapping[str, int]:
    """The bytes of every tensor whose shape follows from those of the inputs."""
    pinned = onnx.ModelProto()
    pinned.CopyFrom(model)
    for info in (*pinned.graph.input, *pinned.graph.output):
        for size in info.type.tensor_type.shape.dim:
            if size.dim_param == "N":
                size.dim_value = batch
    inferred = onnx.shape_inference.infer_shapes(pinned, data_prop=True)
    graph = inferred.graph
    found = {tensor.name: bytes_of(tensor.data_type, tensor.dims) for tensor in graph.initializer}
    for info in (*graph.input, *graph.value_info, *graph.output):
        kind = info.type.tensor_type
        found[info.name] = bytes_of(kind.elem_type, [d.dim_value for d in kind.shape.dim])
    return found


def bytes_of(kind: int, sizes: Iterable[int]) -> int:
    """The bytes of a tensor."""
    width = helper.tensor_dtype_to_np_dtype(kind or TensorProto.FLOAT).itemsize
    return int(width * prod(sizes))
