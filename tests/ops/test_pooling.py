"""maxpool, avgpool and lppool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compiler.domain import Facts
from compiler.ops.arguments import ArgumentError
from compiler.ops.base import Op
from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refuse
from tests.ops import loops
from tests.ops.geometry import Geometry, examples, geometries

ROW = [[1.0, 2.0, 3.0, 4.0, 5.0]]


def test_hand_computed_windows_with_the_kernel_as_stride() -> None:
    x = [[[1, 2, 5, 6], [3, 4, 7, 9]]]
    assert apply(make(MaxPool, 2), x) == [[[4, 9]]]
    assert apply(make(AvgPool, 2), x) == [[[2.5, 6.75]]]
    assert apply(make(LpPool, 2), [[[0, 3, 5, 0], [4, 0, 0, 12]]]) == [[[5, 13]]]
    assert apply(make(LpPool, 2, p=1), [[[0, -3, 5, 0], [4, 0, 0, 12]]]) == [[[7, 17]]]


def test_padding_never_wins_a_maximum() -> None:
    assert apply(make(MaxPool, 3, stride=1, pad=1), [[-5.0, -7.0]]) == [[-5.0, -5.0]]


def test_maxpool_dilation_skips_pixels() -> None:
    assert apply(make(MaxPool, 2, stride=1, dilation=2), [[9, 8, 1, 2, 3]]) == [[9, 8, 3]]


def test_ceil_keeps_a_last_partial_window() -> None:
    assert apply(make(MaxPool, 2), ROW) == [[2, 4]]
    assert apply(make(MaxPool, 2, ceil=True), ROW) == [[2, 4, 5]]
    assert apply(make(AvgPool, 2, ceil=True), ROW) == [[1.5, 3.5, 5]]  # one pixel, divided by one


def test_ceil_drops_a_window_that_would_start_in_the_padding_after() -> None:
    # W 5, K 2, S 3, P 1: (5 + 2 - 2)/3 is 5/3, ceiling 2, three windows at -1, 2, 5; but 5 is
    # the first padding pixel after the input, so the last one goes.
    op = make(MaxPool, 2, stride=3, pad=1, ceil=True)
    assert apply(op, ROW) == [[1, 4]]


def test_padding_counts_in_a_mean_unless_told_otherwise_and_overhang_never() -> None:
    pad = {"stride": 2, "pad": 1, "ceil": True}
    # windows at -1, 1 and 3 of three pixels: (0 1 2), (2 3 4) and (4 5 pad) of 1 2 3 4 5
    assert apply(make(AvgPool, 3, **pad), ROW) == [[1, 3, 3]]
    assert apply(make(AvgPool, 3, **pad, count_pad=False), ROW) == [[1.5, 3, 4.5]]
    # one pixel more: the last window is (5 6 pad), and with ceil a fourth (6 pad overhang)
    longer = [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    assert apply(make(AvgPool, 3, **pad), longer) == [[1, 3, 5, 3]]  # (6 + 0)/2
    assert apply(make(AvgPool, 3, **pad, count_pad=False), longer) == [[1.5, 3, 5, 6]]


def test_the_output_sizes_of_the_googlenet_poolings_need_ceil() -> None:
    for size, wanted in ((112, 56), (56, 28), (28, 14), (14, 7)):
        pool = make(MaxPool, 3, stride=2, ceil=True)
        assert one_op(pool, (3, size, size))["layer"].shape == (3, wanted, wanted)
    assert one_op(make(MaxPool, 3, stride=2), (3, 112, 112))["layer"].shape == (3, 55, 55)


def pooled(kind: str, pool: type[Op], geometry: Geometry, up: bool, **more: Any) -> tuple[Any, Any]:
    """What the op makes of random numbers, and what its definition does."""
    fits = all(
        k <= w + before + after
        for k, w, (before, after) in zip(
            geometry.extents, geometry.sizes, geometry.pads, strict=True
        )
    )
    assume(up or fits)
    windows: dict[str, Any] = {"stride": geometry.stride, "dilation": geometry.dilation}
    op = make(pool, geometry.kernel, pad=geometry.pads, ceil=up, **windows, **more)
    result = check(op, geometry.shape)
    windows |= {"kernel": geometry.kernel, "pads": geometry.pads}
    return result.reference, loops.pool(kind, result.inputs[0], up=up, **windows, **more)


@examples
@given(geometries(small_pads=True, ceil=True), st.booleans())
def test_maxpool_is_the_maximum_of_its_definition(geometry: Geometry, up: bool) -> None:
    np.testing.assert_array_equal(*pooled("max", MaxPool, geometry, up))


@examples
@given(geometries(small_pads=True, ceil=True), st.booleans(), st.booleans())
def test_avgpool_is_the_mean_of_its_definition(
    geometry: Geometry, up: bool, count_pad: bool
) -> None:
    made = pooled("mean", AvgPool, geometry, up, count_pad=count_pad)
    np.testing.assert_allclose(*made, rtol=1e-10, atol=1e-12)


@examples
@given(geometries(small_pads=True, ceil=True), st.booleans(), st.integers(1, 4))
def test_lppool_is_the_norm_of_its_definition(geometry: Geometry, up: bool, p: int) -> None:
    made = pooled("norm", LpPool, geometry, up, p=p)
    np.testing.assert_allclose(*made, rtol=1e-10, atol=1e-12)


def test_the_norm_of_the_largest_order() -> None:
    x = [[[0.01, -100, 3, 0], [0.02, 99, 3, 3]]]
    (found,) = apply(make(LpPool, 2, p=16), x)
    wanted = [100 * (1 + 0.99**16) ** (1 / 16), 3 * 3 ** (1 / 16)]
    np.testing.assert_allclose(found, [wanted], rtol=1e-6)
    with pytest.raises(ArgumentError, match="at most 16, got 17"):
        make(LpPool, 2, p=17)


@examples
@given(
    geometries(dilated=False),
    st.sampled_from((MaxPool, AvgPool, LpPool)),
    st.sampled_from(("same", "same_lower", "half", "valid")),
)
def test_pad_words_are_the_pixels_they_stand_for(geometry: Geometry, pool: Any, pad: str) -> None:
    pads = loops.resolve(pad, geometry.sizes, geometry.kernel, geometry.stride)
    if any(
        k > w + sum(pair) for k, w, pair in zip(geometry.kernel, geometry.sizes, pads, strict=True)
    ):
        return
    given = {"kernel": geometry.kernel, "stride": geometry.stride}
    by_word = check(make(pool, **given, pad=pad), geometry.shape).reference
    by_number = check(make(pool, **given, pad=pads), geometry.shape).reference
    np.testing.assert_array_equal(by_word, by_number)


@pytest.mark.parametrize("pool", [MaxPool, AvgPool, LpPool])
@pytest.mark.parametrize(
    "given",
    [
        {"kernel": 2},
        {"kernel": (3, 2), "stride": 2, "pad": 1},
        {"kernel": 3, "stride": 2, "pad": [(1, 0), (0, 1)], "ceil": True},
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(pool: Any, given: Any) -> None:
    sizes = [{"H": h, "W": w} for h, w in ((8, 9), (9, 8), (7, 6), (3, 5), (12, 4))]
    check_symbolic(make(pool, **given), (3, H, W), sizes=sizes)


def test_a_mean_without_its_padding_is_right_at_every_symbolic_size() -> None:
    op = make(AvgPool, 3, stride=2, pad=1, ceil=True, count_pad=False)
    error = refuse(make(AvgPool, 3, stride=3, pad=1, ceil=True), (3, H, W))
    assert (error.code, error.argument) == ("E307", "ceil")  # no closed form
    check_symbolic(op, (3, H, W), sizes=[{"H": h, "W": h + 1} for h in range(2, 9)])


def test_dilated_means_are_right_at_symbolic_sizes_while_every_window_counts_alike() -> None:
    sizes = [{"H": h, "W": h + 2} for h in range(5, 9)]
    check_symbolic(make(AvgPool, 2, stride=1, dilation=3), (3, H, W), sizes=sizes)
    check_symbolic(make(AvgPool, 3, stride=2, pad=1, dilation=2), (3, H, W), sizes=sizes)
    check_symbolic(make(LpPool, 2, stride=2, pad=1, dilation=2), (3, H, W), sizes=sizes)
    error = refuse(make(AvgPool, 2, pad=1, dilation=2, count_pad=False), (3, H, W))
    assert (error.code, error.argument) == ("E307", "dilation")


@pytest.mark.parametrize(("count_pad", "ceil"), [(True, False), (False, False), (False, True)])
def test_an_axis_beside_a_dilated_one_may_have_any_size_and_any_padding(
    count_pad: bool, ceil: bool
) -> None:
    pad = [(1, 1), (2, 2)]
    given = {"stride": (2, 1), "pad": pad, "ceil": ceil, "count_pad": count_pad}
    op = make(AvgPool, 3, dilation=(1, 2), **given)
    check_symbolic(op, (3, H, 6), sizes=[{"H": h} for h in range(3, 9)])
    check(op, (3, 7, 6))


@pytest.mark.parametrize("pool", [AvgPool, LpPool])
def test_a_dilated_sum_must_know_its_channels(pool: Any) -> None:
    assert refuse(make(pool, 2, dilation=2), (H, 9, 9)).code == "E307"
    check_symbolic(make(pool, 2), (H, 8, 8), sizes=[{"H": h} for h in (1, 3)])


def test_a_dilated_window_must_not_see_padding_only() -> None:
    # two taps four pixels apart around a map of two: the window at -1 sees -1 and 3
    op = make(MaxPool, 2, stride=1, pad=1, dilation=4)
    error = refuse(op, (3, 3, 9))
    assert (error.code, error.argument) == ("E306", "dilation")
    assert op.conditions(((3, H, W),), Facts()) == ((H, 4), (W, 4))
    assert make(MaxPool, 2, dilation=4).conditions(((3, H, W),), Facts()) == ()


@pytest.mark.parametrize("pool", [MaxPool, AvgPool, LpPool])
@pytest.mark.parametrize(
    ("given", "shape", "code", "argument"),
    [
        ({"kernel": 2}, (8,), "E305", None),
        ({"kernel": 2, "pad": 2}, (3, 8, 9), "E306", "pad"),
        ({"kernel": 2, "pad": [(0, 0), (2, 0)]}, (3, 8, 9), "E306", "pad"),
        ({"kernel": 9}, (3, 12, 8), "E302", "kernel"),
        ({"kernel": (2, 2)}, (3, 8), "E305", "kernel"),
        ({"kernel": 2, "stride": (1, 2)}, (3, 8), "E305", "stride"),
        ({"kernel": 2, "pad": [(0, 0)]}, (3, 8, 9), "E305", "pad"),
        ({"kernel": 2, "stride": 3, "ceil": True}, (3, H, 8), "E307", "ceil"),
        ({"kernel": 2, "stride": 2, "pad": "same"}, (3, H, 8), "E307", "pad"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_argument(
    pool: Any, given: Any, shape: Any, code: str, argument: str | None
) -> None:
    error = refuse(make(pool, **given), shape)
    assert (error.code, error.argument) == (code, argument)


def test_ceil_lets_a_kernel_pass_its_input_by_less_than_a_stride() -> None:
    assert apply(make(AvgPool, 3, stride=2, ceil=True), [[4.0, 6.0]]) == [[5.0]]
    assert refuse(make(AvgPool, 3, stride=2), (1, 2)).code == "E302"
    assert refuse(make(AvgPool, 4, stride=2, ceil=True), (1, 2)).code == "E302"
