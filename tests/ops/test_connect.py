"""dense, matmul, identity, dropout and drop_path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul
from compiler.training.mode import Mask, in_training
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refusals, refuse


def test_dense_of_hand_computed_weights() -> None:
    op = make(Dense, 2, weight=[[1, 2, 3], [0, -1, 1]])
    assert apply(op, [1.0, 10.0, 100.0], bias=[0.5, 7]) == [321.5, 97]
    assert apply(make(Dense, 1, bias=False, weight=[[2, 3]]), [5.0, 7.0]) == [31]


@pytest.mark.parametrize("bias", [False, True])
def test_dense_is_the_sum_of_its_definition(bias: bool) -> None:
    result = check(make(Dense, 5, bias=bias), (7,), batch=3)
    weight, x = result.arrays["weight"], result.inputs[0]
    for n in range(3):
        for unit in range(5):
            wanted = sum(float(weight[unit, i]) * float(x[n, i]) for i in range(7))
            wanted += float(result.arrays["bias"][unit]) if bias else 0
            assert result.reference[n, unit] == pytest.approx(wanted, rel=1e-12)


def test_dense_counts_its_parameters_and_multiplications() -> None:
    # the lecture's LeNet-5 layer of 120 inputs and 84 units
    op, inputs = make(Dense, 84), ((120,),)
    assert [weight.shape for weight in op.weights(inputs)] == [(84, 120), (84,)]
    assert sum(weight.size for weight in op.weights(inputs)) == 10164
    assert op.macs(inputs, (84,)) == 10080
    assert op.holds_weights


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 4, 5), (3, 2, 4, 5)])
def test_identity_and_dropout_hand_on_what_they_get(shape: tuple[int, ...]) -> None:
    for op in (make(Identity), make(Dropout), make(Dropout, 0.9)):
        result = check(op, shape)
        np.testing.assert_array_equal(result.onnx, result.inputs[0])


@pytest.mark.parametrize("op", [make(Identity), make(Dropout)])
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 2, "W": 5}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Dense, 5), (3, 4), "E305", None),
    (make(Dense, 5), (H,), "E307", None),
    (make(Dense, 2, weight=[[1, 2], [3, 4]]), (3,), "E306", "weight"),
    (make(Dense, 2, weight=[1, 2, 3]), (3,), "E306", "weight"),
)


def test_dense_after_a_map_says_what_to_add() -> None:
    error = refuse(make(Dense, 10), (16, 5, 5))
    assert error.label == "the input is [16, 5, 5]"
    assert error.help == "add `flatten` before it"


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_dense_along_an_axis_is_that_of_each_line(axis: int, bias: bool) -> None:
    shape = (3, 4, 5)
    result = check(make(Dense, 2, bias=bias, axis=axis), shape)
    weight, x = result.arrays["weight"], np.moveaxis(result.inputs[0], axis % 3 + 1, -1)
    assert weight.shape == (2, shape[axis])
    found = np.moveaxis(result.reference, axis % 3 + 1, -1)
    for place in np.ndindex(*x.shape[:-1]):
        for unit in range(2):
            wanted = sum(float(w) * float(v) for w, v in zip(weight[unit], x[place], strict=True))
            wanted += float(result.arrays["bias"][unit]) if bias else 0
            assert found[(*place, unit)] == pytest.approx(wanted, rel=1e-10)


def test_dense_along_an_axis_takes_open_sizes_beside_it() -> None:
    op = make(Dense, 5, axis=-1)
    check_symbolic(op, (3, H, 4), sizes=[{"H": 1}, {"H": 6}])
    check_symbolic(make(Dense, 5, axis=0), (3, H, W), sizes=[{"H": 1, "W": 2}, {"H": 6, "W": 3}])
    assert op.macs(((3, H, 4),), (3, H, 5)) == 60 * H
    assert refuse(op, (3, 4, W)).code == "E307"
    assert refuse(make(Dense, 5, axis=3), (3, 4, 5)).argument == "axis"


def test_matmul_by_hand() -> None:
    assert apply(make(MatMul), [[1.0, 2.0]], [[3.0], [4.0]]) == [[11]]
    stack = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 2.0], [1.0, 0.0]]]
    assert apply(make(MatMul), stack, [[[1.0, 2.0], [3.0, 4.0]]]) == [
        [[1, 2], [3, 4]],
        [[6, 8], [1, 2]],
    ]


def test_matmul_is_the_sum_of_its_definition() -> None:
    result = check(make(MatMul), (2, 3, 4), (1, 4, 5))
    a, b = result.inputs
    for n, i, row, column in np.ndindex(2, 2, 3, 5):
        pairs = zip(a[n, i, row], b[n, 0, :, column], strict=True)
        wanted = sum(float(x) * float(y) for x, y in pairs)
        assert result.reference[n, i, row, column] == pytest.approx(wanted, rel=1e-10, abs=1e-12)


def test_matmul_of_open_sizes_and_its_multiplications() -> None:
    op, shapes = make(MatMul), ((4, H, 3), (4, 3, W))
    check_symbolic(op, *shapes, sizes=[{"H": 2, "W": 5}, {"H": 1, "W": 1}])
    assert op.macs(((4, 7, 3), (1, 3, 5)), (4, 7, 5)) == 4 * 7 * 3 * 5
    assert not op.holds_weights and op.macs(shapes, (4, H, W)) == 12 * H * W


def test_matmul_refuses_what_does_not_fit() -> None:
    error = refuse(make(MatMul), (2, 3, 4), (2, 5, 4))
    assert (error.code, error.help) == ("E304", "`transpose([0, 2, 1])` of the second would do")
    assert refuse(make(MatMul), (2, 3, 4), (2, 5, 6)).help is None
    assert refuse(make(MatMul), (2, 3, 4), (3, 4, 5)).code == "E304"
    assert refuse(make(MatMul), (3, 4), (1, 4, 5)).code == "E305"
    assert refuse(make(MatMul), (4,), (4,)).code == "E305"


def test_drop_path_drops_whole_samples_in_training_only() -> None:
    x = [[1.0, 2.0], [3.0, 4.0]]
    assert apply(make(DropPath, 0.25), x) == x
    graph = in_training(one_op(make(DropPath, 0.25), (3, 4)))
    mask = graph["layer/mask"]
    assert isinstance(mask.op, Mask) and (mask.shape, mask.op.p) == ((1, 1), 0.25)
    assert in_training(one_op(make(Dropout, 0.25), (3, 4)))["layer/mask"].shape == (3, 4)
