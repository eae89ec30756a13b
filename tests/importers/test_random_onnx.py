"""Random ONNX graphs and broken ONNX files: a small part of what `tests.onnx_graphs` and
`tests.onnx_bytes` draw."""

from __future__ import annotations

from collections import Counter

from tests.importers.random_onnx import draw
from tests.onnx_bytes import failures
from tests.onnx_graphs import BAD, opened, outcome


def test_random_graphs_are_imported_right_or_refused() -> None:
    found = {seed: outcome(draw(seed)) for seed in range(30)}
    assert [(seed, *told) for seed, told in found.items() if told[0] in BAD] == []
    assert Counter(word for word, _ in found.values())["same"] > 20


def test_random_graphs_take_all_sizes_that_their_originals_take() -> None:
    found = {seed: outcome(opened(draw(seed))) for seed in range(40)}
    assert [(seed, *told) for seed, told in found.items() if told[0] in BAD] == []
    assert Counter(word for word, _ in found.values())["same"] > 10


def test_broken_files_end_in_an_import_or_a_report() -> None:
    assert [failure.reason for failure in failures(40, 6, timed=False)] == []
