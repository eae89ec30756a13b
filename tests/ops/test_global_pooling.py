"""gap, gmp and adaptive_avgpool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)
from tests.define import define
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals
from tests.ops import loops
from tests.ops.geometry import examples


def test_hand_computed_maps() -> None:
    x = [[[1, 2, 6], [3, 4, 8]], [[-1, -2, -6], [-3, -4, -8]]]
    assert apply(make(GlobalAveragePool), x) == [[[4]], [[-4]]]
    assert apply(make(GlobalMaxPool), x) == [[[8]], [[-1]]]


def test_adaptive_parts_overlap_when_they_do_not_divide() -> None:
    # five pixels in three parts: 0..1, 1..3, 3..4
    op = make(AdaptiveAvgPool, 3)
    np.testing.assert_allclose(apply(op, [[0, 3, 6, 9, 15]]), [[1.5, 6, 12]], rtol=1e-6)
    assert apply(op, [[1, 2, 3]]) == [[1, 2, 3]]
    assert apply(op, [[4]]) == [[4, 4, 4]]


@examples
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 5)), min_size=1, max_size=3),
    st.sampled_from((1, 3, 4)),
)
def test_they_are_the_means_and_maxima_of_their_definitions(
    axes: list[tuple[int, int]], channels: int
) -> None:
    shape, parts = (channels, *(size for size, _ in axes)), [parts for _, parts in axes]
    result = check(make(AdaptiveAvgPool, parts), shape)
    wanted = loops.adaptive(result.inputs[0], parts, lambda v: sum(v) / len(v))
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)
    result = check(make(AdaptiveMaxPool, parts), shape)
    np.testing.assert_array_equal(result.reference, loops.adaptive(result.inputs[0], parts, max))
    mean, largest = check(make(GlobalAveragePool), shape), check(make(GlobalMaxPool), shape)
    spatial = tuple(range(2, len(shape) + 1))
    wanted = loops.adaptive(mean.inputs[0], [1] * len(axes), lambda v: sum(v) / len(v))
    np.testing.assert_allclose(mean.reference, wanted, rtol=1e-10, atol=1e-12)
    flat = largest.inputs[0].reshape(2, channels, -1)
    wanted = [[max(map(float, values)) for values in sample] for sample in flat]
    np.testing.assert_array_equal(largest.reference.squeeze(spatial), wanted)


@pytest.mark.parametrize(
    "op",
    [
        make(GlobalAveragePool),
        make(GlobalMaxPool),
        make(AdaptiveAvgPool, 1),
        make(AdaptiveAvgPool, (3, 2)),
        make(AdaptiveMaxPool, (1, 5)),
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 1, "W": 4}])


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_an_axis_may_be_symbolic_where_its_size_becomes_one(opset: int) -> None:
    op = make(AdaptiveAvgPool, (1, 3))
    check_symbolic(op, (4, H, 7), sizes=[{"H": 2}, {"H": 5}], opset=opset)


def test_more_parts_than_pixels_repeat_them() -> None:
    assert apply(make(AdaptiveAvgPool, (1, 3)), [[[1, 5]]]) == [[[1, 3, 5]]]


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(GlobalAveragePool), (8,), "E305", None),
    (make(GlobalMaxPool), (8,), "E305", None),
    (make(AdaptiveAvgPool, 2), (8,), "E305", None),
    (make(AdaptiveAvgPool, (2, 2)), (3, 8), "E305", "size"),
    (make(AdaptiveAvgPool, (1, 65)), (3, 8, W), "E307", "size"),
    (make(AdaptiveMaxPool, (2, 2)), (3, 8), "E305", "size"),
)


@pytest.mark.parametrize("size", [1, 8, 9])
def test_no_adaptive_pooling_is_said_to_drop_pixels(size: int) -> None:
    net = define(f"net one {{\n input x: f32[3, {size}, 8]\n output y = adaptive_avgpool(3)\n}}")
    assert net.warnings == ()
