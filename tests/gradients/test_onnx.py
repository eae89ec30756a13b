"""The ONNX derivative of every op against NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ops import OPS
from compiler.ops.base import Op
from compiler.ops.training import BatchNormTraining
from tests.gradients.any_arguments import count_checked, examples_of
from tests.gradients.onnxcheck import check_op
from tests.gradients.test_rules import JOINS, LOSS_CALLS, loss_inputs
from tests.opcheck import make

NETS = 2  # random sets of arguments for each op and rank


@pytest.mark.parametrize("name", OPS)
def test_derivatives_are_those_of_numpy(name: str) -> None:
    for op, shapes, inputs in examples_of(name):
        check_op(op, *shapes, inputs=inputs)


@pytest.mark.parametrize("name", sorted({*OPS} - JOINS))
def test_derivatives_are_those_of_numpy_for_any_arguments(name: str) -> None:
    assert count_checked(name, check_op, NETS, begin=1)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (3, 4, 5), (2, 3, 4, 3)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_in_training(shape: tuple[int, ...], affine: bool) -> None:
    check_op(BatchNormTraining(eps=0.1, affine=affine), shape)


@pytest.mark.parametrize(("name", "arguments", "shape"), LOSS_CALLS)
def test_losses(name: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    for op, shapes, inputs in loss_inputs(name, arguments, shape):
        check_op(op, *shapes, inputs=inputs)


TIES: list[tuple[Op, tuple[int, ...]]] = [
    (make(OPS["maxpool"], 2), (2, 4, 6)),
    (make(OPS["maxpool"], 2), (2, 5, 7)),
    (make(OPS["maxpool"], 3), (2, 6, 9)),
    (make(OPS["maxpool"], 3, stride=2, pad=1), (2, 7, 8)),
    (make(OPS["maxpool"], 2, stride=1, dilation=2, pad=1), (2, 7, 8)),
    (make(OPS["maxpool"], 2, ceil=True), (2, 7)),
    (make(OPS["gmp"]), (2, 4, 6)),
]


@pytest.mark.parametrize(("op", "shape"), TIES)
def test_of_equal_values_the_first_is_followed(op: Op, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 3, (3, *shape)).astype(np.float64)
    check_op(op, shape, inputs=(x,))


@pytest.mark.parametrize("name", ["max", "min"])
def test_of_equal_branches_the_first_is_followed(name: str) -> None:
    random = np.random.default_rng(0)
    inputs = tuple(random.integers(0, 2, (3, 4, 5)).astype(np.float64) for _ in range(3))
    check_op(make(OPS[name]), (4, 5), (4, 5), (4, 5), inputs=inputs)


# N=6, G=3: the grouped convolution that PyTorch once had wrong (its issue 51430).
GROUPED = {"kernel": (3, 2), "stride": (2, 3), "dilation": (2, 1), "pad": [(1, 2), (0, 1)]}


@pytest.mark.parametrize("groups", [1, 3, 12])
@pytest.mark.parametrize("name", ["conv", "deconv"])
def test_groups_with_stride_dilation_and_a_remainder(name: str, groups: int) -> None:
    random = np.random.default_rng(0)
    op = make(OPS[name], 24, groups=groups, **GROUPED)
    check_op(op, (12, 9, 8), inputs=(random.standard_normal((6, 12, 9, 8)),))
