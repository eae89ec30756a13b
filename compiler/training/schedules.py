"""Schedules: the rate as a function of how many epochs are done (a fraction within one).

steps(0.1, at=[82, 123], by=0.1)     times `by` at each of these epochs
cosine(0.1, to=0)                    down to `to` along half a cosine, over all epochs
exponential(0.1, by=0.95)            times `by` each epoch
warmup(0.1, epochs=5)                up from 0 in a line first; also of another schedule
plateau(0.1, by=0.1, patience=10)    times `by` when the first report (or the loss) has not
                                     become better for so many epochs
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from compiler.ops.arguments import POSITIVE, Kind, Named, arg, number, whole
from grammar.records import dataclass


def _not_negative(value: Any) -> float:
    if number(value) < 0:
        raise ValueError
    return float(value)


def _epochs(value: Any) -> tuple[float, ...]:
    found = tuple(_not_negative(v) for v in (value if isinstance(value, list | tuple) else [value]))
    if not found or list(found) != sorted(set(found)):
        raise ValueError
    return found


NOT_NEGATIVE = Kind("a number of at least 0", _not_negative)
EPOCHS = Kind("a list of epochs, rising", _epochs)


@dataclass(frozen=True)
class Schedule(Named):
    """The base of all schedules."""

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        """The rate when `epoch` of `epochs` are done.

        `history` has what was measured after each epoch, the smaller the better.
        """
        raise NotImplementedError


def rate_at(
    rate: float | Schedule, epoch: float, epochs: int, history: Sequence[float] = ()
) -> float:
    """A rate, constant or scheduled, when `epoch` of `epochs` are done."""
    return rate.value(epoch, epochs, history) if isinstance(rate, Schedule) else rate


@dataclass(frozen=True)
class Steps(Schedule, name="steps"):
    """Times `by` at each epoch of `at`."""

    rate: float = arg(POSITIVE, doc="the rate at first")
    at: tuple[float, ...] = arg(EPOCHS, doc="the epochs at which it changes")
    by: float = arg(POSITIVE, 0.1, "what it is multiplied by")

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        changes = sum(epoch >= change for change in self.at)
        return float(self.rate * self.by**changes)


@dataclass(frozen=True)
class Cosine(Schedule, name="cosine"):
    """Loshchilov and Hutter, 2017, equation 5, without restarts."""

    rate: float = arg(POSITIVE, doc="the rate at first")
    to: float = arg(NOT_NEGATIVE, 0.0, "the rate at the end")

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        done = min(1.0, epoch / epochs)
        return self.to + (self.rate - self.to) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class ExponentialDecay(Schedule, name="exponential"):
    """Times `by` each epoch, smoothly."""

    rate: float = arg(POSITIVE, doc="the rate at first")
    by: float = arg(POSITIVE, doc="what it is multiplied by in an epoch")

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        return float(self.rate * self.by**epoch)


@dataclass(frozen=True)
class Plateau(Schedule, name="plateau"):
    """Times `by` when nothing has become better for `patience` epochs; then it waits anew."""

    rate: float = arg(POSITIVE, doc="the rate at first")
    by: float = arg(POSITIVE, 0.1, "what it is multiplied by")
    patience: int = arg(whole(1), 10, "epochs to wait for something better")

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        rate, best, waited = self.rate, math.inf, 0
        for measured in history:
            waited = 0 if measured < best else waited + 1
            best = min(best, measured)
            if waited == self.patience:
                rate, waited = rate * self.by, 0
        return rate


def _rate(value: Any) -> float | Schedule:
    if isinstance(value, Schedule):
        return value
    if number(value) <= 0:
        raise ValueError
    return float(value)


RATE = Kind("a number above 0 or a schedule such as cosine(0.1)", _rate)


@dataclass(frozen=True)
class Warmup(Schedule, name="warmup"):
    """A line up from 0 over the first `epochs`, times the rate that would be without it."""

    rate: float | Schedule = arg(RATE, doc="the rate afterwards")
    epochs: float = arg(POSITIVE, 5.0, "how many epochs it takes")

    def value(self, epoch: float, epochs: int, history: Sequence[float] = ()) -> float:
        return rate_at(self.rate, epoch, epochs, history) * min(1.0, epoch / self.epochs)


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.name: schedule for schedule in (Steps, Cosine, ExponentialDecay, Plateau, Warmup)
}
