"""How far a model of lower precision is from another one, over many samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from runtime.session import OnnxSession

Feeds = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Deviation:
    """One tensor over all samples: the power of the signal and of the difference, in sums.

    `agreeing` of `samples` have their largest value at the same place; both are 0 for tensors that
    are no vectors of classes.
    """

    signal: float = 0.0
    noise: float = 0.0
    agreeing: int = 0
    samples: int = 0

    @property
    def relative(self) -> float:
        """The root mean square of the difference over that of the signal."""
        if not self.signal:
            return math.inf if self.noise else 0.0
        return math.sqrt(self.noise / self.signal)

    @property
    def snr(self) -> float:
        """The signal-to-noise ratio in decibels."""
        if not self.relative:
            return math.inf
        return -20 * math.log10(self.relative)

    @property
    def top1(self) -> float | None:
        """The share of samples with the same largest class."""
        return self.agreeing / self.samples if self.samples else None

    def __add__(self, other: Deviation) -> Deviation:
        return Deviation(
            self.signal + other.signal,
            self.noise + other.noise,
            self.agreeing + other.agreeing,
            self.samples + other.samples,
        )


def measure(reference: NDArray[Any], other: NDArray[Any]) -> Deviation:
    """One batch of one tensor, [N, …]."""
    wanted, got = reference.astype(np.float64), other.astype(np.float64)
    agreeing = samples = 0
    if wanted.ndim == 2 and wanted.shape[1] > 1:
        samples = len(wanted)
        agreeing = int((wanted.argmax(axis=1) == got.argmax(axis=1)).sum())
    difference = got - wanted
    return Deviation(float((wanted**2).sum()), float((difference**2).sum()), agreeing, samples)


def compare_sessions(
    reference: OnnxSession, other: OnnxSession, batches: Iterable[Feeds], pairs: Mapping[str, str]
) -> dict[str, Deviation]:
    """Run both on the same data; `pairs` names tensors of the first with those of the second."""
    found = dict.fromkeys(pairs, Deviation())
    for feeds in batches:
        wanted, got = reference.run(feeds), other.run(feeds)
        for name, counterpart in pairs.items():
            found[name] += measure(wanted[name], got[counterpart])
    return found


def exposing(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """A copy of a model that has these tensors among its outputs."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    present = {info.name for info in shown.graph.output}
    shown.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in present)
    return shown
