"""Requests that wait for the model run together: what came while it was busy is its next batch.

No request waits for others while the model is free, unless a delay is asked for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from runtime.batches import Arrays, Run
from runtime.errors import CallError

Key: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]


class FullError(CallError):
    """As many requests wait as may."""


@dataclass(frozen=True)
class Waiting:
    """A part of a request that waits: at most a batch of samples, and where its outputs go."""

    feeds: Arrays
    done: asyncio.Future[Arrays]

    @property
    def count(self) -> int:
        """How many samples."""
        return len(next(iter(self.feeds.values())))

    @property
    def key(self) -> Key:
        """What samples must have in common to run together: the sizes of all inputs."""
        return tuple((name, array.shape[1:]) for name, array in self.feeds.items())


class Batcher:
    """One model, run for one batch at a time in a thread of its own.

    `largest` is the most samples of a batch, `most_waiting` the most requests in the queue, `delay`
    how many seconds a batch that is not full waits for more. `ran` is told the size of each batch
    and its seconds.
    """

    def __init__(
        self,
        run: Run,
        largest: int = 8,
        most_waiting: int = 256,
        delay: float = 0.0,
        ran: Callable[[int, float], None] = lambda count, seconds: None,
    ) -> None:
        self._run = run
        self._largest = largest
        self._most_waiting = most_waiting
        self._delay = delay
        self._ran = ran
        self._queue: deque[Waiting] = deque()
        self._came = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many parts of requests are in the queue."""
        return len(self._queue)

    async def infer(self, feeds: Arrays) -> Arrays:
        """The outputs of one request; raises `FullError`, or what the model raises for it."""
        if len(self._queue) >= self._most_waiting:
            raise FullError(f"{self._most_waiting:,} requests wait already: try again later")
        loop = asyncio.get_running_loop()
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        parts = [Waiting(part, loop.create_future()) for part in in_parts(feeds, self._largest)]
        self._queue.extend(parts)
        self._came.set()
        outcomes = await asyncio.gather(*(part.done for part in parts), return_exceptions=True)
        outputs: list[Arrays] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            outputs.append(outcome)
        return outputs[0] if len(outputs) == 1 else joined(outputs)

    async def close(self) -> None:
        """Run what waits, then stop."""
        while self._queue or self._came.is_set():
            await asyncio.sleep(0.005)
        if self._worker is not None:
            self._worker.cancel()
        self._thread.shutdown(wait=True)

    async def _work(self) -> None:
        """Run batch after batch as long as there is one."""
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            if self._delay and self._samples_alike() < self._largest:
                await asyncio.sleep(self._delay)
            batch = self._take()
            if batch:
                await self._run_batch(loop, batch)
            if not self._queue:
                self._came.clear()

    def _samples_alike(self) -> int:
        """How many samples wait that could run with the first."""
        return sum(part.count for part in self._queue if part.key == self._queue[0].key)

    def _take(self) -> list[Waiting]:
        """The next batch: the first part, and those behind it that fit to it; the rest stays.

        A caller who has gone away is no longer waited for.
        """
        taken: list[Waiting] = []
        rest: deque[Waiting] = deque()
        room = self._largest
        for part in self._queue:
            if part.done.cancelled():
                continue
            if part.count <= room and (not taken or part.key == taken[0].key):
                taken.append(part)
                room -= part.count
            else:
                rest.append(part)
        self._queue = rest
        return taken

    async def _run_batch(self, loop: asyncio.AbstractEventLoop, batch: list[Waiting]) -> None:
        """Run a batch; one that fails is run part by part, so that only the guilty one fails."""
        started = loop.time()
        try:
            outputs = await loop.run_in_executor(self._thread, self._outputs, batch)
        except Exception as error:  # whatever the model raises belongs to whoever asked
            if len(batch) > 1:
                for part in batch:
                    await self._run_batch(loop, [part])
            elif not batch[0].done.done():
                batch[0].done.set_exception(error)
            return
        self._ran(sum(part.count for part in batch), loop.time() - started)
        for part, own in zip(batch, outputs, strict=True):
            if not part.done.done():
                part.done.set_result(own)

    def _outputs(self, batch: list[Waiting]) -> list[Arrays]:
        """The outputs of each part of a batch."""
        if len(batch) == 1:
            return [self._run(batch[0].feeds)]
        whole = self._run(joined([part.feeds for part in batch]))
        found, start = [], 0
        for part in batch:
            end = start + part.count
            found.append({name: value[start:end] for name, value in whole.items()})
            start = end
        return found


def in_parts(feeds: Arrays, largest: int) -> list[Arrays]:
    """Samples in parts of at most so many."""
    count = len(next(iter(feeds.values())))
    return [
        {name: array[start : start + largest] for name, array in feeds.items()}
        for start in range(0, count, largest)
    ]


def joined(parts: list[Arrays]) -> Arrays:
    """Parts of the same sizes as one batch."""
    arrays: dict[str, Any] = {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}
    return arrays
