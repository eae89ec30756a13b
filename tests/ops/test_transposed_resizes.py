"""Maps resized between transposes, as ONNX Runtime runs them with all of its own rewriting."""

from __future__ import annotations

import pytest

from compiler.initialise import scatter
from runtime.random_inputs import random_feeds
from runtime.verify.compare import compare_all
from tests.define import define

BODIES = {
    "asymmetric": '[5, 3, 12] transpose([1, 2, 0]) -> resize(6x4, mode="linear", '
    'align="asymmetric") -> transpose([1, 0, 2])',
    "hwc": '[12, 10, 3] transpose([2, 0, 1]) -> resize(7x5, mode="linear") -> transpose([1, 2, 0])',
    "hwc enlarged": '[12, 10, 3] transpose([2, 0, 1]) -> upsample(2, mode="bilinear") -> '
    "transpose([1, 2, 0])",
    "hcw enlarged": '[12, 3, 10] transpose([1, 0, 2]) -> upsample(2, mode="bilinear") -> '
    "transpose([1, 0, 2])",
    "cubic": '[12, 3, 10] transpose([1, 0, 2]) -> resize(7x5, mode="cubic") -> '
    "transpose([1, 0, 2])",
    "before a layer": '[12, 3, 10] transpose([1, 0, 2]) -> resize(7x5, mode="linear") -> '
    "conv(4, 3x3)",
    "scaled": '[5, 3, 12] transpose([1, 2, 0]) -> resize(24x12, mode="linear", scale=[2.0, 2.5])'
    " -> transpose([1, 0, 2])",
    "symbolic": '[5, H, 12] transpose([0, 2, 1]) -> upsample(2, mode="bilinear") -> '
    "transpose([0, 2, 1])",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_resize_between_transposes_runs_and_is_right(body: str) -> None:
    shape, _, chain = body.partition("] ")
    graph = scatter(define(f"net n {{ input x: f32{shape}]\n {chain}\n output y }}").graph)
    comparison = compare_all(graph, random_feeds(graph))
    assert comparison.ok, comparison.sentence("cpu")
