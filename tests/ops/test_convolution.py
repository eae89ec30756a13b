"""conv."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.domain import Facts
from compiler.ops.arguments import Extent
from compiler.ops.convolution import Conv
from runtime.reference import run_kernel
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals, refuse
from tests.ops import loops
from tests.ops.geometry import Geometry, examples, geometries

RAMP = [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]]


def test_conv_of_a_hand_computed_map_is_a_correlation_and_does_not_flip_its_kernel() -> None:
    op = make(Conv, 1, 2, bias=False, weight=[[[[1, 2], [3, 4]]]])
    # 0*1 + 1*2 + 3*3 + 4*4 = 27; one pixel right adds 1 + 2 + 3 + 4 = 10, one row down adds 30
    assert apply(op, RAMP) == [[[27, 37], [57, 67]]]


def test_conv_adds_up_channels_and_its_bias() -> None:
    op = make(Conv, 2, 1, weight=[[[2], [3]], [[1], [-1]]])
    got = apply(op, [[10.0, 20.0], [1.0, 2.0]], bias=[100.0, 0.5])
    assert got == [[123.0, 146.0], [9.5, 18.5]]


def test_convolutions_of_several_threads_do_not_meet() -> None:
    random = np.random.default_rng(0)
    maps = [random.normal(size=(3, 4, 20 + k % 3, 24)).astype(np.float32) for k in range(24)]
    op = Conv(channels=8, kernel=Extent((3, 3)), stride=Extent((1, 1)))
    weight = {"weight": random.normal(size=(8, 4, 3, 3)), "bias": random.normal(size=8)}
    arrays = {name: value.astype(np.float32) for name, value in weight.items()}
    alone = [run_kernel(op, (x,), arrays) for x in maps]
    with ThreadPoolExecutor(4) as pool:
        together = [*pool.map(lambda x: run_kernel(op, (x,), arrays), maps)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("zero", [1, 3, 5, 3]), ("replicate", [2, 3, 5, 6]), ("reflect", [3, 3, 5, 5])],
)
def test_conv_fills_its_padding_by_mode(mode: str, wanted: list[int]) -> None:
    op = make(Conv, 1, 2, pad=1, pad_mode=mode, bias=False, weight=[[[1, 1]]])
    assert apply(op, [[1.0, 2.0, 3.0]]) == [wanted]


def test_conv_groups_see_their_own_channels_only() -> None:
    op = make(Conv, 4, 1, groups=2, bias=False, weight=[[[1]], [[2]]] * 2)
    assert apply(op, [[5.0], [7.0]]) == [[5.0], [10.0], [7.0], [14.0]]


def test_conv_dilation_skips_pixels() -> None:
    op = make(Conv, 1, 2, dilation=3, bias=False, weight=[[[1, 10]]])
    assert apply(op, [[1.0, 2.0, 3.0, 4.0, 5.0]]) == [[41.0, 52.0]]


@examples
@given(geometries(), st.data(), st.booleans(), st.booleans())
def test_conv_is_the_sum_of_its_definition(
    geometry: Geometry, data: st.DataObject, split: bool, bias: bool
) -> None:
    groups = geometry.groups(data) if split else 1
    mode = data.draw(st.sampled_from(("zero", "replicate", "reflect")))
    largest = max(p for pair in geometry.pads for p in pair)
    if mode == "reflect" and largest >= min(geometry.sizes):
        mode = "replicate"
    count, more = groups * data.draw(st.sampled_from((1, 2))), {"pad_mode": mode}
    op = make(Conv, count, geometry.kernel, groups=groups, bias=bias, **more, **geometry.window)
    result = check(op, geometry.shape)
    arrays = (result.arrays["weight"], result.arrays.get("bias"))
    wanted = loops.conv(result.inputs[0], *arrays, mode=mode, groups=groups, **geometry.slides)
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)


@examples
@given(
    geometries(dilated=False),
    st.sampled_from(("same", "same_lower", "half", "valid", 1, 2)),
)
def test_conv_pad_words_are_the_pixels_they_stand_for(geometry: Geometry, pad: Any) -> None:
    pads = loops.resolve(pad, geometry.sizes, geometry.kernel, geometry.stride)
    if any(
        k > w + before + after
        for k, w, (before, after) in zip(geometry.kernel, geometry.sizes, pads, strict=True)
    ):
        return
    op = make(Conv, 3, geometry.kernel, stride=geometry.stride, pad=pad)
    result = check(op, geometry.shape)
    wanted = loops.conv(
        result.inputs[0],
        result.arrays["weight"],
        result.arrays["bias"],
        stride=geometry.stride,
        pads=pads,
    )
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)
    if pad in ("same", "same_lower"):
        assert result.reference.shape[2:] == tuple(
            -(-w // s) for w, s in zip(geometry.sizes, geometry.stride, strict=True)
        )


def test_conv_depthwise_and_grouped_agree_with_the_definition_where_rows_come_in_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from runtime.kernels import convolution

    monkeypatch.setattr(convolution, "COLUMNS", 50)  # a row or two of output at a time
    for channels, groups in ((6, 6), (4, 2), (4, 1)):
        result = check(
            make(Conv, 12, Extent((3, 2)), stride=Extent((1, 2)), groups=groups), (channels, 7, 9)
        )
        wanted = loops.conv(
            result.inputs[0],
            result.arrays["weight"],
            result.arrays["bias"],
            stride=(1, 2),
            pads=((0, 0), (0, 0)),
            groups=groups,
        )
        np.testing.assert_allclose(result.reference, wanted, rtol=1e-10, atol=1e-12)


def test_parameters_and_macs_of_the_lecture() -> None:
    # 7x7, 64 kernels on grey: 64 * (49 + 1) = 3200 parameters
    op, inputs = make(Conv, 64, 7), ((1, 28, 28),)
    assert sum(weight.size for weight in op.weights(inputs)) == 3200
    assert op.macs(inputs, (64, 22, 22)) == 49 * 64 * 22 * 22
    # in groups of two: each output sees half of the channels
    op, inputs = make(Conv, 256, 5, pad=2, groups=2), ((96, 27, 27),)
    assert [weight.shape for weight in op.weights(inputs)] == [(256, 48, 5, 5), (256,)]
    assert op.macs(inputs, (256, 27, 27)) == 256 * 48 * 25 * 27 * 27


@pytest.mark.parametrize(
    "op",
    [
        make(Conv, 4, 3, pad=1),
        make(Conv, 4, Extent((2, 3)), stride=2, pad=Extent((1, 0)), dilation=2),
        make(Conv, 3, 3, pad="same", groups=3),
        make(Conv, 4, 3, pad=1, pad_mode="reflect"),
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 7, "W": 5}, {"H": 12, "W": 6}])


def test_same_at_stride_two_needs_a_fact_about_a_symbolic_size() -> None:
    op = make(Conv, 4, 3, stride=2, pad="same", pad_mode="reflect")
    error = refuse(op, (3, H, W))
    assert (error.code, error.argument) == ("E307", "pad")
    assert error.help is not None and "assert H % 2 == 0" in error.help
    facts = Facts()
    facts.assume(H % 2, "==", 0)
    facts.assume(W % 2, "==", 1)
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 4, "W": 7}], facts=facts)
    assert (H, 2) in [*op.conditions(((3, H, W),), facts)]


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Conv, 4, 3), (8,), "E305", None),
    (make(Conv, 4, 3), (H, 8, 8), "E307", None),
    (make(Conv, 4, 3, groups=3), (8, 8, 8), "E303", "groups"),
    (make(Conv, 4, 3, groups=8), (8, 8, 8), "E303", "groups"),
    (make(Conv, 4, 9), (3, 8, 12), "E302", "kernel"),
    (make(Conv, 4, 3, dilation=4), (3, 8, 12), "E302", "kernel"),
    (make(Conv, 4, Extent((3, 3, 3))), (3, 8, 8), "E305", "kernel"),
    (make(Conv, 4, 3, stride=Extent((1, 1))), (3, 8), "E305", "stride"),
    (make(Conv, 4, 3, dilation=Extent((1, 2))), (3, 8), "E305", "dilation"),
    (make(Conv, 4, 3, pad=Extent((1, 2))), (3, 8), "E305", "pad"),
    (make(Conv, 4, 3, pad=((1, 1),)), (3, 8, 8), "E305", "pad"),
    (make(Conv, 4, 5, pad=4, pad_mode="reflect"), (3, 4, 9), "E306", "pad"),
    (make(Conv, 4, 1, weight=[[1, 2]]), (3, 8, 8), "E306", "weight"),
)


def test_a_number_of_groups_that_does_not_divide_names_the_largest_that_does() -> None:
    error = refuse(make(Conv, 96, 3, groups=40), (64, 8, 8))
    assert error.label == "64 input channels do not divide into 40 groups"
    assert error.help == "the largest number of groups up to 40 that fits is 32"
    assert refuse(make(Conv, 10**9, 3, groups=10**9), (64, 8, 8)).help is not None


def test_a_kernel_larger_than_its_padded_input_shows_the_formula_and_what_fits() -> None:
    error = refuse(make(Conv, 120, 7), (16, 5, 5))
    assert error.label == "7 along height, but the padded input has 5"
    assert error.notes == ("size: floor((5 + 0 + 0 - 7)/1) + 1 = -1",)
    assert error.help == "a kernel of at most 5x5 fits; so would pad=1"
