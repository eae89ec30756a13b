"""A file of weights held against a network: everything that does not fit, said at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph
from compiler.ops.base import show_shape
from grammar.diagnostics import printable
from runtime.arrays import Stored
from runtime.weights import WeightsError
from runtime.weights.opening import FLOATS, open_weights
from runtime.weights.rename import RenameRule, WeightsFile, rename
from runtime.weights.suggest import Shape, nearest, suggest_rules
from runtime.weights.wanted import WantedArray, wanted_arrays

# Buffers of whole numbers that PyTorch keeps: a count of batches, with which nothing computes, and
# the places of Swin's learned differences, which follow from the size of its windows.
COUNTERS = ("num_batches_tracked", "relative_position_index")
USABLE = set(FLOATS.values())
MOST_PAIRS = 2_000_000  # of names that are held against each other, for a hint on each


@dataclass(frozen=True)
class Complaint:
    """One array that does not fit: `kind` is missing, surplus, misshapen or unusable.

    `nearest` is the name on the other side that may be meant.
    """

    kind: str
    name: str
    text: str
    nearest: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        return {"kind": self.kind, "name": self.name, "text": self.text, "nearest": self.nearest}


@dataclass(frozen=True)
class Fit:
    """What came out: the complaints in the network's order, and rules that would help.

    `folded` says that batch normalisation seems to be folded into the layers before it.
    """

    network: str
    arrays: int
    complaints: tuple[Complaint, ...]
    rules: tuple[str, ...] = ()
    folded: bool = False

    @property
    def ok(self) -> bool:
        """Whether the file gives the network all that it needs and nothing else."""
        return not self.complaints

    def report(self) -> str:
        """The whole of it in words."""
        if self.ok:
            return f"all {self.arrays} arrays of {self.network} are there, in their shapes"
        counts = dict.fromkeys(("missing", "surplus", "misshapen", "unusable"), 0)
        for complaint in self.complaints:
            counts[complaint.kind] += 1
        rendered = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        lines = [f"the weights do not fit {self.network}: {rendered}"]
        if not self.arrays:
            lines = [f"no layer of {self.network} has weights: leave out --weights ({rendered})"]
        for complaint in self.complaints:
            hint = f", nearest: {complaint.nearest}" if complaint.nearest else ""
            lines.append(f"  {complaint.kind:9}  {complaint.text}{hint}")
        if self.folded:
            lines.append(
                "  help: batch normalisation is folded into the layers before it in this file; "
                "export it without (netc compile --no-optimize; torch.onnx.export with "
                "dynamo=True, optimize=False)"
            )
        if self.rules:
            options = " ".join(f"--rename {shown(rule)}" for rule in self.rules)
            lines.append(f"  help: {options}")
        return "\n".join(map(printable, lines))

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        return {
            "net": self.network,
            "ok": self.ok,
            "complaints": [complaint.as_dict() for complaint in self.complaints],
            "renames": list(self.rules),
        }


def shown(rule: str) -> str:
    """A rule as a shell takes it."""
    return f'"{rule}"' if '"' not in rule and "$" not in rule and "`" not in rule else f"'{rule}'"


def stored_arrays(arrays: Mapping[str, Any]) -> dict[str, Stored]:
    """Arrays in memory, in the form of those in a file."""
    found = {}
    for name, given in arrays.items():
        if not isinstance(name, str):
            raise WeightsError(f"arrays are given by their names, and {name} is none")
        try:
            array = np.asarray(given)
        except (ValueError, TypeError) as error:
            raise WeightsError(f"{name} is no array: {error}") from None
        found[name] = Stored(array.shape, array.dtype.name, partial(np.asarray, array))
    return found


def open_renamed(source: WeightsFile | Mapping[str, Any]) -> dict[str, Stored]:
    """The arrays of a file (or mapping) under their new names, PyTorch's counters left out."""
    if not isinstance(source, WeightsFile):
        return without_counters(stored_arrays(source))
    return renamed(without_counters(open_weights(source.path)), source.rules)


