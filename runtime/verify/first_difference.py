"""The first layer at which two computations part: where it stands, and whose fault it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from compiler.graph import Node
from grammar.diagnostics import CallStep, Diagnostic
from grammar.source import Span
from runtime.verify.tolerance import ONE_SIDED, Gap, widest

CODE = "V101"


@dataclass(frozen=True)
class Place:
    """Where a tensor is made: the layer and its op, the tensors it takes, its text, the calls."""

    name: str
    op: str
    inputs: tuple[str, ...]
    span: Span
    call_stack: tuple[CallStep, ...] = ()

    @classmethod
    def of(cls, node: Node) -> Place:
        """The place of a layer."""
        return cls(node.name, node.op.name, node.inputs, node.span, node.call_stack)


@dataclass(frozen=True)
class Taken:
    """A tensor that a layer takes, batch first, and how far the two have it apart.

    `gap` is None for a tensor that was not compared.
    """

    name: str
    shape: tuple[int, ...]
    gap: Gap | None


@dataclass(frozen=True)
class FirstDifference:
    """The first tensor beyond its tolerance.

    `index` is where the difference is largest, `ours` and `reference` are the values there; all
    three are None when the shapes differ. `alone` is the gap when both compute this layer from the
    same inputs: a share up to 1 says that the layer only passes on what its inputs bring.
    """

    place: Place
    shape: tuple[int, ...]
    expected: tuple[int, ...]
    gap: Gap
    index: tuple[int, ...] | None
    ours: float | None
    reference: float | None
    inputs: tuple[Taken, ...]
    alone: Gap | None = None

    def diagnostic(self, ours: str, reference: str) -> Diagnostic:
        """The report as a diagnostic; the two are called `ours` and `reference`."""
        notes = [f"shape: {list(self.shape)}, batch first"]
        if self.index is None:
            notes = [f"shape: {list(self.shape)} from {ours}, {list(self.expected)} expected"]
        else:
            notes.append(
                f"largest difference at {list(self.index)}: {self.ours:.9g} from {ours}, "
                f"{self.reference:.9g} from {reference}"
            )
        for taken in self.inputs:
            rendered = f"input {taken.name}, {list(taken.shape)}: "
            notes.append(rendered + ("not compared" if taken.gap is None else str(taken.gap)))
        if self.alone is not None:
            notes.append(f"computed from the same inputs by both: {self.alone}")
        headline = f"{self.place.op} {self.place.name} differs"
        if math.isfinite(self.gap.error):
            headline += f" by {self.gap.share:.3g} times its tolerance"
        return Diagnostic.of(
            CODE,
            headline,
            self.place.span,
            label=self.label(),
            notes=tuple(notes),
            help=self.verdict(),
            call_stack=self.place.call_stack,
        )

    def label(self) -> str:
        """How far the two are apart, in words."""
        if self.index is None:
            return "the shapes differ"
        if math.isinf(self.gap.error):
            return ONE_SIDED
        return f"off by {self.gap.error:.3g}, {self.gap.relative:.2g} of the largest value"

    @property
    def overflows(self) -> bool:
        """Whether a number of the reference came out infinite."""
        if self.ours is None or self.reference is None:
            return False
        return math.isinf(self.ours) and math.isfinite(self.reference)

    def verdict(self) -> str | None:
        """Whether the layer or its inputs are at fault, where that is known."""
        if self.overflows:
            return "the number is beyond its precision: float16 ends at 65,504, bf16 where f32 does"
        if self.alone is None:
            return None
        if self.alone.share > 1:
            return "the layer itself is computed differently"
        return "the layer is computed alike: small differences of its inputs add up"

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        span, (end_line, end_column) = self.place.span, self.place.span.last
        return {
            "layer": self.place.name,
            "op": self.place.op,
            "file": span.source.name,
            "line": span.line,
            "column": span.column,
            "end_line": end_line,
            "end_column": end_column,
            "trail": [
                {"block": s.block, "call": str(s), "file": s.span.source.name, "line": s.span.line}
                for s in self.place.call_stack
            ],
            "shape": list(self.shape),
            "expected_shape": list(self.expected),
            **plain(self.gap),
            "index": None if self.index is None else list(self.index),
            "value": self.ours,
            "reference": self.reference,
            "inputs": [
                {"name": t.name, "shape": list(t.shape), **(plain(t.gap) if t.gap else {})}
                for t in self.inputs
            ],
            "alone": None if self.alone is None else plain(self.alone),
            "verdict": self.verdict(),
        }


def plain(found: Gap) -> dict[str, float]:
    """A gap in JSON."""
    return {"error": found.error, "relative": found.relative, "share": found.share}


def first_difference(
    place: Place,
    ours: NDArray[Any],
    reference: NDArray[Any],
    found: Gap,
    inputs: Sequence[Taken],
    alone: Gap | None = None,
) -> FirstDifference:
    """The report on a tensor that differs."""
    index = widest(ours, reference)
    return FirstDifference(
        place,
        ours.shape,
        reference.shape,
        found,
        index,
        None if index is None else float(ours[index]),
        None if index is None else float(reference[index]),
        tuple(inputs),
        alone,
    )


def taken(place: Place, arrays: Mapping[str, NDArray[Any]], gaps: Mapping[str, Gap]) -> list[Taken]:
    """What a layer takes, each tensor once, where it is known."""
    names = [name for name in dict.fromkeys(place.inputs) if name in arrays]
    return [Taken(name, arrays[name].shape, gaps.get(name)) for name in names]
