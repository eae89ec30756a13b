"""Two ONNX models on the same inputs: their outputs, and the tensors that both name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from compiler.initialise import generator
from grammar.source import Source, Span
from runtime.errors import CallError
from runtime.verify.compare import largest_error
from runtime.verify.comparison import Comparison, Ledger
from runtime.verify.first_difference import Place, Taken, first_difference
from runtime.verify.options import USUAL, VerifyOptions
from runtime.verify.ports import Port, agreed, inputs_of, outputs_of, precision_of, random_array
from runtime.verify.segments import Tensors
from runtime.verify.tolerance import NONE, ROUNDINGS, Gap, gap

STEP = 2.0**-23  # of float32, relative


@dataclass(frozen=True)
class Side:
    """One of the models: what messages call it; `places` are its layers, where they are known."""

    name: str
    model: onnx.ModelProto
    places: Mapping[str, Place] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


def compare_models(
    first: Side,
    second: Side,
    given: Mapping[str, NDArray[Any]],
    options: VerifyOptions = USUAL,
) -> Comparison:
    """Run both on one device with the same inputs, and compare what they give.

    Inputs and outputs are matched by name, else in their order. `given` are inputs by the first
    model's names; the others are random. With `bisect` the tensors that both make under one name
    are compared as well, in the order of the first model, up to the first that differs. Raises
    `CallError` when inputs or outputs do not match.
    """
    inputs = matched("inputs", inputs_of(first.model), inputs_of(second.model))
    outputs = matched("outputs", outputs_of(first.model), outputs_of(second.model))
    feeds = feed(inputs, given, options.batch, options.seed, {**second.sizes, **first.sizes})
    pairs = {a.name: b.name for a, b in outputs}
    if options.bisect:
        pairs = common(first.model, second.model) | pairs
    precisions = {precision_of(first.model), precision_of(second.model)}
    dtype = next((p for p in ("bf16", "f16") if p in precisions), "f32")
    options = replace(options, dtype=dtype)
    device, settings = options.device, options.settings
    theirs = Tensors(first.model, feeds[0], pairs.keys(), device, settings)
    ours = Tensors(second.model, feeds[1], pairs.values(), device, settings)
    layers = max(len(first.model.graph.node), len(second.model.graph.node))
    ledger = Ledger(options.allow(layers))
    places = listing(first.name, first.model) | dict(first.places)
    shapes = {name: array.shape for name, array in feeds[0].items()}
    gaps: dict[str, Gap] = dict.fromkeys(feeds[0], NONE)
    nudged: Tensors | None = None
    found = None
    for name in in_order(first.model, pairs):
        reference, subject = theirs.take(name), ours.take(pairs[name])
        shapes[name], gaps[name] = reference.shape, gap(subject, reference, ledger.allow)
        place = places[name]
        alone = None
        if 1 < gaps[name].share < math.inf and not ledger.failures:
            nudged = nudged or Tensors(first.model, nudge(feeds[0]), pairs, device, settings)
            loss = largest_error(nudged.take(name), reference)
            alone = gap(subject, reference, ledger.allow, ROUNDINGS * loss)
        if reference.size and np.isnan(reference).all() and gaps[name].share <= 1:
            ledger.nan.append(name)
        if not ledger.note(name, place.span.line, "outputs", gaps[name], alone) and options.bisect:
            known = [n for n in dict.fromkeys(place.inputs) if n in shapes]
            takes = [Taken(n, shapes[n], gaps[n]) for n in known]
            found = first_difference(place, subject, reference, gaps[name], takes)
            break
    sides = {"reference": first.name, "subject": second.name, "unit": "tensor"}
    return ledger.close(len(ledger.gaps), found, **sides)


def nudge(feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The same inputs, every number one rounding of float32 larger or smaller.

    What becomes of that in an output tells how a model amplifies roundings.
    """
    nudged = {}
    for name, array in feeds.items():
        signs = np.where(generator(0, f"nudge {name}").random(array.shape) < 0.5, -1, 1)
        real = np.issubdtype(array.dtype, np.floating)
        nudged[name] = (array * (1 + signs * STEP)).astype(array.dtype) if real else array
    return nudged


def matched(what: str, ours: Sequence[Port], theirs: Sequence[Port]) -> list[tuple[Port, Port]]:
    """The ports of two models in pairs; raises `CallError`."""
    named = {port.name: port for port in theirs}
    if {port.name for port in ours} == named.keys():
        return [(port, named[port.name]) for port in ours]
    if len(ours) != len(theirs):
        lists = " and ".join(", ".join(p.name for p in side) or "none" for side in (ours, theirs))
        raise CallError(f"the models differ in their {what}: {lists}")
    return list(zip(ours, theirs, strict=True))


def feed(
    inputs: Iterable[tuple[Port, Port]],
    given: Mapping[str, NDArray[Any]],
    batch: int,
    seed: int,
    sizes: Mapping[str, int],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The same numbers for both models, each in its own type; raises `CallError`."""
    first: dict[str, NDArray[Any]] = {}
    second: dict[str, NDArray[Any]] = {}
    for a, b in inputs:
        array = given.get(a.name)
        if array is None:
            array = random_array(a, agreed(a.name, a, b), batch, seed, sizes)
        for port, side in ((a, first), (b, second)):
            check_fit(port, array)
            side[port.name] = array.astype(port.dtype)
    unknown = sorted(given.keys() - first.keys())
    if unknown:
        raise CallError(f"there is no input {unknown[0]}; there are {', '.join(first)}")
    return first, second


def check_fit(port: Port, array: NDArray[Any]) -> None:
    """Raise `CallError` for an array that an input cannot take."""
    if port.sizes is None:
        return
    if len(port.sizes) != array.ndim or any(
        isinstance(want, int) and want != have
        for want, have in zip(port.sizes, array.shape, strict=True)
    ):
        raise CallError(f"the input {port.name} is {list(port.sizes)}, not {list(array.shape)}")


def common(first: onnx.ModelProto, second: onnx.ModelProto) -> dict[str, str]:
    """The tensors that nodes of both models make under one name."""
    made = {name for node in second.graph.node for name in node.output if name}
    names = (name for node in first.graph.node for name in node.output)
    return {name: name for name in names if name in made}


def in_order(model: onnx.ModelProto, names: Mapping[str, str]) -> list[str]:
    """These tensors in the order in which a model makes them."""
    made = [name for node in model.graph.node for name in node.output if name in names]
    return made + [name for name in names if name not in made]


def listing(name: str, model: onnx.ModelProto) -> dict[str, Place]:
    """A place for every tensor: its node in a listing of the model, a line each."""
    held = {tensor.name for tensor in model.graph.initializer}
    nodes = list(model.graph.node)
    rows = [
        f"{', '.join(filter(None, n.output))} = {n.op_type}({', '.join(n.input)})" for n in nodes
    ]
    source = Source(name, "\n".join(rows))
    places: dict[str, Place] = {}
    start = 0
    for node, row in zip(nodes, rows, strict=True):
        span = Span(source, start, start + len(row))
        start += len(row) + 1
        inputs = tuple(i for i in node.input if i and i not in held)
        for output in node.output:
            places[output] = Place(output, node.op_type, inputs, span)
    return places
