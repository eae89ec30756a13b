"""The batches of a run in order, prepared ahead by threads.

A run is a row of ticks: one for each step of each turn. What a tick is fed depends on the seed and
its number only. Samples come from an endless row of shuffles, one behind the other, so that every
batch is full and each sample has its turn before any has two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.training.layout import StepLayout
from compiler.training.model import TrainingPlan
from runtime.training.augment import augmented
from runtime.training.randomness import draw_mask, draw_noise, generator
from runtime.training.samples import Indices, Samples

AHEAD = 4  # ticks that are prepared while another runs
Feeds = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Order:
    """Which samples a draw has: shuffles of `count`, behind one another, cut into batches."""

    count: int
    batch: int
    seed: int

    def rows(self, draw: int) -> Indices:
        """The samples of one draw."""
        places = np.arange(draw * self.batch, (draw + 1) * self.batch)
        rounds = places // self.count
        found = np.empty(self.batch, dtype=np.int64)
        for each in np.unique(rounds):
            shuffled = generator(self.seed, "order", int(each)).permutation(self.count)
            found[rounds == each] = shuffled[places[rounds == each] % self.count]
        return found


@dataclass(frozen=True)
class Ticks:
    """What each tick is: of the steps of a turn, each as often as it accumulates.

    `applies` says which move the parameters; `draws` are how many of the ticks before it within the
    turn take data.
    """

    order: tuple[int, ...]
    applies: tuple[bool, ...]
    draws: tuple[int, ...]
    draws_a_turn: int

    def __len__(self) -> int:
        return len(self.order)


def ticks_of(training: TrainingPlan, layouts: tuple[StepLayout, ...]) -> Ticks:
    """The ticks of one turn."""
    data = {part.name for part in training.data}
    order: list[int] = []
    applies: list[bool] = []
    for step in training.order:
        most = layouts[step].accumulate
        order += [step] * most
        applies += [place == most - 1 for place in range(most)]
    draws, count = [], 0
    for step in order:
        draws.append(count)
        count += any(name in data for name in layouts[step].batch)
    return Ticks(tuple(order), tuple(applies), tuple(draws), count)


@dataclass(frozen=True)
class Feeder:
    """Makes what a tick is fed; `samples` are None where a training has only noise."""

    training: TrainingPlan
    layouts: tuple[StepLayout, ...]
    samples: Samples | None
    batch: int
    seed: int
    ticks: Ticks

    def feeds(self, tick: int) -> Feeds:
        """Data, noise and masks of a tick."""
        turn, place = divmod(tick, len(self.ticks))
        layout = self.layouts[self.ticks.order[place]]
        wanted = set(layout.batch)
        found: Feeds = {}
        if self.samples is not None and any(d.name in wanted for d in self.training.data):
            draw = turn * self.ticks.draws_a_turn + self.ticks.draws[place]
            rows = Order(len(self.samples), self.batch, self.seed).rows(draw)
            found |= augmented(self.training, self.samples.take(rows), self.seed, draw)
        for noise in self.training.noises:
            if noise.name in wanted:
                found[noise.name] = draw_noise(noise, self.seed, tick, self.batch)
        masks = self.masks(layout, tick)
        return {name: array for name, array in found.items() if name in wanted} | masks

    def masks(self, layout: StepLayout, tick: int) -> Feeds:
        """What each dropout multiplies by."""
        found = {}
        for name, mask in layout.masks.items():
            sizes = layout.graph[name].shape
            shape = (self.batch, *(int(size) for size in sizes if isinstance(size, int)))
            found[name] = draw_mask(name, shape, mask.p, self.seed, tick)
        return found

    def ahead(self, first: int, threads: int = 2) -> Iterator[Feeds]:
        """What the ticks from `first` on are fed, prepared in the background."""
        pool = ThreadPoolExecutor(threads, thread_name_prefix="batches")
        waiting: deque[Future[Feeds]] = deque()
        tick = first
        try:
            while True:
                while len(waiting) < AHEAD:
                    waiting.append(pool.submit(self.feeds, tick))
                    tick += 1
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def counted(feeds: Mapping[str, NDArray[Any]]) -> int:
    """How many samples are in a batch."""
    return len(next(iter(feeds.values())))
