"""What is worth a word before a run begins: data and settings that are valid and hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compiler.training.doubts import beyond
from compiler.training.model import Data, TrainingPlan
from runtime.training.samples import ArraySource, ClassSource, Samples, SampleSource

LARGEST_PIXEL = 4.0  # of a picture that is scaled, or of mean 0 and deviation 1
MOST_READ = 1000  # samples whose numbers are looked at
MOST_NAMED = 8  # classes that a note names


def notes_of(
    training: TrainingPlan, samples: Samples | None, turns: int, rate_given: bool = False
) -> Iterator[str]:
    """Notes on a run of so many turns; its text was checked, a rate that was given was not."""
    if samples is not None:
        yield from few_samples(training, samples)
        for data in training.data:
            yield from of_part(data, samples.sources[data.name], samples)
    updates = [update for step in training.steps for update in step.updates]
    if rate_given:
        yield from dict.fromkeys(filter(None, (beyond(update.optimiser) for update in updates)))
    yield from slow_averages(training, turns)


def few_samples(training: TrainingPlan, samples: Samples) -> Iterator[str]:
    """Every batch has a sample several times."""
    count = len(samples)
    if count < training.batch:
        many = f"{count:,} sample{'s' if count != 1 else ''} to train on"
        yield (
            f"{samples.name} has {many}, fewer than a batch of {training.batch:,}: "
            "every batch has some of them several times"
        )


def of_part(data: Data, source: SampleSource, samples: Samples) -> Iterator[str]:
    """Numbers of pictures that are no 0 to 1, classes that never occur."""
    where = f"{samples.name}: {data.name}"
    if isinstance(source, ArraySource) and len(data.shape) == 3 and not source.scaled:
        numbers = source.array[samples.rows[:MOST_READ]]
        largest = float(np.abs(numbers).max())
        if largest > LARGEST_PIXEL and numbers.min() >= 0:
            yield (
                f"{where} has numbers up to {largest:g}, taken as they are: only bytes (uint8) "
                "become 0 to 1"
            )
    if isinstance(source, ClassSource) and data.classes is not None:
        counts = np.bincount(source.array[samples.rows].astype(np.int64), minlength=data.classes)
        missing = np.flatnonzero(counts == 0)
        if len(missing):
            shown = ", ".join(map(str, missing[:MOST_NAMED])) + "…" * (len(missing) > MOST_NAMED)
            yield f"{where} lacks {len(missing):,} of {data.classes:,} classes: {shown}"


def slow_averages(training: TrainingPlan, turns: int) -> Iterator[str]:
    """Moving averages that are still about where they began when the run ends."""
    for index, step in enumerate(training.steps):
        count = turns * training.order.count(index)
        for update in step.updates:
            average = update.optimiser.average
            if average is not None and average**count > 0.5:
                yield (
                    f"average={average:g} lasts about {1 / (1 - average):,.0f} steps, and there "
                    f"are {count:,}: what is measured and written is mostly where it began"
                )
