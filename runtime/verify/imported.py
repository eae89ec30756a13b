"""An imported model against its original, which ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from compiler.graph import Graph, Node
from compiler.importers.imported import Imported
from compiler.ops.base import Shape
from runtime.random_inputs import random_feeds, random_input
from runtime.verify.compare import compare_layers, compare_outputs
from runtime.verify.comparison import Comparison, Ledger
from runtime.verify.options import USUAL, VerifyOptions
from runtime.verify.ports import inputs_of, precision_of
from runtime.verify.segments import Tensors


@dataclass(frozen=True)
class Feeds:
    """The same numbers by the graph's names and, in the model's types, by the original's."""

    ours: Mapping[str, NDArray[Any]]
    theirs: Mapping[str, NDArray[Any]]


def feeds_for(
    graph: Graph,
    model: onnx.ModelProto,
    seed: int = 0,
    batch: int = 2,
    sizes: Mapping[str, int] | None = None,
) -> Feeds:
    """Random inputs; a batch that the model fixes goes before `batch`."""
    ports = inputs_of(model)
    ours: dict[str, NDArray[Any]] = {}
    ours |= random_feeds(graph, seed, fixed_batch(model) or batch, sizes)
    theirs = {}
    for node, port in zip(graph.inputs(), ports, strict=True):
        numbers = ours[node.name]
        if port.dtype.kind in "iub":
            numbers = random_input(port.name, numbers.shape, port.dtype, seed)
        theirs[port.name] = numbers.astype(port.dtype)
        ours[node.name] = theirs[port.name].astype(np.float32)
    return Feeds(ours, theirs)


def as_samples(value: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """A tensor of one number a sample as it is here: where it is squeezed, a vector of one.

    What follows makes another shape of it, or its numbers would differ; an output must not.
    """
    return value[:, None] if value.ndim == 1 and len(shape) == 1 else value


def kept_tensors(imported: Imported, model: onnx.ModelProto) -> dict[str, str]:
    """The original's tensor that a layer makes, of those that the main graph makes itself.

    A function of the model's own, or a branch, has tensors that nobody outside can ask for.
    """
    made = {name for node in model.graph.node for name in node.output if name}
    made |= {info.name for info in model.graph.input}
    tensors = imported.tensors.items()
    return {
        layer: tensor for layer, tensor in tensors if layer in imported.graph and tensor in made
    }


def fixed_batch(model: onnx.ModelProto) -> int | None:
    """The number of samples that a model takes, None if it may be any."""
    firsts = [port.sizes[0] for port in inputs_of(model) if port.sizes]
    return next((size for size in firsts if isinstance(size, int)), None)


def outputs_by_name(graph: Graph, model: onnx.ModelProto) -> dict[str, str]:
    """The original's output for each output of an imported graph; they are in one order."""
    return dict(zip(graph.outputs, (info.name for info in model.graph.output), strict=True))


def compare_imported(
    imported: Imported,
    model: onnx.ModelProto,
    options: VerifyOptions = USUAL,
    feeds: Feeds | None = None,
) -> Comparison:
    """NumPy on every output, and on every layer that makes a tensor of the original as it is.

    The inputs are `feeds`, else random ones (`feeds_for`). The precision is the model's own.
    """
    graph, options = imported.graph, replace(options, dtype=precision_of(model))
    feeds = feeds or feeds_for(graph, model, options.seed, options.batch)
    outputs = outputs_by_name(graph, model)
    kept = kept_tensors(imported, model)
    wanted = {*kept.values(), *outputs.values()}
    tensors = Tensors(model, feeds.theirs, wanted, options.device, options.settings)
    ledger = Ledger(options.allow(len(graph)))

    def take(node: Node) -> NDArray[Any] | None:
        tensor = kept.get(node.name)
        if tensor is None:
            return None
        value = tensors.take(tensor)
        served = node.name in graph.outputs.values()
        return value if served else as_samples(value, node.shape)

    ours, first = compare_layers(graph, feeds.ours, take, ledger, options.bisect)
    taken = set(kept.values())
    if first is None:
        others = {name: tensor for name, tensor in outputs.items() if tensor not in taken}
        found = {name: tensors.take(tensor, keep=True) for name, tensor in others.items()}
        compare_outputs(graph, feeds.ours, found, ours, "outputs", ledger)
    return ledger.close(len(ledger.gaps), first, subject="ONNX Runtime with the original")