def without_counters(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """The arrays without PyTorch's counters and places."""
    return {n: s for n, s in stored.items() if n.rpartition(".")[2] not in COUNTERS}


def renamed(stored: Mapping[str, Stored], rules: Sequence[RenameRule]) -> dict[str, Stored]:
    """The arrays under the names that the rules give them."""
    return {new: stored[old] for new, old in rename(stored, rules).items()}


def compare_weights(graph: Graph, stored: Mapping[str, Stored]) -> Fit:
    """Hold the arrays of a file against what a network needs, by names and shapes alone.

    Sizes of 1 are ignored.
    """
    needed = wanted_arrays(graph)
    missing = [w for w in needed.values() if w.name not in stored and w.kind != "fixed"]
    surplus: dict[str, Shape] = {n: s.shape for n, s in stored.items() if n not in needed}
    lacking: dict[str, Shape] = {w.name: w.shape for w in missing}
    alike = len(lacking) * len(surplus) <= MOST_PAIRS
    theirs, ours = (bare(surplus), bare(lacking)) if alike else ({}, {})
    complaints = [
        Complaint(
            "missing",
            w.name,
            f"{w.name} {show_shape(w.shape)}",
            nearest(w.name, without_ones(w.shape), theirs),
        )
        for w in missing
    ]
    complaints += [
        Complaint(
            "surplus",
            name,
            f"{name} {show_shape(shape)}",
            nearest(name, without_ones(shape), ours),
        )
        for name, shape in surplus.items()
    ]
    complaints += [
        complaint
        for name, w in needed.items()
        if name in stored and (complaint := misfit(w, stored[name]))
    ]
    folded = is_folded(missing, surplus)
    shapes = {name: s.shape for name, s in stored.items()}
    rules: tuple[str, ...] = ()
    if alike and not folded:
        wanted = {w.name: w.shape for w in needed.values()}
        rules = suggest_rules(bare(wanted), bare(shapes), bare(lacking))
    return Fit(graph.name, len(needed), tuple(complaints), rules, folded)


def is_folded(missing: Sequence[WantedArray], surplus: Mapping[str, Shape]) -> bool:
    """Whether whole normalisations are missing, and at most a bias is there instead of each.

    Exporters name that bias as they like; it is a vector.
    """
    norms = sum(w.name.endswith(".running_mean") for w in missing)
    biases = len(surplus) <= norms and all(len(shape) == 1 for shape in surplus.values())
    return norms > 0 and biases and all(w.op == "bn" for w in missing)


def without_ones(shape: Shape) -> Shape:
    """A shape without its sizes of 1, which change neither the numbers nor their order.

    A class token is [1, 1, C] to a PyTorch that writes the batch and [1, C] here; a dense layer
    [K, C] and a 1x1 convolution [K, C, 1, 1] hold the same.
    """
    return tuple(size for size in shape if size != 1)


def bare(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Shapes by name, without their sizes of 1."""
    return {name: without_ones(shape) for name, shape in shapes.items()}


def misfit(wanted: WantedArray, stored: Stored) -> Complaint | None:
    """What is wrong with an array whose name is right."""
    if without_ones(stored.shape) != without_ones(wanted.shape):
        return Complaint(
            "misshapen",
            wanted.name,
            f"{wanted.name} is {show_shape(stored.shape)}, the network needs "
            f"{show_shape(wanted.shape)}",
        )
    if stored.dtype not in USABLE:
        return Complaint(
            "unusable",
            wanted.name,
            f"{wanted.name} is {stored.dtype}; weights are {', '.join(sorted(USABLE))}",
        )
    return None


def apply_weights(graph: Graph, source: WeightsFile | Mapping[str, Any]) -> Graph:
    """The graph with the parameters of a file (or of a mapping of names to arrays), as float32.

    Strict: raises `WeightsError` with every name that is missing, surplus or misshapen, before
    any array is read.
    """
    stored = open_renamed(source)
    fit = compare_weights(graph, stored)
    if not fit.ok:
        raise WeightsError(fit.report())
    values = {}
    for name, wanted in wanted_arrays(graph).items():
        if name in stored:
            values[name] = as_float32(name, stored[name].read()).reshape(wanted.shape)
        if wanted.kind == "fixed" and name in values:
            check_fixed(graph, name, values[name])
    return graph.with_values({**graph.values, **values})


def as_float32(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    """The array in float32; raises `WeightsError` when a number becomes infinite on the way."""
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape)
    if array.dtype.itemsize > 4 and bool((np.isinf(converted) & np.isfinite(array)).any()):
        raise WeightsError(f"{name} holds numbers that float32 cannot, the largest is 3.4e38")
    return converted


def check_fixed(graph: Graph, name: str, array: NDArray[np.float32]) -> None:
    """Raise `WeightsError` when a file holds other numbers than the definition fixes."""
    weight = graph.parameters()[name]
    fixed = np.asarray(weight.values, dtype=np.float32).reshape(weight.shape)
    if not np.array_equal(array, fixed):
        raise WeightsError(
            f"{name} is fixed by the definition, and the file holds other numbers; leave it out "
            f'with --rename "{name}=", or take weight= out of the definition'
        )
