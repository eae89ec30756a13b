"""deconv."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.ops.arguments import Extent
from compiler.ops.convolution import Conv, Deconv
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refusals
from tests.ops import loops
from tests.ops.geometry import Geometry, examples, geometries


def test_deconv_of_a_hand_computed_row_overlaps_its_kernels() -> None:
    op = make(Deconv, 1, 3, stride=2, bias=False, weight=[[[1, 2, 3]]])
    # 1 * (1 2 3) at 0, 10 * (1 2 3) at 2: they meet at pixel 2
    assert apply(op, [[1.0, 10.0]]) == [[1.0, 2.0, 13.0, 20.0, 30.0]]


def test_deconv_cuts_its_padding_and_adds_output_pad_after() -> None:
    kernel = [[[1, 2, 3]]]
    cut = make(Deconv, 1, 3, stride=2, pad=1, bias=False, weight=kernel)
    assert apply(cut, [[1.0, 10.0]]) == [[2.0, 13.0, 20.0]]
    longer = replace(cut, output_pad=1)
    assert apply(longer, [[1.0, 10.0]]) == [[2.0, 13.0, 20.0, 30.0]]


def test_deconv_same_multiplies_the_size_by_its_stride() -> None:
    for kernel, stride in ((3, 2), (4, 2), (5, 3), (3, 3)):
        graph = one_op(make(Deconv, 2, kernel, stride=stride, pad="same"), (3, 5, 4))
        assert graph["layer"].shape == (2, 5 * stride, 4 * stride)


def test_deconv_upper_and_lower_same_put_the_odd_pixel_on_opposite_sides() -> None:
    weight = [[[1, 2, 3]]]
    upper = make(Deconv, 1, 3, stride=2, pad="same", bias=False, weight=weight)
    lower = replace(upper, pad="same_lower")
    assert apply(upper, [[1.0, 10.0]]) == [[1.0, 2.0, 13.0, 20.0]]
    assert apply(lower, [[1.0, 10.0]]) == [[2.0, 13.0, 20.0, 30.0]]


def test_conv_and_deconv_are_each_others_transpose() -> None:
    # <conv(x), y> = <x, deconv(y)> for the same weight: the definition of the transpose.
    forward = make(Conv, 4, Extent((3, 2)), stride=2, pad=1, bias=False)
    result = check(forward, (3, 7, 6))
    weight = result.arrays["weight"]
    y = np.random.default_rng(1).standard_normal(result.reference.shape).astype(np.float32)
    backward = make(
        Deconv,
        3,
        Extent((3, 2)),
        stride=2,
        pad=1,
        output_pad=Extent((0, 0)),
        bias=False,
        weight=weight.tolist(),
    )
    back = check(backward, result.reference.shape[1:], inputs=(y,)).reference
    x = result.inputs[0]
    assert np.sum(result.reference * y) == pytest.approx(np.sum(x * back), rel=1e-5)


@examples
@given(geometries(), st.data(), st.booleans(), st.booleans())
def test_deconv_is_the_sum_of_its_definition(
    geometry: Geometry, data: st.DataObject, split: bool, bias: bool
) -> None:
    groups = geometry.groups(data) if split else 1
    extra = Extent(data.draw(st.integers(0, s - 1)) for s in geometry.stride)
    sizes = [
        (w - 1) * s - sum(pair) + k + e
        for w, s, pair, k, e in zip(
            geometry.sizes, geometry.stride, geometry.pads, geometry.extents, extra, strict=True
        )
    ]
    if min(sizes) < 1:
        return
    count, more = groups * data.draw(st.sampled_from((1, 2))), {"output_pad": extra}
    op = make(Deconv, count, geometry.kernel, groups=groups, bias=bias, **more, **geometry.window)
    result = check(op, geometry.shape)
    arrays = (result.arrays["weight"], result.arrays.get("bias"))
    wanted = loops.deconv(result.inputs[0], *arrays, extra=extra, groups=groups, **geometry.slides)
    assert result.reference.shape[2:] == tuple(sizes)
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)


def test_deconv_macs_count_the_kernel_once_for_each_input_pixel() -> None:
    op, inputs = make(Deconv, 8, 4, stride=2, pad=1, groups=2), ((6, 5, 7),)
    weight, bias = op.weights(inputs)
    assert weight.shape == (6, 4, 4, 4) and bias.shape == (8,)
    assert op.macs(inputs, (8, 10, 14)) == 6 * 4 * 16 * 35


@pytest.mark.parametrize(
    "op",
    [
        make(Deconv, 4, 4, stride=2, pad=1),
        make(Deconv, 2, 3, stride=3, pad="same", output_pad=1),
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 7, "W": 5}, {"H": 12, "W": 6}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Deconv, 4, 3), (8,), "E305", None),
    (make(Deconv, 4, 3), (H, 8, 8), "E307", None),
    (make(Deconv, 4, 3, groups=5), (8, 8, 8), "E303", "groups"),
    (make(Deconv, 4, 2, stride=3, pad="same"), (8, 8, 8), "E306", "pad"),
    (make(Deconv, 4, 2, stride=2, output_pad=2), (8, 8, 8), "E306", "output_pad"),
    (make(Deconv, 4, 3, output_pad=Extent((0, 0))), (8, 8), "E305", "output_pad"),
    (make(Deconv, 4, 1, weight=[[1, 2]]), (3, 8, 8), "E306", "weight"),
    (make(Deconv, 4, 3, pad=3), (8, 3, 3), "E301", None),
)
