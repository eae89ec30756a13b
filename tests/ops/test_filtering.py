"""filter and weightedpool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.ops.filtering import Filter, WeightedPool
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals, refuse
from tests.ops import loops
from tests.ops.geometry import Geometry, examples, geometries

EDGES = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


def nested(geometry: Geometry) -> Any:
    """A kernel of a geometry's size with unequal numbers, all above 0."""
    return np.random.default_rng(7).uniform(0.5, 2, geometry.kernel)


def test_filter_puts_the_same_kernel_on_every_channel() -> None:
    op = make(Filter, [[1, 2], [3, 4]])
    # 1*1 + 2*2 + 3*3 + 4*4 = 30
    assert apply(op, [[[1, 2], [3, 4]], [[10, 20], [30, 40]]]) == [[[30]], [[300]]]


def test_filter_finds_an_edge_and_nothing_on_a_flat_map() -> None:
    flat, step = np.full((1, 5, 6), 3.0), np.zeros((1, 5, 6))
    step[:, :, 3:] = 1
    assert not np.any(apply(make(Filter, EDGES), flat))
    assert apply(make(Filter, EDGES), step)[0][1] == [0, 1, -1, 0]


def test_filter_repeats_the_border_where_zeros_would_darken_it() -> None:
    blur = [[1 / 9] * 3] * 3
    flat = np.full((1, 4, 5), 9.0)
    replicated = np.array(apply(make(Filter, blur, pad=1, pad_mode="replicate"), flat))
    np.testing.assert_allclose(replicated, 9.0, rtol=1e-6)
    zeros = np.array(apply(make(Filter, blur, pad=1), flat))[0]
    np.testing.assert_allclose([zeros[0, 0], zeros[0, 2], zeros[2, 2]], [4, 6, 9], rtol=1e-6)


def test_weightedpool_normalises_its_weights() -> None:
    op = make(WeightedPool, [[1, 1], [1, 5]])
    assert apply(op, [[[0, 8, 1, 1], [16, 8, 1, 1]]]) == [[[8, 1]]]  # (0 + 8 + 16 + 40)/8
    twice = make(WeightedPool, [[2, 2], [2, 10]])
    x = np.arange(24.0).reshape(1, 4, 6)
    np.testing.assert_allclose(apply(op, x), apply(twice, x), rtol=1e-6)


def test_weightedpool_of_equal_weights_is_the_mean_and_its_stride_the_size() -> None:
    x = np.arange(12.0).reshape(2, 6)
    thirds = apply(make(WeightedPool, [3, 3, 3]), x)
    np.testing.assert_allclose(thirds, [[1, 4], [7, 10]], rtol=1e-12)
    assert apply(make(WeightedPool, [1, 1], stride=1), x)[0] == [0.5, 1.5, 2.5, 3.5, 4.5]


@examples
@given(geometries(dilated=False), st.sampled_from(("zero", "replicate", "reflect")))
def test_filter_is_the_sum_of_its_definition(geometry: Geometry, mode: str) -> None:
    if mode == "reflect" and max(map(max, geometry.pads)) >= min(geometry.sizes):
        mode = "zero"
    kernel = nested(geometry)
    op = make(Filter, kernel.tolist(), stride=geometry.stride, pad=geometry.pads, pad_mode=mode)
    result = check(op, geometry.shape)
    channels = [result.inputs[0][:, c : c + 1] for c in range(geometry.channels)]
    wanted = np.concatenate(
        [
            loops.conv(c, kernel[None, None], stride=geometry.stride, pads=geometry.pads, mode=mode)
            for c in channels
        ],
        axis=1,
    )
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)


@examples
@given(geometries(dilated=False), st.booleans())
def test_weightedpool_is_the_mean_of_its_definition(geometry: Geometry, own: bool) -> None:
    if any(k > w for k, w in zip(geometry.kernel, geometry.sizes, strict=True)):
        return
    kernel = nested(geometry)
    stride = geometry.stride if own else geometry.kernel
    op = make(WeightedPool, kernel.tolist(), **({"stride": stride} if own else {}))
    result = check(op, geometry.shape)
    none = [(0, 0)] * len(stride)
    sums = [
        loops.conv(result.inputs[0][:, c : c + 1], kernel[None, None], stride=stride, pads=none)
        for c in range(geometry.channels)
    ]
    wanted = np.concatenate(sums, axis=1) / kernel.sum()
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)


def test_macs_are_one_for_each_tap_and_output_and_nothing_is_learnable() -> None:
    for op in (make(Filter, EDGES), make(WeightedPool, EDGES, stride=1)):
        assert op.macs(((3, 8, 9),), (3, 6, 7)) == 9 * 3 * 6 * 7
        assert op.weights(((3, 8, 9),)) == ()
        assert not op.holds_weights


@pytest.mark.parametrize(
    "op",
    [
        make(Filter, EDGES, pad="half", pad_mode="replicate"),
        make(Filter, [[1, 2, 3, 4]], stride=2, pad=[(1, 0), (0, 2)]),
        make(WeightedPool, [[1, 2], [3, 4]]),
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 5, "W": 4}])


def test_reflect_asks_for_one_pixel_more_than_its_pad() -> None:
    op = make(Filter, EDGES, pad=2, pad_mode="reflect")
    assert refuse(op, (3, 2, 5)).argument == "pad"
    from compiler.domain import Facts

    assert op.conditions(((3, H, W),), Facts()) == ((H, 3), (W, 3))


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Filter, EDGES), (8,), "E305", None),
    (make(Filter, EDGES), (H, 8, 8), "E307", None),
    (make(Filter, EDGES), (3, 8), "E305", "kernel_values"),
    (make(Filter, EDGES), (3, 2, 8), "E302", "kernel_values"),
    (make(Filter, EDGES, stride=(1, 1, 1)), (3, 8, 8), "E305", "stride"),
    (make(Filter, EDGES, pad=[(1, 1)]), (3, 8, 8), "E305", "pad"),
    (make(Filter, EDGES, pad=8, pad_mode="reflect"), (3, 8, 9), "E306", "pad"),
    (make(WeightedPool, [1, 2]), (8,), "E305", None),
    (make(WeightedPool, [1, 2]), (H, 8), "E307", None),
    (make(WeightedPool, [1, 2]), (3, 8, 8), "E305", "kernel_values"),
    (make(WeightedPool, [1, 2, 3]), (3, 2), "E302", "kernel_values"),
    (make(WeightedPool, [1, -1]), (3, 8), "E306", "kernel_values"),
    (make(WeightedPool, [0.1, 0.2, -0.3]), (3, 8), "E306", "kernel_values"),
)
