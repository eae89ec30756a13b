"""An imported model in NumPy against ONNX Runtime running the original file."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from compiler.graph import Node
from compiler.importers.imported import Imported
from runtime.compare import compare_layers, compare_outputs, random_feeds
from runtime.comparison import Comparison, Ledger
from runtime.foreign import inputs_of, outputs_of, precision_of, random_input
from runtime.gaps import tolerance
from runtime.providers import Settings
from runtime.segments import Tensors


def compare_imported(
    imported: Imported,
    model: onnx.ModelProto,
    *,
    device: str = "cpu",
    exact: bool = True,
    seed: int = 0,
    batch: int = 2,
    bisect: bool = False,
) -> Comparison:
    """Every output, and every layer that makes a tensor of the original as it is.

    A batch that the model fixes goes before `batch`. With `bisect` it ends at the first layer that
    differs.
    """
    graph = imported.graph
    ports = inputs_of(model)
    fixed = next((p.sizes[0] for p in ports if p.sizes and isinstance(p.sizes[0], int)), None)
    feeds = random_feeds(graph, seed, batch if fixed is None else int(fixed))
    given = {}
    for node, port in zip(graph.inputs(), ports, strict=True):
        numbers = feeds[node.name]
        if port.dtype.kind in "iub":
            numbers = random_input(port, numbers.shape, len(numbers), seed, {})
        given[port.name] = numbers.astype(port.dtype)
        feeds[node.name] = given[port.name].astype(np.float32)  # both see the same numbers
    outputs = dict(zip(graph.outputs, (port.name for port in outputs_of(model)), strict=True))
    wanted = {*imported.tensors.values(), *outputs.values()}
    settings = Settings(exact=exact, optimise=False)
    tensors = Tensors(model, given, wanted, device, settings)
    dtype = precision_of(model)
    ledger = Ledger(tolerance(device, dtype, exact=exact, layers=len(graph)))

    def take(node: Node) -> NDArray[Any] | None:
        tensor = imported.tensors.get(node.name)
        return None if tensor is None else tensors.take(tensor)

    ours, first = compare_layers(graph, feeds, take, ledger, bisect)
    taken = set(imported.tensors.values())
    if first is None:
        others = {name: tensor for name, tensor in outputs.items() if tensor not in taken}
        found = {name: tensors.take(tensor) for name, tensor in others.items()}
        compare_outputs(graph, feeds, found, ours, "outputs", ledger)
    return ledger.close(len(ledger.gaps), first, subject="ONNX Runtime with the original")
