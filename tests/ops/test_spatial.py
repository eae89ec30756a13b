"""crop, pad and upsample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.domain import Facts
from compiler.onnx.lower import lower
from compiler.ops.spatial import Crop, Pad, Upsample
from compiler.options import CompileOptions
from runtime.reference import run_reference
from runtime.session import open_session
from tests.define import define
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refusals, refuse
from tests.ops import loops
from tests.ops.geometry import examples

MAP = [[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]]


def test_crop_keeps_the_centre_or_where_it_is_told() -> None:
    assert apply(make(Crop, 1, 2), MAP) == [[[6, 7]]]
    assert apply(make(Crop, 2, 3), MAP) == [[[1, 2, 3], [5, 6, 7]]]  # the odd pixel goes after
    assert apply(make(Crop, 2, 2, 1, 0), MAP) == [[[5, 6], [9, 10]]]
    assert apply(make(Crop, 1, 2, left=2), MAP) == [[[7, 8]]]
    assert apply(make(Crop, 3, 4), MAP) == MAP


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("zero", [0, 0, 1, 2, 3, 0]),
        ("replicate", [1, 1, 1, 2, 3, 3]),
        ("reflect", [3, 2, 1, 2, 3, 2]),
    ],
)
def test_pad_of_a_hand_computed_row(mode: str, wanted: list[int]) -> None:
    assert apply(make(Pad, [(2, 1)], mode=mode), [[1, 2, 3]]) == [wanted]


@pytest.mark.parametrize(
    "pooling",
    [
        "maxpool(2, stride=1)",
        "maxpool(2, stride=1, pad=1, dilation=2)",
        "avgpool(2, stride=1)",
        "avgpool(3, stride=1, pad=1)",
    ],
)
@pytest.mark.parametrize("opset", [13, 18, 21, 26])
def test_zeros_before_a_pooling_are_values_after_onnx_runtime_s_rewrites(
    pooling: str, opset: int
) -> None:
    """It would make them pads, which a maxpool ignores, or more pads than its kernel allows."""
    net = define(f"net n {{ input x: f32[1, 3, 4]; pad(2) -> {pooling}; output y }}")
    x = -1 - np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    wanted = run_reference(net.graph, {"x": x})["y"]
    model = lower(net.graph, CompileOptions(opset=opset)).SerializeToString()
    found = open_session(model, "cpu").run({"x": x})["y"]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_upsample_repeats_pixels_or_weighs_the_two_nearest() -> None:
    assert apply(make(Upsample, 2), [[1, 3]]) == [[1, 1, 3, 3]]
    assert apply(make(Upsample, 2, mode="bilinear"), [[0, 4]]) == [[0, 1, 3, 4]]
    assert apply(make(Upsample, (2, 1)), [[[1, 2]]]) == [[[1, 2], [1, 2]]]
    got = apply(make(Upsample, 2, mode="bilinear"), [[[0, 4], [8, 12]]])
    assert got[0] == [[0, 1, 3, 4], [2, 3, 5, 6], [6, 7, 9, 10], [8, 9, 11, 12]]


@examples
@given(
    st.lists(
        st.tuples(st.integers(2, 6), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=3
    ),
    st.sampled_from(("zero", "replicate", "reflect", "circular")),
)
def test_pad_finds_each_pixel_by_its_definition(
    axes: list[tuple[int, int, int]], mode: str
) -> None:
    if mode == "reflect":
        axes = [(size, min(a, size - 1), min(b, size - 1)) for size, a, b in axes]
    if mode == "circular":
        axes = [(size, min(a, size), min(b, size)) for size, a, b in axes]
    shape, pairs = (3, *(size for size, _, _ in axes)), [(a, b) for _, a, b in axes]
    result = check(make(Pad, pairs, mode=mode), shape)
    for n, c, *place in loops.everywhere(result.reference.shape):
        source = [p - before for p, (before, _) in zip(place, pairs, strict=True)]
        wanted = loops.value_at(result.inputs[0], (n, c), source, mode)
        assert result.reference[(n, c, *place)] == wanted


@examples
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=3),
    st.sampled_from((1, 3)),
)
def test_upsample_is_its_definition(axes: list[tuple[int, int]], channels: int) -> None:
    shape, scales = (channels, *(size for size, _ in axes)), [scale for _, scale in axes]
    result = check(make(Upsample, scales, mode="bilinear"), shape)
    wanted = loops.linear_upsample(result.inputs[0], scales)
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-6, atol=1e-7)
    nearest = check(make(Upsample, scales), shape)
    for n, c, *place in loops.everywhere(nearest.reference.shape):
        source = [p // scale for p, scale in zip(place, scales, strict=True)]
        assert nearest.reference[(n, c, *place)] == nearest.inputs[0][(n, c, *source)]


@examples
@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_crop_is_a_slice(height: int, width: int, data: st.DataObject) -> None:
    h, w = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    top = data.draw(st.none() | st.integers(0, height - h))
    left = data.draw(st.none() | st.integers(0, width - w))
    given_places = {k: v for k, v in (("top", top), ("left", left)) if v is not None}
    result = check(make(Crop, h, w, **given_places), (3, height, width))
    top = (height - h) // 2 if top is None else top
    left = (width - w) // 2 if left is None else left
    wanted = result.inputs[0][:, :, top : top + h, left : left + w]
    np.testing.assert_array_equal(result.reference, wanted)


@pytest.mark.parametrize(
    "op",
    [
        make(Pad, 2),
        make(Pad, [(1, 0), (0, 3)], mode="replicate"),
        make(Pad, 1, mode="reflect"),
        make(Upsample, 2),
        make(Upsample, (2, 3), mode="bilinear"),
        make(Crop, 2, 3, 1, 0),
        make(Crop, H - 2, W - 3),  # a constant number of pixels less, centred
        make(Crop, H, W - 2, 0, 2),
        make(Crop, H, 2, 0, 1),
    ],
    ids=str,
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 3, "W": 5}])


def test_a_crop_may_lie_where_only_the_running_model_knows() -> None:
    sizes = [{"H": 8, "W": 9}, {"H": 5, "W": 5}, {"H": 2, "W": 3}]
    check_symbolic(make(Crop, H // 2 * 2, W), (3, H, W), sizes=sizes)
    check_symbolic(make(Crop, 2, 2), (3, H, W), sizes=sizes)
    halves = make(Crop, (H - 1) // 3 + 1, W // 2 + 1, 0)
    check_symbolic(halves, (3, H, W), sizes=sizes)
    assert halves.conditions(((3, H, W),), Facts())


@pytest.mark.parametrize("mode", ["zero", "replicate", "circular"])
@pytest.mark.parametrize("opset", [13, 21])
def test_a_pad_may_depend_on_symbolic_sizes(mode: str, opset: int) -> None:
    op = make(Pad, [(0, H % 2), (W // 2, 1)], mode=mode)
    sizes = [{"H": 5, "W": 4}, {"H": 6, "W": 3}]
    check_symbolic(op, (3, H, W), sizes=sizes, opset=opset)
    assert one_op(op, (3, H, W))["layer"].shape[2] == W + W // 2 + 1
    assert op.reach(((3, H, W),), (3, H, W), Facts()).kind == "everywhere"
    check_symbolic(make(Pad, H), (3, H, W), sizes=sizes, opset=opset)
    below = refuse(make(Pad, [(0, -1 * H), (0, 0)]), (3, H, W), facts=at_least_one())
    assert (below.code, below.message) == ("E306", "a pad is at least 0")


def at_least_one() -> Facts:
    """H >= 1."""
    facts = Facts()
    facts.assume(H, ">=", 1)
    return facts


def test_what_a_symbolic_size_must_be_at_least_is_asked_of_it() -> None:
    facts = Facts()
    assert (H - 6, 0) in make(Crop, 5, 3, 1, 0).conditions(((3, H, 9),), facts)
    assert make(Pad, 2, mode="reflect").conditions(((3, H, 9),), facts) == ((H, 3), (9, 3))
    assert make(Pad, 2).conditions(((3, H, 9),), facts) == ()


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Crop, 2, 2), (3, 8), "E305", None),
    (make(Crop, 9, 2), (3, 8, 8), "E306", "h"),
    (make(Crop, 2, 9), (3, 8, 8), "E306", "w"),
    (make(Crop, 9, 2, top=0), (3, 8, 8), "E306", "h"),
    (make(Crop, 2, 2, top=7), (3, 8, 8), "E306", "top"),
    (make(Crop, 2, 2, left=7), (3, 8, 8), "E306", "left"),
    (make(Crop, H + 1, 2), (3, H, 8), "E306", "h"),
    (make(Pad, 1), (8,), "E305", None),
    (make(Pad, "same"), (3, 8, 8), "E306", "amount"),
    (make(Pad, (1, 2)), (3, 8), "E305", "amount"),
    (make(Pad, [(1, 2)]), (3, 8, 8), "E305", "amount"),
    (make(Pad, 8, mode="reflect"), (3, 8, 9), "E306", "amount"),
    (make(Upsample, 2), (8,), "E305", None),
    (make(Upsample, (2, 2)), (3, 8), "E305", "scale"),
)


def test_errors_show_the_numbers_and_speak_of_the_ops_own_parameters() -> None:
    assert refuse(make(Crop, 9, 2), (3, 8, 8)).label == "9 pixels, but the input has 8"
    assert (
        refuse(make(Crop, 2, 2, top=7), (3, 8, 8)).label == "2 pixels from 7, but the input has 8"
    )
    assert refuse(make(Pad, 8, mode="reflect"), (3, 8, 9)).help == (
        'pad at most 7, or use mode="replicate"'
    )
    assert one_op(make(Pad, 7, mode="reflect"), (3, 8, 9))["layer"].shape == (3, 22, 23)
