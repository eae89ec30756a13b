"""Every tensor of an ONNX model in bounded memory: the model runs in parts, one after the other.

A part is a run of nodes whose tensors and weights together take at most a budget. It is a model by
itself: it takes tensors that the parts before it made, and only its own weights.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, shape_inference

from compiler.rewriting import needed
from runtime.models import detached, without_numbers
from runtime.session import RunError, open_session
from runtime.settings import Settings

BUDGET = 256 * 2**20  # bytes of the tensors and weights of a part, if no single node needs more


@dataclass(frozen=True)
class Part:
    """Nodes that run together: the tensors they take from outside, and those they make."""

    nodes: tuple[onnx.NodeProto, ...]
    takes: frozenset[str]
    makes: frozenset[str]


class Tensors:
    """The tensors of a model for given inputs, computed when they are asked for.

    `wanted` are the names that may be taken, each once; nothing else is kept longer than the model
    itself needs it, and what leads to none of them is not run. Tensors asked for out of the model's
    order wait until then. The weights are in the model, or beside it in the settings.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        feeds: Mapping[str, NDArray[Any]],
        wanted: Collection[str],
        device: str,
        settings: Settings,
        budget: int = BUDGET,
    ) -> None:
        self._model, self._arrays = model, settings.weights
        if not self._arrays:
            self._model, self._arrays = detached(model)
        self._live: dict[str, NDArray[Any]] = dict(feeds)
        self._wanted = set(wanted)
        self._device, self._settings = device, settings
        self._weights = {tensor.name: tensor for tensor in self._model.graph.initializer}
        self._parts = list(parts_of(self._model, self._arrays, feeds, budget, self._wanted))
        self._last = {name: place for place, part in enumerate(self._parts) for name in part.takes}
        self._done = 0
        self._let_go([*feeds])

    def take(self, name: str, *, keep: bool = False) -> NDArray[Any]:
        """A tensor, which is then let go unless it is to be kept; raises `RunError`."""
        while name not in self._live and self._done < len(self._parts):
            self._run(self._parts[self._done])
        if name not in self._live:
            raise RunError(f"the model makes no tensor {name}")
        if not keep:
            self._wanted.discard(name)
        value = self._live[name]
        self._let_go([name])
        return value

    def _run(self, part: Part) -> None:
        """Run the next part."""
        self._done += 1
        kept = sorted(name for name in part.makes if name in self._wanted or self._needed(name))
        if kept:
            given = {name: self._live[name] for name in sorted(part.takes & self._live.keys())}
            arrays = {name: self._arrays[name] for name in sorted(part.takes & self._arrays.keys())}
            settings = replace(self._settings, weights=arrays)
            session = open_session(self._extract(part, given, kept), self._device, settings)
            self._live |= session.run(given)
        self._let_go([*kept, *part.takes])

    def _needed(self, name: str) -> bool:
        """Whether a part still to come takes a tensor."""
        return self._last.get(name, -1) >= self._done

    def _let_go(self, names: Collection[str]) -> None:
        """Forget those of these that nobody asks for any more."""
        for name in names:
            if name in self._live and name not in self._wanted and not self._needed(name):
                del self._live[name]

    def _extract(
        self, part: Part, given: Mapping[str, NDArray[Any]], kept: Sequence[str]
    ) -> onnx.ModelProto:
        """A part as a model of its own."""
        graph = helper.make_graph(
            part.nodes,
            self._model.graph.name or "part",
            [value_info(name, array) for name, array in given.items()],
            [onnx.ValueInfoProto(name=name) for name in kept],
        )
        graph.initializer.extend(
            self._weights[name] for name in sorted(part.takes) if name in self._weights
        )
        return helper.make_model(
            graph,
            opset_imports=self._model.opset_import,
            ir_version=self._model.ir_version,
            functions=self._model.functions,
        )


def value_info(name: str, array: NDArray[Any]) -> onnx.ValueInfoProto:
    """The type of an input that takes exactly this array."""
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, kind, array.shape)


def parts_of(
    model: onnx.ModelProto,
    weights: Mapping[str, NDArray[Any]],
    feeds: Mapping[str, NDArray[Any]],
    budget: int,
    wanted: Collection[str],
) -> Iterator[Part]:
    """The nodes that make what is wanted, in runs that fit the budget; one beyond it runs alone."""
    sizes = tensor_bytes(model, feeds)
    run: list[onnx.NodeProto] = []
    held = 0
    nodes = list(in_order(model.graph.node))
    for node in needed(wanted, nodes, lambda node: filter(None, node.output), names_taken):
        size = sum(sizes.get(name, budget) for name in node.output if name)
        size += sum(weights[name].nbytes for name in node.input if name in weights)
        if run and held + size > budget:
            yield part(run)
            run, held = [], 0
        run.append(node)
        held += size
    if run:
        yield part(run)


def in_order(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """The nodes, each behind those that make what it takes; they may stand in any order."""
    maker = {name: place for place, node in enumerate(nodes) for name in node.output if name}
    before = {
        place: {maker[name] for name in names_taken(node) if name in maker} - {place}
        for place, node in enumerate(nodes)
    }
    if all(place > max(others, default=-1) for place, others in before.items()):
        yield from nodes
        return
    try:
        yield from (nodes[place] for place in TopologicalSorter(before).static_order())
    except CycleError:
        raise RunError("the nodes of the model go round in a circle") from None


def part(nodes: Sequence[onnx.NodeProto]) -> Part:
    """A run of nodes with what goes in and comes out."""
    makes = {name for node in nodes for name in node.output if name}
    takes = {name for node in nodes for name in names_taken(node)}
    return Part(tuple(nodes), frozenset(takes - makes), frozenset(makes))


def names_taken(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node takes, and those that the graphs inside it may."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        if not attribute.HasField("g") and not attribute.graphs:
            continue
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                yield from names_taken(inner)
            yield from (output.name for output in graph.output)


def tensor_bytes(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """The size of every tensor whose shape follows from those of the inputs."""
    light = without_numbers(model)
    inputs = [value_info(name, array) for name, array in feeds.items()]
    named = {info.name for info in inputs}
    inputs += [info for info in light.graph.input if info.name not in named]
    del light.graph.input[:]
    light.graph.input.extend(inputs)
    outputs = [onnx.ValueInfoProto(name=info.name) for info in light.graph.output]
    del light.graph.value_info[:], light.graph.output[:]
    light.graph.output.extend(outputs)
    try:
        inferred = shape_inference.infer_shapes(light, data_prop=True).graph
    except Exception:  # from C++; what is wrong with the model ONNX Runtime will say
        return {}
    return {
        info.name: size
        for info in [*inferred.value_info, *inferred.output]
        if (size := bytes_of(info)) is not None
    }


def bytes_of(info: onnx.ValueInfoProto) -> int | None:
    """The bytes of a tensor, where its type and all its sizes are known."""
    tensor = info.type.tensor_type
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    if not tensor.HasField("shape") or not tensor.elem_type or None in sizes:
        return None
    try:
        width = int(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).itemsize)
    except KeyError:  # strings
        return None
    return int(math.prod(s for s in sizes if s is not None)) * width
