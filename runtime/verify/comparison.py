"""What a comparison of two computations found."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from runtime.verify.first_difference import FirstDifference
from runtime.verify.tolerance import Gap, Tolerance


@dataclass(frozen=True)
class Difference:
    """A tensor on which the two disagree: its layer, its source line, the largest difference.

    `stage` is "layers" for the plain model, "optimised" for the one after the passes, "outputs"
    for what two models give. `shapes` are both, where they are not the same.
    """

    node: str
    line: int
    error: float
    stage: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def __str__(self) -> str:
        found = f"{self.error:.3g}"
        if self.shapes is not None:
            found = "shape {}, but {} is right".format(*map(list, self.shapes))
        elif math.isinf(self.error):
            found = "no number on one side"
        return f"{self.node}, line {self.line}: {found} ({self.stage})"


@dataclass(frozen=True)
class Comparison:
    """What came out: the largest relative difference, and `worst`, the largest share of its
    tolerance that a difference took, each with its layer. Above 1 it is a failure, but for the
    `drifted` layers, which only pass on what the roundings of those before them add up to.

    Layers of whose numbers none is one, on both sides, are `nan`: that they are alike proves
    nothing. `first_difference` is the first layer that differs, where a bisection looked for it;
    `reference` and `subject` say what was compared.
    """

    nodes: int
    relative: float
    relative_node: str
    worst: float
    worst_node: str
    failures: tuple[Difference, ...]
    drifted: int = 0
    nan: tuple[str, ...] = ()
    first_difference: FirstDifference | None = None
    reference: str = "NumPy"
    subject: str = "ONNX Runtime"
    unit: str = "layer"

    @property
    def ok(self) -> bool:
        """Whether all tensors agree, and have numbers that can."""
        return not self.failures and not self.nan

    def sentence(self, device: str) -> str:
        """The result in words; the first failure on a line of its own."""
        rendered = f"{self.reference} and {self.subject} ({device}) "
        if self.nan and not self.failures:
            rendered += f"are NOT compared everywhere, of {count(self.nodes, self.unit)}"
        else:
            rendered += (
                f"{'DIFFER' if self.failures else 'agree'} at {count(self.nodes, self.unit)}"
            )
        if math.isfinite(self.relative):
            rendered += (
                f", largest relative difference {self.relative:.1e} at {self.relative_node}, "
                f"{self.worst:.1%} of the tolerance at {self.worst_node}"
            )
        if self.nan:
            more = len(self.nan) - 1
            rendered += f"\n  every number of {self.nan[0]} is NaN"
            rendered += f", and so it is at {count(more, self.unit)} behind it" if more else ""
            rendered += ": NaN agrees with NaN, which proves nothing"
        if self.drifted:
            rendered += (
                f"\n  roundings add up to more than the tolerance at {self.drifted} of them, "
            )
            rendered += "by no more than rounding is worth there"
        for first in self.failures[:1]:
            rendered += f"\n  first difference: {first}"
        return rendered

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found["failures"] = [asdict(failure) for failure in self.failures]
        first = found.pop("first_difference")
        found["culprit"] = None if first is None else first.as_dict()
        return {"ok": self.ok} | found


@dataclass
class Ledger:
    """The comparisons so far."""

    allow: Tolerance
    gaps: dict[str, Gap] = field(default_factory=dict)
    failures: list[Difference] = field(default_factory=list)
    drifted: set[str] = field(default_factory=set)
    nan: list[str] = field(default_factory=list)

    def note(self, name: str, line: int, stage: str, found: Gap, alone: Gap | None = None) -> bool:
        """Write a comparison down; whether the two agree.

        `alone` is the gap without what the inputs bring: of the layer by itself, computed from the
        same inputs, or of an output with the roundings of all before it allowed for. Behind a
        layer that truly differs nothing is excused.
        """
        known = f"{name} after optimisation" if stage == "optimised" else name
        self.gaps[known] = found
        if found.share <= 1:
            return True
        if alone is not None and alone.share <= 1 and not self.failures:
            self.drifted.add(known)
            return True
        self.failures.append(Difference(name, line, found.error, stage, found.shapes))
        return False

    def close(self, nodes: int, first: FirstDifference | None = None, **sides: str) -> Comparison:
        """What came out; `sides` are `reference` and `subject`."""
        relative_node = max(self.gaps, key=lambda name: self.gaps[name].relative)
        worst_node = max(self.gaps, key=lambda name: self.gaps[name].share)
        return Comparison(
            nodes,
            self.gaps[relative_node].relative,
            relative_node,
            self.gaps[worst_node].share,
            worst_node,
            tuple(self.failures),
            len(self.drifted),
            tuple(self.nan),
            first,
            **sides,
        )


def count(number: int, unit: str) -> str:
    """A number of things: `1 layer`, `2 layers`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
