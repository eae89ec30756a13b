"""dense, identity and dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ops.connect import Dense, Dropout, Identity
from tests.opcheck import H, W, apply, check, check_symbolic, make, refuse


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


@pytest.mark.parametrize(
    ("op", "shape", "code", "argument"),
    [
        (make(Dense, 5), (3, 4), "E305", None),
        (make(Dense, 5), (H,), "E307", None),
        (make(Dense, 2, weight=[[1, 2], [3, 4]]), (3,), "E306", "weight"),
        (make(Dense, 2, weight=[1, 2, 3]), (3,), "E306", "weight"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_argument(
    op: Any, shape: Any, code: str, argument: str | None
) -> None:
    error = refuse(op, shape)
    assert (error.code, error.argument) == (code, argument)


def test_dense_after_a_map_says_what_to_add() -> None:
    error = refuse(make(Dense, 10), (16, 5, 5))
    assert error.label == "the input is [16, 5, 5]"
    assert error.help == "add `flatten` before it"
