"""Timing: models side by side in one run, warm, with median and spread."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from runtime.binding import BoundArrays
from runtime.describe import describe, fitted
from runtime.devices import Device
from runtime.errors import CallError, MachineError
from runtime.session import Model, OnnxSession, open_session
from runtime.settings import Settings

WARM_UP = 0.3  # seconds, and at least three runs
BLOCK = 0.02  # seconds that a block of runs takes at least
REST = 0.05  # seconds after which the threads of a library no longer wait spinning
LEAST_ROUNDS = 10
MOST_ROUNDS = 1000
Run = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Timing:
    """The times of one model at one batch size, in seconds, a round each."""

    batch: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle time."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between them lies half of all times."""
        return quartiles(self.seconds)

    @property
    def per_second(self) -> float:
        """Samples per second at the median."""
        return self.batch / self.median


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def ratios(ours: Timing, theirs: Timing) -> tuple[float, float, float]:
    """Our time over theirs, round by round: the median and the quartiles."""
    each = [a / b for a, b in zip(ours.seconds, theirs.seconds, strict=True)]
    return statistics.median(each), *quartiles(each)


def time_together(
    runs: Mapping[str, Run], batch: int, seconds: float = 3.0, clock: Clock = time.perf_counter
) -> dict[str, Timing]:
    """Time several runs in rounds, each in turn, the order turning from round to round.

    What disturbs the machine for a moment disturbs all of them. A round times a block of runs long
    enough for the clock, after a rest, in which the threads of the side before stop spinning on the
    cores, and a run that is not timed, which warms the caches. About `seconds` for each, after a
    warm-up, and at least ten rounds. With `clock=time.process_time` the time is that of this
    process's threads, whoever else is there.
    """
    blocks = {name: max(1, math.ceil(BLOCK / warm_up(run))) for name, run in runs.items()}
    names, times = list(runs), {name: list[float]() for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    for turn in range(MOST_ROUNDS):
        if turn >= LEAST_ROUNDS and time.perf_counter() > end:
            break
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            if len(names) > 1:
                time.sleep(REST)
                runs[name]()
            times[name].append(block_time(runs[name], blocks[name], clock))
    return {name: Timing(batch, tuple(values)) for name, values in times.items()}


def block_time(run: Run, count: int, clock: Clock = time.perf_counter) -> float:
    """The mean time of `count` runs in a row, in seconds."""
    start = clock()
    for _ in range(count):
        run()
    return (clock() - start) / count


def warm_up(run: Run) -> float:
    """Run until caches, clocks and lazily loaded kernels have settled; the time of the last run."""
    end = time.perf_counter() + WARM_UP
    last, count = math.inf, 0
    while count < 3 or time.perf_counter() < end:
        last = block_time(run, 1)
        count += 1
    return last


@dataclass(frozen=True)
class Ready:
    """A model opened, bound and ready to be timed at one batch size.

    `captured` says that its runs replay a CUDA graph.
    """

    session: OnnxSession
    bound: BoundArrays
    captured: bool = False

    @property
    def run(self) -> Run:
        """One run on the bound inputs."""
        return self.bound.run


def make_ready(
    model: Model, arrays: Sequence[NDArray[Any]], device: Device, settings: Settings
) -> Ready:
    """Open a model for exactly these inputs, on a GPU as a CUDA graph where that is possible.

    Raises `MachineError` when a convolution or pooling would run on the CPU beside the GPU.
    """
    described = describe(model)
    sizes = fitted(described.inputs, [array.shape for array in arrays])
    settings = replace(settings, sizes=sizes, dtype=described.precision, fixed=True, capture=False)
    feeds = dict(zip(described.inputs, arrays, strict=True))
    session = open_session(model, device, settings)
    refuse_mixed(session)
    place = session.device
    if place.startswith(("cuda", "tensorrt")) and on_one_provider(session):
        del session  # its weights would stay on the GPU beside those of the next one
        try:
            captured = open_session(model, place, replace(settings, capture=True))
            return Ready(captured, captured.bind(feeds), captured=True)
        except (MachineError, CallError):  # a kernel that synchronises cannot be captured
            session = open_session(model, place, settings)
    return Ready(session, session.bind(feeds))


def refuse_mixed(session: OnnxSession) -> None:
    """Raise `MachineError` when a window op of a GPU session fell to the CPU."""
    placed = session.placement()
    if session.device == "cpu" or placed is None or not placed.windows_on_cpu():
        return
    fallen = placed.windows_on_cpu()
    more = f" and {len(fallen) - 5} more" if len(fallen) > 5 else ""
    raise MachineError(
        f"no timing: {', '.join(fallen[:5])}{more} would run on the CPU, not on "
        f"{session.device} ({placed})",
        "another --dtype or --opset may have kernels there; or --device cpu",
    )


def on_one_provider(session: OnnxSession) -> bool:
    """Whether no node of a session runs outside its device."""
    placed = session.placement()
    return placed is not None and len(placed.nodes) == 1


def significant(value: float, digits: int = 3) -> str:
    """A positive number with so many significant digits, without an exponent."""
    if value <= 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(value)))
    return f"{value:,.{decimals}f}"
