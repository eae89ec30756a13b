"""The proof of an import: the definition and the original model compute the same numbers.

Both run in ONNX Runtime on the same random inputs, in parts of bounded memory, and every layer that
makes a tensor of the original is compared with it. Roundings differ between the two, and a network
may amplify them; so where they part, NumPy computes the definition in float64, and what counts is
how far the original is from that (`imported.compare_imported`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from compiler.dims import evaluate
from compiler.graph import Graph, Input
from compiler.importers.define import Defined
from compiler.importers.imported import Imported
from compiler.onnx.emitter import tensor_names
from compiler.onnx.lower import lower_apart
from runtime.errors import CallError
from runtime.models import referring
from runtime.random_inputs import sizes_for
from runtime.settings import Settings
from runtime.verify.comparison import Comparison
from runtime.verify.imported import (
    Feeds,
    as_samples,
    compare_imported,
    feeds_for,
    fixed_batch,
    kept_tensors,
    outputs_by_name,
)
from runtime.verify.options import VerifyOptions
from runtime.verify.ports import precision_of
from runtime.verify.samples_apart import keeps_samples_apart
from runtime.verify.segments import Tensors
from runtime.verify.tolerance import Tolerance, gap, tolerance

FURTHER = 45  # between the sizes of the first run and those of the second
BATCH = 2
SMALL = 2**27  # numbers in all tensors of a sample, up to which two samples are run
QUICK = 2**30  # multiplications for a sample, up to which two are run in any case
LARGEST_TENSOR = 2**27  # numbers
MOST_NUMBERS = 2**31  # in all tensors together
MOST_MACS = 10**12


class UnprovedError(Exception):
    """The import and the original cannot be run side by side; the text says why."""


@dataclass(frozen=True)
class Proof:
    """What came out: how many tensors were held against the original's, in how many runs.

    `relative` is the largest difference as a share of its tensor's largest magnitude; `failed` is
    the comparison that ends at the first layer that differs.
    """

    tensors: int
    runs: int
    relative: float
    failed: Comparison | None = None


def prove(imported: Imported, defined: Defined, model: onnx.ModelProto) -> Proof:
    """Hold a definition against the model that it was made of; raises `UnprovedError`."""
    graph = defined.graph
    tensors = tensors_of(imported, defined, model)
    allow = tolerance("cpu", precision_of(model), layers=len(graph))
    largest, runs = 0.0, 0
    for sizes in sizes_of_runs(graph):
        try:
            batch = affordable_batch(graph, model, sizes)
            feeds = feeds_for(graph, model, batch=batch, sizes=sizes)
            relative = largest_difference(graph, model, feeds, tensors, allow)
            if relative is None:
                found = compare_imported(imported, model, VerifyOptions(bisect=True), feeds)
                if not found.ok:
                    return Proof(len(tensors), runs, largest, found)
                relative = found.relative
        except CallError as error:
            raise UnprovedError(str(error)) from None
        largest, runs = max(largest, relative), runs + 1
    return Proof(len(tensors), runs, largest)


def tensors_of(
    imported: Imported, defined: Defined, model: onnx.ModelProto
) -> list[tuple[str, str]]:
    """Each layer of the definition with the original's tensor that it makes, the outputs last."""
    graph, kept = defined.graph, kept_tensors(imported, model)
    pairs = [
        (node.name, kept[original])
        for node in graph.nodes()
        if not isinstance(node.op, Input)
        and (original := defined.originals.get(node.name)) in kept
        and original is not None
    ]
    outputs = outputs_by_name(imported.graph, model)
    pairs += [(graph.outputs[ours], theirs) for ours, theirs in outputs.items()]
    return list(dict.fromkeys(pairs))


def sizes_of_runs(graph: Graph) -> Iterator[dict[str, int]]:
    """The sizes of the symbols in each run: none, or two that are apart where two are found."""
    first = sizes_for(graph)
    yield first
    if first:
        second = sizes_for(graph, max(first.values()) + FURTHER)
        if second != first:
            yield second


def affordable_batch(graph: Graph, model: onnx.ModelProto, sizes: Mapping[str, int]) -> int:
    """How many samples are run: those that the model fixes, else two, or one where they are large.

    What the model makes of one sample must not depend on the other, which two show. One is enough
    where no operator of it could mix them, since no layer of a definition can.

    Raises `UnprovedError` for a network that would take too long or too much.
    """

    counts = [prod(evaluate(size, sizes) for size in node.shape) for node in graph.nodes()]
    costs = (node.op.macs(graph.input_shapes(node), node.shape) for node in graph.nodes())
    macs = sum(evaluate(cost, sizes) for cost in costs)
    apart = macs > QUICK and keeps_samples_apart(model)
    batch = fixed_batch(model) or (BATCH if sum(counts) <= SMALL and not apart else 1)
    macs *= batch
    most, total = batch * max(counts), batch * sum(counts)
    if most > LARGEST_TENSOR or total > MOST_NUMBERS:
        raise UnprovedError(f"its tensors have up to {most:,} numbers, {total:,} in all")
    if macs > MOST_MACS:
        raise UnprovedError(f"it takes {macs:,} multiplications")
    return batch


def largest_difference(
    graph: Graph,
    model: onnx.ModelProto,
    feeds: Feeds,
    pairs: list[tuple[str, str]],
    allow: Tolerance,
) -> float | None:
    """The largest relative difference of two runs in ONNX Runtime, None if one is too large."""
    names = tensor_names(graph)
    settings = Settings(exact=True, optimise=False, spin=False)
    theirs = Tensors(model, feeds.theirs, {tensor for _, tensor in pairs}, "cpu", settings)
    compiled, weights = referring(*lower_apart(graph, expose=True))
    settings = replace(settings, weights=weights)
    ours = Tensors(compiled, feeds.ours, {names[name] for name, _ in pairs}, "cpu", settings)
    outputs = set(graph.outputs.values())
    largest, heard = 0.0, False
    names_left = Counter(name for name, _ in pairs)
    tensors_left = Counter(tensor for _, tensor in pairs)
    for name, tensor in pairs:
        names_left[name] -= 1
        tensors_left[tensor] -= 1
        value = theirs.take(tensor, keep=tensors_left[tensor] > 0)
        value = value if name in outputs else as_samples(value, graph[name].shape)
        made = ours.take(names[name], keep=names_left[name] > 0)
        relative = difference(made, value, allow)
        if relative is None:
            return None
        largest = max(largest, relative)
        heard = heard or (name in outputs and bool(np.isfinite(value).any()))
    if not heard:
        raise UnprovedError("all numbers that it gives for random inputs are infinite or NaN")
    return largest


def difference(ours: NDArray[Any], theirs: NDArray[Any], allow: Tolerance) -> float | None:
    """How far two tensors are apart, relative to the largest magnitude; None beyond `allow`."""
    if ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float32 and ours.size:
        scale = max(float(theirs.max()), -float(theirs.min()))
        with np.errstate(invalid="ignore"):  # infinite on both sides
            error = float(np.abs(ours - theirs).max())
        if error <= allow.absolute * scale:  # never where a number is NaN
            return error / scale if scale else 0.0
    found = gap(ours, theirs, allow)
    return found.relative if found.share <= 1 else None
