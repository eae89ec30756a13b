"""Requests that run together: what each gets, and what happens to the others when one fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from runtime.batches import Arrays
from runtime.errors import CallError
from runtime.serving.batching import Batcher, FullError


class Model:
    """Doubles its input, refuses negative numbers, and notes its batches; `gate` holds it back."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.gate = threading.Event()
        self.gate.set()

    def run(self, feeds: Arrays) -> Arrays:
        assert self.gate.wait(10)
        self.batches.append(feeds["x"][:, 0].tolist())
        if (feeds["x"] < 0).any():
            raise CallError("negative")
        return {"y": 2 * feeds["x"]}


def rows(*values: float, width: int = 1) -> Arrays:
    """A batch with a sample for each value."""
    return {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}


def with_batcher(
    use: Callable[[Model, Batcher], Coroutine[Any, Any, None]], **options: Any
) -> Model:
    """What a model has seen after a use of its batcher."""
    model = Model()

    async def main() -> None:
        batcher = Batcher(model.run, **options)
        try:
            await use(model, batcher)
        finally:
            model.gate.set()
            await batcher.close()

    asyncio.run(asyncio.wait_for(main(), 20))
    return model


async def begun(batcher: Batcher, feeds: Arrays) -> asyncio.Task[Arrays]:
    """A request that has got as far as it can."""
    task = asyncio.create_task(batcher.infer(feeds))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


def test_what_comes_while_the_model_is_busy_is_its_next_batch() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        model.gate.clear()
        tasks = [await begun(batcher, rows(i)) for i in range(6)]
        assert batcher.waiting == 5
        model.gate.set()
        for i, task in enumerate(tasks):
            assert (await task)["y"].tolist() == [[2 * i]]

    assert with_batcher(use, largest=4).batches == [[0], [1, 2, 3, 4], [5]]


def test_samples_of_other_sizes_wait_for_their_own_batch() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        model.gate.clear()
        widths = (1, 1, 2, 1, 2)
        tasks = [await begun(batcher, rows(i, width=w)) for i, w in enumerate(widths)]
        model.gate.set()
        for i, (task, width) in enumerate(zip(tasks, widths, strict=True)):
            assert (await task)["y"].tolist() == [[2 * i] * width]

    assert with_batcher(use).batches == [[0], [1, 3], [2, 4]]


def test_a_request_of_more_than_a_batch_runs_in_parts() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        found = await batcher.infer(rows(*range(7)))
        assert found["y"][:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12]

    assert with_batcher(use, largest=3).batches == [[0, 1, 2], [3, 4, 5], [6]]


def test_only_the_guilty_request_fails() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        model.gate.clear()
        tasks = [await begun(batcher, rows(value)) for value in (0, 1, -2, 3)]
        model.gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[2], CallError)
        assert [f["y"].tolist() for f in found if isinstance(f, dict)] == [[[0]], [[2]], [[6]]]

    assert with_batcher(use).batches == [[0], [1, -2, 3], [1], [-2], [3]]


def test_a_full_queue_refuses() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        model.gate.clear()
        tasks = [await begun(batcher, rows(i)) for i in range(3)]
        with pytest.raises(FullError, match="2 requests wait already"):
            await batcher.infer(rows(9))
        model.gate.set()
        await asyncio.gather(*tasks)

    assert with_batcher(use, most_waiting=2).batches == [[0], [1, 2]]


def test_who_has_gone_away_is_not_waited_for() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        model.gate.clear()
        tasks = [await begun(batcher, rows(i)) for i in range(3)]
        tasks[1].cancel()
        await asyncio.sleep(0)
        model.gate.set()
        await tasks[0], await tasks[2]

    assert with_batcher(use).batches == [[0], [2]]


def test_a_delay_lets_a_batch_fill() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        await asyncio.gather(*(batcher.infer(rows(i)) for i in range(3)))

    assert with_batcher(use, delay=0.05).batches == [[0, 1, 2]]


def test_what_waits_at_the_end_is_still_run() -> None:
    async def use(model: Model, batcher: Batcher) -> None:
        tasks = [await begun(batcher, rows(i)) for i in range(3)]
        await batcher.close()
        assert [(await task)["y"].tolist() for task in tasks] == [[[0]], [[2]], [[4]]]

    with_batcher(use)


def test_sizes_and_seconds_of_batches_are_told() -> None:
    told: list[int] = []

    async def use(model: Model, batcher: Batcher) -> None:
        await batcher.infer(rows(1, 2, 3))

    with_batcher(use, ran=lambda count, seconds: told.append(count))
    assert told == [3]
