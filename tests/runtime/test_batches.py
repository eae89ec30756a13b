"""Samples through a model in batches: order, filling, trimming, averages over views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runtime.batches import Arrays, Runner, collect, run_batches
from runtime.errors import CallError
from runtime.inputs import Sample


def rows(count: int, width: int = 3) -> list[Sample]:
    """Samples of `width` numbers: sample i is filled with i."""
    return [
        Sample(f"s{i}", lambda i=i: np.full((1, width), i, np.float32))  # type: ignore[misc]
        for i in range(count)
    ]


class Double:
    """A model that doubles, and remembers the batches it was given."""

    def __init__(self, pinned: int | None = None) -> None:
        self.batches: list[Any] = []
        self.runner = Runner("test", self.run, pinned=pinned)

    def run(self, feeds: Arrays) -> Arrays:
        self.batches.append(feeds["x"])
        return {"y": 2 * feeds["x"]}


def values(batches: Any) -> list[float]:
    return [float(row[0]) for row in collect(batches)["y"]]


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 9, [2])]
)
def test_batches_are_filled_and_the_last_is_what_is_left(
    count: int, size: int, sizes: list[int]
) -> None:
    model = Double()
    batches = list(run_batches(model.runner, {"x": rows(count)}, size=size))
    assert [len(batch) for batch in model.batches] == sizes
    assert values(batches) == [2.0 * i for i in range(count)]
    assert [n for batch in batches for n in batch.names] == [f"s{i}" for i in range(count)]


def test_a_pinned_batch_is_filled_up_and_its_results_trimmed() -> None:
    model = Double(pinned=4)
    found = values(run_batches(model.runner, {"x": rows(6)}, size=4))
    assert [len(batch) for batch in model.batches] == [4, 4]
    assert model.batches[1][:, 0].tolist() == [4, 5, 5, 5]
    assert found == [0, 2, 4, 6, 8, 10]


def test_samples_of_other_sizes_are_not_put_into_one_batch() -> None:
    model = Double()
    given = rows(2) + rows(2, width=5) + rows(1)
    batches = list(run_batches(model.runner, {"x": given}, size=8))
    assert [batch.shape for batch in model.batches] == [(2, 3), (2, 5), (1, 3)]
    with pytest.raises(CallError, match="the samples have different sizes"):
        collect(batches)


def test_every_input_needs_as_many_samples() -> None:
    with pytest.raises(CallError, match="there are 2 for a, 3 for b"):
        list(run_batches(Double().runner, {"a": rows(2), "b": rows(3)}, size=2))


def test_a_sample_that_cannot_be_read_stops_the_run() -> None:
    def broken() -> Any:
        raise CallError("broken picture")

    given = [*rows(9), Sample("bad", broken), *rows(9)]
    with pytest.raises(CallError, match="broken picture"):
        list(run_batches(Double().runner, {"x": given}, size=2))


def test_each_sample_is_checked_before_its_batch_runs() -> None:
    model, seen = Double(), []

    def check(name: str, arrays: Arrays) -> None:
        seen.append(name)
        if name == "s1":
            raise CallError("too small")

    with pytest.raises(CallError, match="too small"):
        list(run_batches(model.runner, {"x": rows(3)}, size=3, check=check))
    assert seen == ["s0", "s1"] and not model.batches


def test_the_views_of_a_sample_are_averaged() -> None:
    def views(start: float, count: int) -> Sample:
        return Sample("v", lambda: np.arange(start, start + count, dtype=np.float32)[:, None])

    given = {"x": [views(0, 10), views(100, 10)]}
    found = values(run_batches(Double(pinned=4).runner, given, size=2, augment="tencrop"))
    assert found == [9.0, 209.0]


def test_the_map_of_a_mirror_image_is_mirrored_back() -> None:
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2)
    sample = Sample("v", lambda: np.concatenate([image, image[..., ::-1]]))
    (batch,) = run_batches(Double().runner, {"x": [sample]}, size=1, augment="flip")
    np.testing.assert_array_equal(batch.outputs["y"], 2 * image)


def test_ten_crops_of_a_map_are_refused() -> None:
    sample = Sample("v", lambda: np.zeros((10, 3, 2, 2)))
    with pytest.raises(CallError, match="the output y is a map"):
        list(run_batches(Double().runner, {"x": [sample]}, size=1, augment="tencrop"))


def test_an_output_without_a_batch_is_for_one_sample_at_a_time() -> None:
    runner = Runner("test", lambda feeds: {"y": np.array([1.0, 2.0, 3.0])})
    (batch,) = run_batches(runner, {"x": rows(1)}, size=1)
    assert batch.outputs["y"].shape == (1, 3)
    with pytest.raises(CallError, match="it has no batch in front"):
        list(run_batches(runner, {"x": rows(2)}, size=2))
