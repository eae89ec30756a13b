"""The NumPy derivative of every op: by hand, and against central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ops import LOSSES, OPS
from compiler.ops.base import Op
from compiler.ops.training import BatchNormTraining
from runtime.gradients import GRADIENTS, run_gradient
from runtime.kernels import KERNELS
from runtime.reference import run_kernel
from tests.gradients.any_arguments import count_checked, examples_of
from tests.gradients.central import check_gradient
from tests.opcheck import make

NETS = 3  # random sets of arguments for each op and rank
JOINS = {name for name, op in OPS.items() if op.most_inputs != 1}  # and what takes nothing
JOINS |= {"gather"}  # what takes whole numbers


def test_an_op_without_a_derivative_says_why() -> None:
    for op in KERNELS:
        assert (op in GRADIENTS) != bool(op.no_derivative), op


@pytest.mark.parametrize("name", OPS)
def test_derivatives_are_central_differences(name: str) -> None:
    for op, shapes, inputs in examples_of(name):
        check_gradient(op, *shapes, inputs=inputs)


@pytest.mark.parametrize("name", sorted({*OPS} - JOINS))
def test_derivatives_are_central_differences_for_any_arguments(name: str) -> None:
    assert count_checked(name, check_gradient, NETS, begin=0)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (3, 4, 5), (2, 3, 4, 3)])
def test_batch_norm_in_training_differentiates_the_statistics(shape: tuple[int, ...]) -> None:
    check_gradient(BatchNormTraining(eps=0.1), shape)
    check_gradient(BatchNormTraining(eps=0.1, affine=False), shape)


LOSS_CALLS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("cross_entropy", {}, (5,)),
    ("cross_entropy", {"smoothing": 0.1}, (5, 3, 2)),
    ("bce", {}, (4,)),
    ("bce", {"logits": True}, (2, 3)),
    ("mse", {}, (4, 3)),
    ("mae", {}, (4, 3)),
    ("huber", {"delta": 0.5}, (4, 3)),
    ("hinge", {}, (4,)),
    ("kl", {}, (4, 3)),
    ("kl", {"logarithms": True}, (4,)),
    ("sum", {}, (4, 3)),
    ("mean", {}, (4, 3)),
]


def loss_inputs(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> list[tuple[Op, list[tuple[int, ...]], tuple[Any, ...]]]:
    """The loss with input shapes and inputs inside of its domain."""
    random = np.random.default_rng(1)
    op = make(LOSSES[name], **arguments)
    x, target = random.standard_normal((3, *shape)), random.standard_normal((3, *shape))
    if name in ("kl", "bce") and not arguments:
        x = random.uniform(0.1, 0.9, x.shape)
        target = random.uniform(0.1, 0.9, x.shape)
    if name == "kl" and arguments:
        x = np.abs(x)
    if name != "cross_entropy":
        count = op.least_inputs
        return [(op, [shape] * count, (x, target)[:count])]
    classes = random.integers(0, shape[0], (3, *shape[1:])).astype(np.float64)
    shares = np.moveaxis(random.dirichlet(np.ones(shape[0]), (3, *shape[1:])), -1, 1)
    return [(op, [shape, shape[1:]], (x, classes)), (op, [shape, shape], (x, shares))]


@pytest.mark.parametrize(("name", "arguments", "shape"), LOSS_CALLS)
def test_derivatives_of_losses(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    for op, shapes, inputs in loss_inputs(name, arguments, shape):
        check_gradient(op, *shapes, inputs=inputs)


def derivative(op: Op, x: Any, dy: Any) -> Any:
    """By the only input of an op without arrays, of one sample."""
    given_x, given_dy = (np.asarray(v, dtype=np.float64)[None] for v in (x, dy))
    output = run_kernel(op, (given_x,), {})
    (dx,) = run_gradient(op, (given_x,), {}, output, given_dy).inputs
    assert dx is not None
    return dx[0].tolist()


def test_corners_take_the_value_of_pytorch() -> None:
    assert derivative(make(OPS["relu"]), [-1, 0, 2], [5, 5, 5]) == [0, 0, 5]
    assert derivative(make(OPS["relu6"]), [0, 3, 6], [1, 1, 1]) == [0, 1, 0]
    assert derivative(make(OPS["clip"], -1, 1), [-1, 0, 1, 2], [1, 1, 1, 1]) == [1, 1, 1, 0]
    assert derivative(make(OPS["leaky_relu"], 0.5), [-1, 0, 2], [2, 2, 2]) == [1, 1, 2]
    assert derivative(make(OPS["abs"]), [-2, 0, 3], [1, 1, 1]) == [-1, 0, 1]
    assert derivative(make(OPS["power"], 0), [0, 2], [1, 1]) == [0, 0]


def test_the_first_of_equal_maxima_is_followed() -> None:
    equal = [[[1, 1, 0, 2], [1, 1, 2, 2]]]
    by_window = [[[7, 0, 0, 8], [0, 0, 0, 0]]]
    assert derivative(make(OPS["maxpool"], 2), equal, [[[7, 8]]]) == by_window
    assert derivative(make(OPS["gmp"]), equal, [[[5]]]) == [[[0, 0, 0, 5], [0, 0, 0, 0]]]
    x = np.array([[1.0, 3.0]])
    op = make(OPS["max"])
    found = run_gradient(op, (x, x), {}, x, np.array([[4.0, 6.0]])).inputs
    assert [None if d is None else d.tolist() for d in found] == [[[4, 6]], [[0, 0]]]


def test_windows_that_overlap_add_up() -> None:
    # The 3 in the middle is the largest of both windows.
    assert derivative(make(OPS["maxpool"], 2, stride=1), [[1, 3, 2]], [[10, 20]]) == [[0, 30, 0]]
    assert derivative(make(OPS["avgpool"], 2, stride=1), [[1, 3, 2]], [[10, 20]]) == [[5, 15, 10]]


def test_a_convolution_by_hand() -> None:
    x, dy = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0]]])
    arrays = {"weight": np.array([[[3.0, 5.0]]]), "bias": np.array([1.0])}
    op = make(OPS["conv"], 1, 2)
    output = run_kernel(op, (x,), arrays)
    assert output.tolist() == [[[14, 22]]]  # 3*1 + 5*2 + 1, 3*2 + 5*3 + 1
    found = run_gradient(op, (x,), arrays, output, dy)
    assert found.inputs[0] is not None
    assert found.inputs[0].tolist() == [[[3, 35, 50]]]  # 3*1, 5*1 + 3*10, 5*10
    assert found.arrays["weight"].tolist() == [[[21, 32]]]  # 1*1 + 2*10, 2*1 + 3*10
    assert found.arrays["bias"].tolist() == [11]


def test_edges_that_padding_repeats_gather_their_copies() -> None:
    replicate = make(OPS["pad"], [(2, 1)], mode="replicate")
    assert derivative(replicate, [[1, 2]], [[1, 10, 100, 1000, 10000]]) == [[111, 11000]]
    reflect = make(OPS["pad"], [(1, 1)], mode="reflect")
    assert derivative(reflect, [[1, 2, 3]], [[1, 10, 100, 1000, 10000]]) == [[10, 10101, 1000]]


def test_a_vanishing_probability_does_not_make_the_loss_infinite() -> None:
    op = make(LOSSES["bce"])
    x, target = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    output = run_kernel(op, (x, target), {})
    assert output.tolist() == [100.0]
    found = run_gradient(op, (x, target), {}, output, np.ones(1)).inputs[0]
    assert found is not None and found.tolist() == [[0, 0]]
