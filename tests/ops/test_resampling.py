"""resize."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from compiler.onnx.lower import lower
from compiler.ops.resampling import Resize
from compiler.values import Tensor
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refuse


def test_nearest_by_hand_in_every_alignment_and_rounding() -> None:
    row = [[0.0, 1.0, 2.0, 3.0]]
    # centres at (i + 0.5) * 4/3 - 0.5 = 0.17, 1.5, 2.83
    assert apply(make(Resize, 3), row) == [[0, 1, 3]]
    assert apply(make(Resize, 3, rounding="prefer_ceil"), row) == [[0, 2, 3]]
    assert apply(make(Resize, 3, rounding="floor"), row) == [[0, 1, 2]]
    assert apply(make(Resize, 3, rounding="ceil"), row) == [[1, 2, 3]]
    # places i * 4/3 = 0, 1.33, 2.67 and i * 3/2 = 0, 1.5, 3
    assert apply(make(Resize, 3, align="asymmetric", rounding="floor"), row) == [[0, 1, 2]]
    assert apply(make(Resize, 3, align="corners", rounding="prefer_ceil"), row) == [[0, 2, 3]]


def test_linear_by_hand() -> None:
    assert apply(make(Resize, 4, mode="linear"), [[0.0, 4.0]]) == [[0, 1, 3, 4]]
    assert apply(make(Resize, 5, mode="linear", align="corners"), [[0.0, 4.0]]) == [[0, 1, 2, 3, 4]]
    assert apply(make(Resize, 4, mode="linear", align="asymmetric"), [[0.0, 4.0]]) == [[0, 2, 4, 4]]


def test_a_scale_of_its_own_moves_the_pixels_but_not_the_size() -> None:
    row = [[0.0, 1.0, 2.0, 3.0]]
    # size floor(4 * 0.6) = 2; places (i + 0.5)/0.6 - 0.5 = 0.33 and 2
    given = apply(make(Resize, 2, mode="linear", scale=0.6), row)
    np.testing.assert_allclose(given, [[1 / 3, 2]], rtol=1e-6)
    np.testing.assert_allclose(apply(make(Resize, 2, mode="linear"), row), [[0.5, 2.5]])


@pytest.mark.parametrize("align", ["half_pixel", "corners", "asymmetric"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("size", [(3, 11), (9, 4), (7, 7), (1, 1)])
def test_every_mode_and_alignment_agrees_with_onnx_runtime(
    mode: str, align: str, size: tuple[int, int]
) -> None:
    check(make(Resize, size, mode=mode, align=align), (3, 5, 7))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_one_and_three_axes_agree_with_onnx_runtime(mode: str) -> None:
    check(make(Resize, 7, mode=mode), (3, 4))
    check(make(Resize, (3, 5, 2), mode=mode), (2, 4, 3, 5))


def test_a_symbolic_map_is_brought_to_a_size() -> None:
    sizes = [{"H": 4, "W": 9}, {"H": 8, "W": 3}]
    check_symbolic(make(Resize, (6, 5), mode="linear"), (3, H, W), sizes=sizes)


@pytest.mark.parametrize("rounding", ["floor", "ceil", "prefer_floor", "prefer_ceil"])
@pytest.mark.parametrize(
    ("have", "wanted", "align"),
    [(7, 1, "half_pixel"), (15, 9, "half_pixel"), (14, 6, "asymmetric"), (9, 14, "asymmetric")],
)
def test_a_pixel_that_lies_between_two_or_on_one_is_exactly_there(
    have: int, wanted: int, align: str, rounding: str
) -> None:
    op = make(Resize, wanted, align=align, rounding=rounding)
    check(op, (2, have))
    check_symbolic(op, (2, H), sizes=[{"H": have}, {"H": have + 1}, {"H": wanted}, {"H": 1}])


def test_the_floor_of_an_exact_place() -> None:
    # pixel 0 of 1 from 7 lies at 0.5 * 7 - 0.5 = 3; in float32 0.5/0.14285715 - 0.5 = 2.9999998
    assert apply(make(Resize, 1, rounding="floor"), [[0.0, 1, 2, 3, 4, 5, 6]]) == [[3]]


@pytest.mark.parametrize("align", ["half_pixel", "corners", "asymmetric"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("rounding", ["floor", "prefer_ceil"])
def test_a_scale_that_leaves_the_size_as_it_is_moves_the_pixels(
    mode: str, align: str, rounding: str
) -> None:
    check(make(Resize, (4, 2), mode=mode, align=align, rounding=rounding, scale=1.2), (3, 4, 2))
    check(make(Resize, (9, 10), mode=mode, align=align, scale=(1.0, 1.2)), (3, 9, 9))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scale", [1 + 1e-7, 1 + 1e-4, (1.0, 1 + 1e-7), (1.08, 1 + 1e-4)])
def test_a_scale_just_above_one_takes_no_more_than_the_map(mode: str, scale: Any) -> None:
    op = make(Resize, (12, 11), mode=mode, align="asymmetric", rounding="floor", scale=scale)
    check(op, (2, 12, 11))
    model = lower(one_op(op, (2, 12, 11)))
    sizes = [
        dim.dim_value
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
        for dim in value.type.tensor_type.shape.dim
    ]
    assert max(sizes, default=0) <= 12


@pytest.mark.parametrize(
    ("arguments", "shape", "code", "argument"),
    [
        ({"size": 7, "scale": 0.7}, (3, 10), "E306", "scale"),  # 6.9999999, in float32 7
        ({"size": (2, 2, 2)}, (3, 4, 5), "E305", "size"),
        ({"size": 3, "mode": "cubic"}, (3, 4), "E305", "mode"),
        ({"size": 3, "scale": (2, 2, 2)}, (3, 4, 5), "E305", "scale"),
        ({"size": 3, "scale": 2}, (3, 4, 4), "E306", "scale"),
        ({"size": 8, "scale": 2}, (3, H, W), "E306", "scale"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(
    arguments: dict[str, Any], shape: Any, code: str, argument: str
) -> None:
    error = refuse(make(Resize, **arguments), shape)
    assert (error.code, error.argument) == (code, argument)


def test_a_scale_is_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        make(Resize, 3, scale=0)


@pytest.mark.parametrize("align", ["half_pixel", "corners", "asymmetric"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_a_map_is_brought_to_symbolic_sizes(mode: str, align: str) -> None:
    op = make(Resize, [2 * H - 1, (W + 1) // 2], mode=mode, align=align)
    sizes = [{"H": 4, "W": 9}, {"H": 1, "W": 1}, {"H": 3, "W": 14}]
    check_symbolic(op, (3, H, W), sizes=sizes)


@pytest.mark.parametrize("align", ["half_pixel", "asymmetric"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "prefer_floor", "prefer_ceil"])
def test_the_nearest_pixel_of_symbolic_sizes_is_exact(rounding: str, align: str) -> None:
    sizes = [{"H": 3, "W": 7}, {"H": 9, "W": 3}, {"H": 1, "W": 1}]
    op = make(Resize, [W, 5], align=align, rounding=rounding)
    check_symbolic(op, (3, H, W), sizes=sizes)


def test_like_takes_the_sizes_of_a_tensor() -> None:
    op = make(Resize, like=Tensor("c1", (8, H, W)), mode="bilinear")
    assert (op.like, op.mode) == ((H, W), "linear")
    assert one_op(op, (3, (H + 1) // 2, 4))["layer"].shape == (3, H, W)
    known = check(make(Resize, like=Tensor("c1", (8, 4, 6))), (3, 2, 3))
    assert known.reference.shape == (2, 3, 4, 6)
    assert refuse(make(Resize, like=Tensor("c1", (8, 4))), (3, 2, 3)).argument == "like"
    assert refuse(make(Resize), (3, 2, 3)).label == "here is neither"
    assert refuse(make(Resize, 2, like=Tensor("c1", (8, 4, 6))), (3, 2, 3)).label == "here are both"
